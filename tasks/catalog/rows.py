"""How items, cards and albums stand in the table: keys, and the facts as JSON in one attribute each."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from tasks.core.aws.attributes import Row
from tasks.core.json import from_json
from tasks.core.models.item import Item, Status
from tasks.core.models.publication import Album, Card
from tasks.core.models.record import ItemRecord
from tasks.core.versions import FACT, ROW

T = TypeVar("T")

# Facts that travelled as JSON stay JSON: a new field of theirs needs no change here.
FACTS = ("media", "prepared", "decision", "publication", "film")
BY_STATUS = "by-status"


def item_key(id: str) -> tuple[str, str]:
    return f"item#{id}", "item"


def claim_key(sha256: str) -> tuple[str, str]:
    return f"content#{sha256}", "claim"


def album_key(slug: str) -> tuple[str, str]:
    return "albums", slug


def page_pk(slug: str, page: int) -> str:
    return f"album#{slug}#{page:06d}"


def card_key(slug: str, page: int, sequence: int) -> tuple[str, str]:
    return page_pk(slug, page), f"{sequence:09d}"


def text(value: Any) -> str:
    """A fact as the JSON that its attribute holds."""
    return msgspec.json.encode(FACT.stamped(msgspec.to_builtins(value))).decode()


def fact(value: str, shape: type[T]) -> T:
    """The fact that an attribute holds as JSON. Raises Newer."""
    return from_json(_fact(value), shape)


def _fact(value: str) -> Row:
    return FACT.read(msgspec.json.decode(value))


def new_item_row(item: Item, status: Status, at: str) -> Row:
    """An item's first row."""
    pk, sk = item_key(item.id)
    facts: Row = msgspec.to_builtins(item)
    return {
        **facts,
        "pk": pk,
        "sk": sk,
        "status": status,
        "updated_at": at,
        **status_index(status),
        "gsi1sk": f"{item.received_at}#{item.id}",
    }


def status_index(status: Status) -> Row:
    """The attribute by which the index finds items of one status, in the order of their arrival (`gsi1sk`, which stays)."""
    return {"gsi1pk": f"status#{status}"}


def item_record(row: Row) -> ItemRecord:
    """The item that a row describes."""
    facts = {name: _fact(row[name]) for name in FACTS if row.get(name)}
    return from_json({**ROW.read(row), **facts}, ItemRecord)


def card_row(card: Card, page: int) -> Row:
    pk, sk = card_key(card.album, page, card.sequence)
    return {"pk": pk, "sk": sk, "item": card.id, "card": text(card)}


def card_of(row: Row) -> Card:
    return fact(row["card"], Card)


def album_row(album: Album) -> Row:
    pk, sk = album_key(album.slug)
    row: Row = {"pk": pk, "sk": sk, "title": album.title, "count": album.count, "updated_at": album.updated_at}
    return {**row, "cover": text(album.cover)} if album.cover else row


def album_of(row: Row) -> Album:
    row = ROW.read(row)
    cover = fact(row["cover"], Card) if row.get("cover") else None
    return Album(slug=row["sk"], title=row["title"], count=row["count"], updated_at=row["updated_at"], cover=cover)
