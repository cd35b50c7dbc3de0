"""Items: one row for each uploaded version, its status, its attempts, and who claims which bytes.

Every write is conditional. An item's story belongs to its newest attempt: what an older execution still has to tell
changes nothing, and what has ended stays ended.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import get_args

from tasks.catalog.rows import (
    BY_STATUS,
    archive_key,
    archives_start,
    claim_key,
    fact,
    item_key,
    item_pk,
    item_record,
    keyed,
    new_item_row,
    place_key,
    status_index,
    status_pk,
    text,
)
from tasks.core.aws.attributes import Row
from tasks.core.aws.dynamodb import Table, Write
from tasks.core.clock import Clock, now, utc_now
from tasks.core.errors import NotFound
from tasks.core.models.digests import OriginalSha256
from tasks.core.models.item import UNFINISHED, Item, Status
from tasks.core.models.media import Media
from tasks.core.models.publication import Publication
from tasks.core.models.record import ItemRecord
from tasks.core.models.review import Decision, Film, Prepared

# The statuses in which a picture may still be given a film. One that failed may be up again tomorrow or never: no film waits
# for that.
UNDECIDED: tuple[Status, ...] = (*UNFINISHED, "ESCALATED")
# The statuses in which another attempt may be started: nothing has come of the item yet.
RESTARTABLE: tuple[Status, ...] = (*UNDECIDED, "FAILED")
# From which statuses an item gets into one. What isn't named comes from any restartable status; a redriven execution
# continues from FAILED. No status is left once it has ended, but PUBLISHED for TAKEN_DOWN, and DUPLICATE by a film whose
# picture lets it go (pairs.py).
MAY_FOLLOW: dict[Status, tuple[Status, ...]] = {
    "RECEIVED": ("RECEIVED",),
    "PROCESSING": ("RECEIVED", "PROCESSING", "FAILED"),
    "PENDING": ("RECEIVED", "PROCESSING", "PENDING", "FAILED"),
    "TAKEN_DOWN": ("PUBLISHED",),
}


def reaches(status: Status) -> tuple[Status, ...]:
    """The statuses that an item may have when it is marked `status`; its own is among them, so that a retry succeeds."""
    return tuple(dict.fromkeys((*MAY_FOLLOW.get(status, RESTARTABLE), status)))


class Items:
    """The items of the catalog. What takes part in somebody else's transaction is a `Write` that this class makes."""

    def __init__(self, table: Table, clock: Clock = utc_now) -> None:
        self._table = table
        self._clock = clock

    def create(self, item: Item) -> bool:
        """Write an item that nobody wrote before, with status RECEIVED; False when it is known."""
        return self._table.put(new_item_row(item, "RECEIVED", self._now()), "attribute_not_exists(#pk)")

    def get(self, id: str) -> ItemRecord:
        """All that is known of an item; raises NotFound."""
        row = self._table.get(*item_key(id))
        if row is None:
            raise NotFound(f"there is no item {id!r}")
        return item_record(row)

    def newest(self, status: Status | None = None, limit: int = 100) -> Iterator[ItemRecord]:
        """At most `limit` items of one status, or of all, in the order of their arrival, newest first.

        Found through an index that AWS keeps a moment behind; each record is a whole one, as it was then.
        """
        statuses = get_args(Status) if status is None else (status,)
        found = [self._by_status(each, limit if limit <= 100 else 0) for each in statuses]
        rows = heapq.merge(*found, key=lambda row: str(row["gsi1sk"]), reverse=True)
        return (item_record(row) for row in islice(rows, limit))

    def _by_status(self, status: str, page: int) -> Iterator[Row]:
        return self._table.query(status_pk(status), index=BY_STATUS, forward=False, page=page)

    def known(self, ids: list[str]) -> set[str]:
        """Which of these ids are items."""
        rows = self._table.get_many([item_key(id) for id in ids])
        return {str(row["id"]) for row in rows.values()}

    # --- changing ---

    def mark(
        self,
        id: str,
        status: Status,
        *,
        attempt: int,
        reason: str = "",
        media: Media | None = None,
        prepared: Prepared | None = None,
        decision: Decision | None = None,
        duplicate_of: str = "",
    ) -> bool:
        """Write what an execution learned of its item; False when its story is out of date.

        That is when `attempt` isn't the item's newest, when the item has ended otherwise, or when it is further than
        `status`. Facts that are not given stay as they are; the same mark again succeeds. Raises NotFound.
        """
        given = {"media": media and media.alone, "prepared": prepared, "decision": decision}
        facts = {name: text(value) for name, value in given.items() if value}
        more = {"duplicate_of": duplicate_of} if duplicate_of else {}
        row: Row = {"status": status, "reason": reason, "updated_at": self._now(), **status_index(status), **facts, **more}
        if self._table.write(self._change(id, row, attempt, reaches(status))):
            return True
        self.get(id)  # refused for being unknown is a mistake, for being late it is not
        return False

    def next_attempt(self, id: str, attempt: int) -> Item | None:
        """Begin an unfinished or failed item's next attempt, as RECEIVED; None when somebody else did or it has ended."""
        index = status_index("RECEIVED")
        row: Row = {"attempt": attempt + 1, "status": "RECEIVED", "reason": "", "updated_at": self._now(), **index}
        begun = self._table.write(self._change(id, row, attempt, RESTARTABLE))
        return replace(self.get(id).item, attempt=attempt + 1) if begun else None

    def published(self, item: Item, media: Media, prepared: Prepared, decision: Decision, publication: Publication) -> Write:
        """The write that makes the item PUBLISHED, while its attempt is the newest and nothing has come of it."""
        facts = {"media": media.alone, "prepared": prepared, "decision": decision, "publication": publication}
        row = {
            "status": "PUBLISHED",
            "reason": "",
            "updated_at": publication.published_at,
            **status_index("PUBLISHED"),
            **{name: text(value) for name, value in facts.items()},
        }
        return self._change(item.id, row, item.attempt, RESTARTABLE)

    def _change(self, id: str, row: Row, attempt: int, before: tuple[Status, ...]) -> Write:
        """The write that sets an item's attributes while `attempt` is its newest and its status is one of `before`."""
        statuses = _numbered(before)
        write = Write(
            keyed(item_key(id)),
            f"#attempt = :told_by AND {_is_one_of(statuses)}",
            {"told_by": attempt, **statuses, **row},
            update="SET " + ", ".join(f"#{name} = :{name}" for name in row),
        )
        return self._table.here(write)

    # --- the film of a Live Photo, which hangs in its picture's item ---

    def film(self, id: str) -> tuple[Film | None, Write]:
        """A picture's film, and the check that it has this very one still (or none still; an item that is unknown has none)."""
        held = self._film_text(id)
        if not held:
            return None, self._table.here(Write(keyed(item_key(id)), "attribute_not_exists(#film)", check=True))
        return fact(held, Film), self._table.here(Write(keyed(item_key(id)), "#film = :film", {"film": held}, check=True))

    def film_given(self, picture: str, film: Film) -> Write:
        """The write that gives a film to an undecided picture without one."""
        statuses = _numbered(UNDECIDED)
        write = Write(
            keyed(item_key(picture)),
            f"{_is_one_of(statuses)} AND attribute_not_exists(#film)",
            {"film": text(film), "now": self._now(), **statuses},
            update="SET #film = :film, #updated_at = :now",
        )
        return self._table.here(write)

    def film_taken(self, picture: str) -> tuple[Film, Write] | None:
        """A picture's film, and the write that takes this very one away from it; None when it has none."""
        held = self._film_text(picture)
        if not held:
            return None
        write = Write(keyed(item_key(picture)), "#film = :film", {"film": held}, update="REMOVE #film")
        return fact(held, Film), self._table.here(write)

    def _film_text(self, id: str) -> str:
        """As the row holds it: a check compares the very text."""
        return str((self._table.get(*item_key(id)) or {}).get("film", ""))

    def ended_in(self, picture: ItemRecord, film: Item, media: Media) -> Write:
        """The write that ends a film's own item as DUPLICATE of the picture that it goes with."""
        row: Row = {
            "status": "DUPLICATE",
            "duplicate_of": picture.id,
            "reason": f"the moving part of a Live Photo: it goes with {picture.item.filename} (item {picture.id})",
            "media": text(media.alone),
            "updated_at": self._now(),
            **status_index("DUPLICATE"),
        }
        return self._change(film.id, row, film.attempt, RESTARTABLE)

    def begun_alone(self, film: ItemRecord) -> Write:
        """The write that begins the next attempt of a film that ended in a picture."""
        fresh: Row = {"attempt": film.attempt + 1, "reason": "", "duplicate_of": "", "updated_at": self._now()}
        row: Row = {**fresh, "status": "RECEIVED", **status_index("RECEIVED")}
        return self._change(film.id, row, film.attempt, ("DUPLICATE",))

    # --- who holds which bytes ---

    def claim_holder(self, original: OriginalSha256) -> str:
        """The id of the item that holds these bytes (ClaimContent writes it), "" when none does."""
        row = self._table.get(*claim_key(original))
        return str(row["item"]) if row else ""

    def still_claims(self, original: OriginalSha256, id: str) -> Write:
        """The check that this item holds these bytes."""
        return self._table.here(Write(keyed(claim_key(original)), "#item = :item", {"item": id}, check=True))

    def release_claim(self, original: OriginalSha256, item_id: str) -> None:
        """Let the same bytes be uploaded anew; a claim of another item is left alone."""
        self._table.delete(*claim_key(original), "attribute_not_exists(#pk) OR #item = :item", item=item_id)

    # --- what is noted beside an item ---

    def note_archive(self, id: str, attempt: int, key: str) -> None:
        """Remember where the record of an execution is kept: its key in the audit bucket."""
        self._table.put(keyed(archive_key(id, attempt), archive=key))

    def archives(self, id: str) -> list[str]:
        """The audit bucket's keys of an item's archived executions, first attempt first."""
        rows = self._table.query(item_pk(id), "begins_with(#sk, :start)", start=archives_start())
        return [str(row["archive"]) for row in rows]

    def note_place(self, id: str, place: str) -> None:
        """Remember where an item was taken, `latitude,longitude`: in a row of its own that no state and no page ever sees."""
        self._table.put(keyed(place_key(id), place=place))

    def place(self, id: str) -> str:
        """Where an item was taken, as `latitude,longitude`; "" when it isn't known or not kept."""
        row = self._table.get(*place_key(id))
        return str(row["place"]) if row else ""

    def _now(self) -> str:
        return now(self._clock)


def _numbered(statuses: tuple[Status, ...]) -> Row:
    """The statuses as values of a condition."""
    return {f"before{number}": each for number, each in enumerate(statuses)}


def _is_one_of(statuses: Row) -> str:
    return f"#status IN ({', '.join(f':{name}' for name in statuses)})"
