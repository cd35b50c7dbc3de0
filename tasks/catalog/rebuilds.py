"""Who renders an album now: one rebuilder holds its lease, the others leave word and go."""

from __future__ import annotations

from tasks.catalog.rows import lease_key
from tasks.core.aws.dynamodb import Table
from tasks.core.clock import Clock, epoch, utc_now

# Longer than RebuildIndexes may run: a lease that is older has lost its holder.
LEASE_SECONDS = 150


class Rebuilds:
    """The leases under which albums are rendered."""

    def __init__(self, table: Table, clock: Clock = utc_now) -> None:
        self._table = table
        self._clock = clock

    def acquire(self, slug: str, owner: str) -> bool:
        """Take an album's lease; False when another holds it, who is then told to look again before letting go.

        The holder itself may take it again: a retry goes on where it was.
        """
        while True:
            if self._take(slug, owner):
                return True
            if self._leave_word(slug):
                return False

    def finish(self, slug: str, owner: str) -> bool:
        """Let an album's lease go. True: somebody left word meanwhile; the lease is kept, render again and finish again."""
        key, mine = lease_key(slug), "#owner = :owner"
        while True:
            if self._table.delete(*key, f"{mine} AND #dirty = :no", owner=owner, no=False):
                return False
            renewed = "SET #dirty = :no, #until = :until"
            again = f"{mine} AND #dirty = :yes"
            if self._table.update(*key, renewed, again, owner=owner, no=False, yes=True, until=self._until()):
                return True
            row = self._table.get(*key)
            if row is None or row["owner"] != owner:
                return False

    def _take(self, slug: str, owner: str) -> bool:
        change = "SET #owner = :owner, #until = :until, #dirty = :no"
        free = "attribute_not_exists(#pk) OR #until < :now OR #owner = :owner"
        now, until = epoch(self._clock), self._until()
        return self._table.update(*lease_key(slug), change, free, owner=owner, until=until, no=False, now=now)

    def _leave_word(self, slug: str) -> bool:
        held = "attribute_exists(#pk) AND #until >= :now"
        return self._table.update(*lease_key(slug), "SET #dirty = :yes", held, yes=True, now=epoch(self._clock))

    def _until(self) -> int:
        return epoch(self._clock) + LEASE_SECONDS
