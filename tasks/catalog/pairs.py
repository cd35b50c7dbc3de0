"""Live Photos: a picture that can be found by what it has in common with its film, and the film that joins it.

The picture is the item. Its film hangs in the item's own row, so that whatever happens to the one happens to both, and every
way to join or part is one transaction: a film is a picture's, or an item of its own, and never neither.
"""

from __future__ import annotations

from dataclasses import replace

from tasks.catalog.items import UNDECIDED, Items
from tasks.catalog.reviews import Reviews
from tasks.catalog.rows import pair_key
from tasks.core.aws.dynamodb import Table, Write
from tasks.core.errors import Conflict
from tasks.core.models.digests import OriginalSha256
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.review import Film

ROUNDS = 12


class Pairs:
    """Which picture a film belongs to."""

    def __init__(self, table: Table, items: Items, reviews: Reviews) -> None:
        self._table = table
        self._items = items
        self._reviews = reviews

    def offer_picture(self, item: Item, pair: str) -> bool:
        """Let a film find this picture; False when another undecided picture was there first."""
        key = pair_key(item, pair)
        for _ in range(ROUNDS):
            holder = self._picture(item, pair)
            if holder == item.id:
                return True
            if holder and self._items.get(holder).status in UNDECIDED:
                return False
            free = "#item = :holder" if holder else "attribute_not_exists(#pk)"
            if self._table.update(*key, "SET #item = :item", free, item=item.id, **({"holder": holder} if holder else {})):
                return True
        return False

    def _picture(self, item: Item, pair: str) -> str:
        """The id of the picture that can be found by this identifier, "" when there is none."""
        row = self._table.get(*pair_key(item, pair))
        return str(row["item"]) if row else ""

    def join(self, item: Item, media: Media, film: Film) -> str:
        """Give a film to its picture and end the film's own item as DUPLICATE of it: one transaction; the picture's id.

        "" when there is no such picture, or it is decided, has another film, or isn't known yet to be no duplicate itself; also
        when somebody was asked about the film already. Asked again, it answers the same.
        """
        for _ in range(ROUNDS):
            before = self._items.get(item.id)
            if before.status == "DUPLICATE":
                return before.duplicate_of if self._has(before.duplicate_of, item.id) else ""
            if before.attempt != item.attempt:
                return ""
            picture = self._picture(item, media.pair)
            writes = self._joining(item, media, film, picture) if picture else []
            if not writes:
                return ""
            if not self._table.transact(writes):
                return picture
        return ""

    def _has(self, picture: str, film: str) -> bool:
        found = self._items.get(picture).film
        return found is not None and found.item == film

    def _joining(self, item: Item, media: Media, film: Film, id: str) -> list[Write]:
        """The writes that join; none when the picture, as it stands, takes no film."""
        picture = self._items.get(id)
        original = picture.media.sha256 if picture.media else OriginalSha256("")
        asked_about_both = self._reviews.film_joined(id, film.sha256)
        if picture.status not in UNDECIDED or picture.film or not original or asked_about_both is None:
            return []
        nobody_asked = self._reviews.nobody_asked(item.id)
        if self._items.claim_holder(original) != id or nobody_asked is None:
            return []
        return [
            self._items.film_given(id, film),
            # A picture whose bytes are another's is about to end as its duplicate.
            self._items.still_claims(original, id),
            asked_about_both,
            nobody_asked,
            self._items.ended_in(picture, item, media),
        ]

    def part(self, id: str) -> Item | None:
        """Take a picture's film away and begin the film's next attempt, as an item of its own; None when it has none.

        For a picture that ends without anybody having seen it: a film is no duplicate of what was never whole.
        """
        for _ in range(ROUNDS):
            taken = self._items.film_taken(id)
            if taken is None:
                return None
            film = self._items.get(taken[0].item)
            if not self._table.transact([taken[1], self._items.begun_alone(film)]):
                return replace(film.item, attempt=film.attempt + 1)
        raise Conflict(f"too many writers at {id} and its film at once; try again")
