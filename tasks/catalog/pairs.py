"""Live Photos: a picture that can be found by what it has in common with its film, and the film that joins it.

The picture is the item. Its film hangs in the item's own row, so that whatever happens to the one happens to both, and every
way to join or part is one transaction: a film is a picture's, or an item of its own, and never neither.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tasks.catalog.items import RESTARTABLE, Items, item_change
from tasks.catalog.reviews import film_change, is_open
from tasks.catalog.rows import claim_key, item_key, item_record, status_index, text
from tasks.core.aws.attributes import Row
from tasks.core.aws.dynamodb import Write
from tasks.core.clock import epoch
from tasks.core.errors import Conflict
from tasks.core.models.item import UNFINISHED, Item, Status
from tasks.core.models.media import Media
from tasks.core.models.record import ItemRecord
from tasks.core.models.review import Film

# A picture in one of these may still be given a film. One that failed may be up again tomorrow or never: no film waits for that.
UNDECIDED: tuple[Status, ...] = (*UNFINISHED, "ESCALATED")
ROUNDS = 12


def pair_key(item: Item, pair: str) -> tuple[str, str]:
    """Of one album and one contributor: the identifier is only the uploader's word."""
    return f"live#{item.album}#{pair}", f"by#{item.contributor}"


class Pairs(Items):
    """Which picture a film belongs to."""

    def offer_picture(self, item: Item, pair: str) -> bool:
        """Let a film find this picture; False when another undecided picture was there first."""
        key = pair_key(item, pair)
        for _ in range(ROUNDS):
            row = self._table.get(*key)
            holder = str(row["item"]) if row else ""
            if holder == item.id:
                return True
            if holder and self.item(holder).status in UNDECIDED:
                return False
            free = "#item = :holder" if holder else "attribute_not_exists(#pk)"
            if self._table.update(*key, "SET #item = :item", free, item=item.id, **({"holder": holder} if holder else {})):
                return True
        return False

    def join(self, item: Item, media: Media, film: Film) -> str:
        """Give a film to its picture and end the film's own item as DUPLICATE of it: one transaction; the picture's id.

        "" when there is no such picture, or it is decided, has another film, or isn't known yet to be no duplicate itself; also
        when somebody was asked about the film already. Asked again, it answers the same.
        """
        for _ in range(ROUNDS):
            before = self.item(item.id)
            if before.status == "DUPLICATE":
                return before.duplicate_of if self._has(before.duplicate_of, item.id) else ""
            if before.attempt != item.attempt:
                return ""
            row = self._table.get(*pair_key(item, media.pair))
            writes = self._joining(item, media, film, str(row["item"])) if row else []
            if not writes:
                return ""
            if not self._table.transact(writes):
                return str(row["item"]) if row else ""
        return ""

    def _has(self, picture: str, film: str) -> bool:
        found = self.item(picture).film
        return found is not None and found.item == film

    def _joining(self, item: Item, media: Media, film: Film, id: str) -> list[Write]:
        """The writes that join; none when the picture, as it stands, takes no film."""
        picture = self.item(id)
        sha256 = picture.media.sha256 if picture.media else ""
        asked = self._table.get(item_key(id)[0], "review")
        too_late = asked is not None and not is_open(asked, epoch(self._clock))
        if picture.status not in UNDECIDED or picture.film or not sha256 or too_late or self.claim_holder(sha256) != id:
            return []
        own_review = {"pk": item_key(item.id)[0], "sk": "review"}
        if self._table.get(own_review["pk"], own_review["sk"]):
            return []
        return [
            self._given(picture, film),
            # A picture whose bytes are another's is about to end as its duplicate.
            Write(_key(claim_key(sha256)), "#item = :item", {"item": id}, check=True),
            film_change(id, asked, film.sha256),
            Write(own_review, "attribute_not_exists(#pk)", check=True),
            self._ended(item, media, picture),
        ]

    def _given(self, picture: ItemRecord, film: Film) -> Write:
        statuses: Row = {f"before{number}": each for number, each in enumerate(UNDECIDED)}
        return Write(
            _key(item_key(picture.id)),
            f"#status IN ({', '.join(f':{name}' for name in statuses)}) AND attribute_not_exists(#film)",
            {"film": text(film), "now": self._now(), **statuses},
            update="SET #film = :film, #updated_at = :now",
        )

    def _ended(self, item: Item, media: Media, picture: ItemRecord) -> Write:
        row: Row = {
            "status": "DUPLICATE",
            "duplicate_of": picture.id,
            "reason": f"the moving part of a Live Photo: it goes with {picture.item.filename} (item {picture.id})",
            "media": text(media.alone),
            "updated_at": self._now(),
            **status_index("DUPLICATE"),
        }
        return item_change(item.id, row, item.attempt, RESTARTABLE)

    def part(self, id: str) -> Item | None:
        """Take a picture's film away and begin the film's next attempt, as an item of its own; None when it has none.

        For a picture that ends without anybody having seen it: a film is no duplicate of what was never whole.
        """
        for _ in range(ROUNDS):
            row: Any = self._table.get(*item_key(id)) or {}
            picture = item_record(row) if row.get("film") else None
            if picture is None or picture.film is None:
                return None
            film = self.item(picture.film.item)
            taken = Write(_key(item_key(id)), "#film = :film", {"film": row["film"]}, update="REMOVE #film")
            if not self._table.transact([taken, self._begun(film)]):
                return replace(film.item, attempt=film.attempt + 1)
        raise Conflict(f"too many writers at {id} and its film at once; try again")

    def _begun(self, film: ItemRecord) -> Write:
        fresh: Row = {"attempt": film.attempt + 1, "reason": "", "duplicate_of": "", "updated_at": self._now()}
        row: Row = {**fresh, "status": "RECEIVED", **status_index("RECEIVED")}
        return item_change(film.id, row, film.attempt, ("DUPLICATE",))


def _key(key: tuple[str, str]) -> Row:
    return {"pk": key[0], "sk": key[1]}
