"""Albums and their pages, as the site is rendered from them; and the one transaction that gives an item its place, for good.

An album counts its publications; an item's sequence number fixes its page. So the hundred-thousandth item writes as few
rows as the first, and a page that is full never changes again.
"""

from __future__ import annotations

import random
import time

from tasks.catalog.items import RESTARTABLE, Items
from tasks.catalog.rows import Key, album_key, album_of, album_row, albums_pk, card_key, card_of, card_row, page_pk
from tasks.catalog.search import count_labels, search_writes
from tasks.core.aws.dynamodb import Table, Write
from tasks.core.clock import Clock, now, utc_now
from tasks.core.errors import Conflict, NotFound, Stale
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.publication import Album, Card, Publication, PublicFile
from tasks.core.models.record import ItemRecord
from tasks.core.models.review import Decision, Film, Prepared
from tasks.core.names import stem

# A burst to one album queues at its counter: each round one wins, the others come back with the fresh number.
TRIES = 200
LONGEST_WAIT = 0.25


class Albums:
    """Albums, pages, and the transaction that adds to them."""

    def __init__(self, table: Table, items: Items, page_size: int = 60, clock: Clock = utc_now) -> None:
        self._table = table
        self._items = items
        self._page_size = page_size
        self._clock = clock

    def publish(
        self, item: Item, media: Media, prepared: Prepared, decision: Decision, files: tuple[PublicFile, ...]
    ) -> tuple[Publication, Card]:
        """Give an item its place in its album, all or nothing; once published, the answer stays the same.

        Raises Stale when the item has ended otherwise or a newer attempt tells its story, NotFound when it is unknown,
        Conflict when the album is too busy (try again).
        """
        for attempt in range(TRIES):
            record, album = self._look(item)
            if record.publication and record.status == "PUBLISHED":
                return record.publication, self._card(record.publication, item)
            _refuse_stale(record, item)
            card, page = self._place(item, media, prepared, files, album, record.film)
            if not self._table.transact(self._writes(item, media, prepared, decision, card, page, album)):
                count_labels(self._table, card)
                return _publication(card, page), card
            # Somebody took the number first. Full jitter, so that those who lost together do not meet again.
            time.sleep(random.uniform(0, min(LONGEST_WAIT, 0.005 * 2 ** min(attempt, 10))))
        raise Conflict(f"album {item.album!r} takes so many publications at once that {item.id} found no turn")

    def _look(self, item: Item) -> tuple[ItemRecord, Album]:
        record, row = self._items.get(item.id), self._table.get(*album_key(item.album))
        return record, album_of(row) if row else Album(item.album, item.album_title, 0, "")

    def _card(self, publication: Publication, item: Item) -> Card:
        row = self._table.get(*card_key(publication.album, publication.page, publication.sequence))
        if row is None:
            raise Stale(f"{item.id} was published, and its place in album {publication.album!r} is empty now")
        return card_of(row)

    def _place(
        self, item: Item, media: Media, prepared: Prepared, files: tuple[PublicFile, ...], album: Album, film: Film | None
    ) -> tuple[Card, int]:
        """The item's card at the album's next sequence number, and the page that this is on."""
        sequence = album.count + 1
        recognition = prepared.recognition
        card = Card(
            id=item.id,
            kind=media.kind,
            title=stem(item.filename),
            album=item.album,
            album_title=album.title,
            sequence=sequence,
            url=f"/items/{item.id}/",
            contributor=item.contributor,
            taken_at=media.taken_at,
            published_at=now(self._clock),
            width=media.width,
            height=media.height,
            duration=media.duration,
            placeholder=prepared.placeholder,
            labels=tuple(dict.fromkeys(label.name for label in recognition.labels)),
            files=files,
            bytes=media.bytes,
            format=media.format,
            sensitive=recognition.triage != "clear" or bool(film and film.triage != "clear"),
        )
        return card, (sequence - 1) // self._page_size

    def _writes(
        self, item: Item, media: Media, prepared: Prepared, decision: Decision, card: Card, page: int, album: Album
    ) -> list[Write]:
        """Item, album with its counter, page row and search rows: at most 43 of the 100 that a transaction may hold."""
        grown = Album(album.slug, album.title, card.sequence, card.published_at, _cover(album.cover, card))
        counted = "#count = :count" if album.count else "attribute_not_exists(#pk)"
        return [
            self._items.published(item, media, prepared, decision, _publication(card, page)),
            Write(album_row(grown), counted, {"count": album.count}),
            Write(card_row(card, page), "attribute_not_exists(#pk)"),
            *search_writes(card, page),
        ]

    def all(self) -> list[Album]:
        """Every album, the one with the latest publication first."""
        found = [album_of(row) for row in self._table.query(albums_pk())]
        return sorted(found, key=lambda album: (album.updated_at, album.slug), reverse=True)

    def get(self, slug: str) -> Album:
        """One album; raises NotFound."""
        row = self._table.get(*album_key(slug))
        if row is None:
            raise NotFound(f"there is no album {slug!r}")
        return album_of(row)

    def page(self, slug: str, page: int) -> list[Card]:
        """The cards of an album's page (0 is the oldest) by sequence, read consistently; [] when there is none."""
        return [card_of(row) for row in self._table.query(page_pk(slug, page))]

    def cards(self, keys: list[Key]) -> list[Card]:
        """The cards of these rows, in this order, without those that are gone."""
        rows = self._table.get_many(keys)
        return [card_of(rows[key]) for key in keys if key in rows]


def _publication(card: Card, page: int) -> Publication:
    return Publication(url=card.url, album=card.album, sequence=card.sequence, page=page, published_at=card.published_at)


def _cover(cover: Card | None, card: Card) -> Card:
    """The newest card that is a picture for everyone; else whatever there is."""
    shows = card.kind != "document" and not card.sensitive
    return card if cover is None or shows else cover


def _refuse_stale(record: ItemRecord, item: Item) -> None:
    if record.attempt != item.attempt:
        raise Stale(f"attempt {item.attempt} of {item.id} was superseded by attempt {record.attempt}")
    if record.status not in RESTARTABLE:
        raise Stale(f"{item.id} is {record.status} and cannot be published any more")
