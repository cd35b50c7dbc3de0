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

from tasks.catalog.room import Room
from tasks.catalog.rows import BY_STATUS, claim_key, item_key, item_record, new_item_row, status_index, text
from tasks.core.aws.attributes import Row
from tasks.core.aws.dynamodb import Write
from tasks.core.errors import NotFound
from tasks.core.models.item import UNFINISHED, Item, Status
from tasks.core.models.media import Media
from tasks.core.models.record import ItemRecord
from tasks.core.models.review import Decision, Prepared

# The statuses in which another attempt may be started: nothing has come of the item yet.
RESTARTABLE: tuple[Status, ...] = (*UNFINISHED, "ESCALATED", "FAILED")
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


def item_change(id: str, row: Row, attempt: int, before: tuple[Status, ...]) -> Write:
    """The write that sets an item's attributes while `attempt` is its newest and its status is one of `before`."""
    pk, sk = item_key(id)
    statuses: Row = {f"before{number}": each for number, each in enumerate(before)}
    return Write(
        {"pk": pk, "sk": sk},
        f"#attempt = :told_by AND #status IN ({', '.join(f':{name}' for name in statuses)})",
        {"told_by": attempt, **statuses, **row},
        update="SET " + ", ".join(f"#{name} = :{name}" for name in row),
    )


class Items(Room):
    """The items of the catalog."""

    def create(self, item: Item) -> bool:
        """Write an item that nobody wrote before, with status RECEIVED; False when it is known."""
        return self._table.put(new_item_row(item, "RECEIVED", self._now()), "attribute_not_exists(#pk)")

    def item(self, id: str) -> ItemRecord:
        """All that is known of an item; raises NotFound."""
        row = self._table.get(*item_key(id))
        if row is None:
            raise NotFound(f"there is no item {id!r}")
        return item_record(row)

    def items(self, status: Status | None = None, limit: int = 100) -> Iterator[ItemRecord]:
        """At most `limit` items of one status, or of all, in the order of their arrival, newest first.

        Found through an index that AWS keeps a moment behind; each record is a whole one, as it was then.
        """
        statuses = get_args(Status) if status is None else (status,)
        found = [self._by_status(each, limit if limit <= 100 else 0) for each in statuses]
        rows = heapq.merge(*found, key=lambda row: str(row["gsi1sk"]), reverse=True)
        return (item_record(row) for row in islice(rows, limit))

    def _by_status(self, status: str, page: int) -> Iterator[Row]:
        return self._table.query(f"status#{status}", index=BY_STATUS, forward=False, page=page)

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
        if self._table.write(item_change(id, row, attempt, reaches(status))):
            return True
        self.item(id)  # refused for being unknown is a mistake, for being late it is not
        return False

    def next_attempt(self, id: str, attempt: int) -> Item | None:
        """Begin an unfinished or failed item's next attempt, as RECEIVED; None when somebody else did or it has ended."""
        index = status_index("RECEIVED")
        row: Row = {"attempt": attempt + 1, "status": "RECEIVED", "reason": "", "updated_at": self._now(), **index}
        begun = self._table.write(item_change(id, row, attempt, RESTARTABLE))
        return replace(self.item(id).item, attempt=attempt + 1) if begun else None

    def claim_holder(self, sha256: str) -> str:
        """The id of the item that holds these bytes (ClaimContent writes it), "" when none does."""
        row = self._table.get(*claim_key(sha256))
        return str(row["item"]) if row else ""

    def release_claim(self, sha256: str, item_id: str) -> None:
        """Let the same bytes be uploaded anew; a claim of another item is left alone."""
        self._table.delete(*claim_key(sha256), "attribute_not_exists(#pk) OR #item = :item", item=item_id)

    def known(self, ids: list[str]) -> set[str]:
        """Which of these ids are items."""
        rows = self._table.get_many([item_key(id) for id in ids])
        return {str(row["id"]) for row in rows.values()}

    def note_archive(self, id: str, attempt: int, key: str) -> None:
        """Remember where the record of an execution is kept: its key in the audit bucket."""
        self._table.put({"pk": item_key(id)[0], "sk": f"execution#{attempt:06d}", "archive": key})

    def note_place(self, id: str, place: str) -> None:
        """Remember where an item was taken, `latitude,longitude`: in a row of its own that no state and no page ever sees."""
        self._table.put({"pk": item_key(id)[0], "sk": "place", "place": place})

    def place(self, id: str) -> str:
        """Where an item was taken, as `latitude,longitude`; "" when it isn't known or not kept."""
        row = self._table.get(item_key(id)[0], "place")
        return str(row["place"]) if row else ""

    def archives(self, id: str) -> list[str]:
        """The audit bucket's keys of an item's archived executions, first attempt first."""
        rows = self._table.query(item_key(id)[0], "begins_with(#sk, :start)", start="execution#")
        return [str(row["archive"]) for row in rows]

    def bookmark(self, name: str) -> str:
        """Where a job that goes through something long has got to, "" at its beginning."""
        row = self._table.get("bookmarks", name)
        return str(row["place"]) if row else ""

    def set_bookmark(self, name: str, place: str) -> None:
        """Remember where a job has got to."""
        self._table.put({"pk": "bookmarks", "sk": name, "place": place})
