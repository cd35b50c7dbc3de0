"""Every row of both tables: its keys, and its attributes. No other module spells a key.

Facts that travelled as JSON stay JSON in one attribute each: a new field of theirs needs no change here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from tasks.core.aws.attributes import Row
from tasks.core.json import from_json
from tasks.core.models.digests import FilmDigest, OriginalSha256, RenditionsDigest
from tasks.core.models.item import Item, Status
from tasks.core.models.location import Location
from tasks.core.models.publication import Album, Card
from tasks.core.models.record import ItemRecord
from tasks.core.versions import FACT, ROW

T = TypeVar("T")
Key = tuple[str, str]

FACTS = ("media", "prepared", "decision", "publication", "film")
BY_STATUS = "by-status"
KEYS = ("pk", "sk")


def keyed(key: Key, /, **attributes: Any) -> Row:
    """A row of this key; without attributes, the row that a write to the key names."""
    pk, sk = key
    return {"pk": pk, "sk": sk, **attributes}


def attributes(row: Row) -> Row:
    """What a row says, without its key."""
    return {name: value for name, value in row.items() if name not in KEYS}


def key_of(row: Row) -> Key:
    return row["pk"], row["sk"]


def text(value: Any) -> str:
    """A fact as the JSON that its attribute holds."""
    return msgspec.json.encode(FACT.stamped(msgspec.to_builtins(value))).decode()


def fact(value: str, shape: type[T]) -> T:
    """The fact that an attribute holds as JSON. Raises Newer."""
    return from_json(_fact(value), shape)


def _fact(value: str) -> Row:
    return FACT.read(msgspec.json.decode(value))


# ---- The catalog's table. Items, and what is noted of them.


def item_pk(id: str) -> str:
    return f"item#{id}"


def item_key(id: str) -> Key:
    return item_pk(id), "item"


def claim_key(original: OriginalSha256) -> Key:
    return f"content#{original}", "claim"


def place_key(id: str) -> Key:
    return item_pk(id), "place"


def archives_start() -> str:
    """How the sort keys of an item's archived executions begin."""
    return "execution#"


def archive_key(id: str, attempt: int) -> Key:
    return item_pk(id), f"{archives_start()}{attempt:06d}"


def new_item_row(item: Item, status: Status, at: str) -> Row:
    """An item's first row."""
    facts: Row = msgspec.to_builtins(item)
    return {
        **keyed(item_key(item.id), **facts),
        "status": status,
        "updated_at": at,
        **status_index(status),
        "gsi1sk": f"{item.received_at}#{item.id}",
    }


def status_pk(status: str) -> str:
    """The index's partition of the items of one status."""
    return f"status#{status}"


def status_index(status: Status) -> Row:
    """The attribute by which the index finds items of one status, in the order of their arrival (`gsi1sk`, which stays)."""
    return {"gsi1pk": status_pk(status)}


def item_record(row: Row) -> ItemRecord:
    """The item that a row describes."""
    facts = {name: _fact(row[name]) for name in FACTS if row.get(name)}
    return from_json({**ROW.read(row), **facts}, ItemRecord)


def pair_key(item: Item, pair: str) -> Key:
    """Of one album and one contributor: the identifier is only the uploader's word."""
    return f"live#{item.album}#{pair}", f"by#{item.contributor}"


# ---- Albums, their pages, search.


def albums_pk() -> str:
    return "albums"


def album_key(slug: str) -> Key:
    return albums_pk(), slug


def page_pk(slug: str, page: int) -> str:
    return f"album#{slug}#{page:06d}"


def card_key(slug: str, page: int, sequence: int) -> Key:
    return page_pk(slug, page), f"{sequence:09d}"


def card_row(card: Card, page: int) -> Row:
    return keyed(card_key(card.album, page, card.sequence), item=card.id, card=text(card))


def card_of(row: Row) -> Card:
    return fact(row["card"], Card)


def album_row(album: Album) -> Row:
    row = keyed(album_key(album.slug), title=album.title, count=album.count, updated_at=album.updated_at)
    return {**row, "cover": text(album.cover)} if album.cover else row


def album_of(row: Row) -> Album:
    row = ROW.read(row)
    cover = fact(row["cover"], Card) if row.get("cover") else None
    return Album(slug=row["sk"], title=row["title"], count=row["count"], updated_at=row["updated_at"], cover=cover)


def word_pk(word: str) -> str:
    return f"label#{word}"


def word_row(word: str, card: Card, page: int) -> Row:
    """Names the card's row instead of holding the card: it is stored once, so that a takedown removes it once."""
    page_key, card_sk = card_key(card.album, page, card.sequence)
    return keyed((word_pk(word), f"{card.published_at}#{card.id}"), page=page_key, card=card_sk)


def named_card(row: Row) -> Key:
    """The key of the card's row that a word's row names."""
    return str(row["page"]), str(row["card"])


def labels_pk() -> str:
    return "labels"


def label_key(label: str) -> Key:
    return labels_pk(), label


def label_count(row: Row) -> tuple[str, int]:
    return str(row["sk"]), int(row["count"])


# ---- What keeps the work in order.


def lease_key(name: str) -> Key:
    """The lease under which one thing is rendered: `summer`, `summer/3`."""
    return f"lease#album#{name}", "lease"


def bookmark_key(name: str) -> Key:
    return "bookmarks", name


def unreadable_pk() -> str:
    return "unreadable"


def unreadable_key(id: str) -> Key:
    return unreadable_pk(), id


def unreadable_row(id: str, location: Location, etag: str, reason: str, at: str) -> Row:
    where = {"bucket": location.bucket, "key": location.key, "version": location.version}
    return keyed(unreadable_key(id), **where, etag=etag, reason=reason, told=False, noted_at=at)


# ---- The reviews' table.


def review_key(id: str) -> Key:
    return item_pk(id), "review"


def new_review_row(id: str, tokens: list[str], attempt: int, renditions: RenditionsDigest, film: FilmDigest, expires: int) -> Row:
    """A review that waits for its decision. `expires` is epoch seconds."""
    asked = {"tokens": tokens, "attempt": attempt, "sha256": renditions, "film": film, "expires": expires}
    return keyed(review_key(id), **asked, status="PENDING", answered=False, mailed=[])


def reviewed_item(row: Row) -> str:
    """The id of the item that a review's row is about."""
    return str(row["pk"]).removeprefix(item_pk(""))


def decisions_start() -> str:
    """How the sort keys of an item's audited decisions begin."""
    return "decision#"


def decision_key(id: str, moment: datetime) -> Key:
    return item_pk(id), f"{decisions_start()}{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def approvers_pk() -> str:
    return "approvers"


def approver_key(address: str) -> Key:
    return approvers_pk(), address


def approvers_count_key() -> Key:
    """How many approvers there are. Not an address, so it is no approver's row."""
    return approvers_pk(), "count"


def link_key(id: str) -> Key:
    return f"link#{id}", "link"


def session_key(cookie_sha256: str) -> Key:
    return f"session#{cookie_sha256}", "session"


def device_key(cookie_sha256: str) -> Key:
    return f"device#{cookie_sha256}", "device"


def moved_key() -> Key:
    """The note that the catalog's table holds no row of this table any more."""
    return "moved", "from-catalog"


def is_review(row: Row) -> bool:
    """Whether a row, in whichever table, is a review, a decision, a link, a session or a device."""
    pk, sk = key_of(row)
    whole = (review_key(""), link_key(""), session_key(""), device_key(""))
    return any(pk.startswith(start) and sk == end for start, end in whole) or sk.startswith(decisions_start())
