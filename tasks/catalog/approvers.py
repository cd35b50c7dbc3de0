"""Who may decide: a row for each approver, and a count that keeps the last one in.

Links, sessions and remembered devices belong to a membership, not to an address. A removal or a revocation ends the membership
and all that belongs to it for good: an address that is added again has another one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tasks.catalog.rows import approver_key, approvers_count_key, approvers_pk, key_of, keyed
from tasks.core.aws.attributes import Row
from tasks.core.aws.dynamodb import Table, Write
from tasks.core.aws.session import Aws
from tasks.core.clock import Clock, iso, utc_now
from tasks.core.errors import BadRequest, Conflict
from tasks.core.settings import Settings

COUNT = keyed(approvers_count_key())
# DynamoDB writes at most 100 rows at once, and one of them is the count.
MOST_AT_ONCE = 99
# Rounds of writing again when two writers meet at one row.
ROUNDS = 12
FAILED = "ConditionalCheckFailed"
EXISTS, ABSENT = "attribute_exists(#pk)", "attribute_not_exists(#pk)"

Removal = Literal["removed", "unknown", "last"]


@dataclass(frozen=True)
class Approver:
    """Somebody who decides. `membership` is what their links, sessions and devices are bound to; it is no secret."""

    address: str
    membership: str
    added_at: str


class Approvers:
    """The list of approvers. Addresses are in their normal form (tasks.core.addresses)."""

    def __init__(self, table: Table, clock: Clock = utc_now) -> None:
        self._table = table
        self._clock = clock

    @classmethod
    def open(cls, aws: Aws, settings: Settings) -> Approvers:
        return cls(Table(aws, settings.reviews_table))

    def all(self) -> tuple[Approver, ...]:
        """Every approver, the one that was added first at the front."""
        rows = [row for row in self._table.query(approvers_pk()) if key_of(row) != approvers_count_key()]
        rows.sort(key=lambda row: (row["added_at"], row["place"], row["sk"]))
        return tuple(map(_approver, rows))

    def find(self, address: str) -> Approver | None:
        row = self._table.get(*approver_key(address))
        return _approver(row) if row else None

    def begin(self, addresses: Iterable[str]) -> bool:
        """Begin the list with these; False, and nothing changes, where it has begun. Raises BadRequest for more than 99."""
        wanted = list(dict.fromkeys(addresses))
        if len(wanted) > MOST_AT_ONCE:
            raise BadRequest(f"the list begins with at most {MOST_AT_ONCE} approvers, not {len(wanted)}; add the others later")
        # An address stands for its first membership: it is what links, devices and mails named before there was a list.
        rows = [self._row(address, address, place) for place, address in enumerate(wanted)]
        return bool(rows) and FAILED not in self._transact(
            [Write({**COUNT, "count": len(rows)}, ABSENT), *(Write(row, ABSENT) for row in rows)]
        )

    def add(self, address: str) -> bool:
        """Let this address decide from now on; False when it does already."""
        row = self._row(address, _membership(address))
        counted = Write(COUNT, values={"one": 1, "none": 0}, update="SET #count = if_not_exists(#count, :none) + :one")
        return FAILED not in self._transact([Write(row, ABSENT), counted])

    def remove(self, address: str) -> Removal:
        """Let this address decide no more, from this moment on. The last one stays: somebody must be asked."""
        counted = Write(COUNT, "#count > :one", {"one": 1}, update="SET #count = #count - :one")
        codes = self._transact([Write(keyed(approver_key(address)), EXISTS, delete=True), counted])
        if codes and codes[0] == FAILED:
            return "unknown"
        return "last" if codes else "removed"

    def revoke(self, address: str) -> bool:
        """End this approver's links, sessions and remembered devices, and keep them in the list; False when they aren't."""
        values = {"membership": _membership(address)}
        change = Write(keyed(approver_key(address)), EXISTS, values, update="SET #membership = :membership")
        return FAILED not in self._transact([change])

    def _row(self, address: str, membership: str, place: int = 0) -> Row:
        return keyed(approver_key(address), membership=membership, added_at=iso(self._clock()), place=place)

    def _transact(self, writes: list[Write]) -> list[str]:
        """[] when done, else a code for each write with one that failed; collisions are tried again."""
        for _ in range(ROUNDS):
            codes = self._table.transact(writes)
            if not codes or FAILED in codes:
                return codes
        raise Conflict("too many writers at the list of approvers at once; try again")


def still_approves(address: str, membership: str) -> Write:
    """The check, for somebody else's transaction, that this membership has not ended."""
    return Write(keyed(approver_key(address)), "#membership = :membership", {"membership": membership}, check=True)


def _membership(address: str) -> str:
    return f"{address}#{secrets.token_hex(8)}"


def _approver(row: Row) -> Approver:
    return Approver(row["sk"], row["membership"], row["added_at"])
