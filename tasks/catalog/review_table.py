"""The reviews' table, and the rows that an earlier version left in the catalog's: found there, and moved when they are used.

Until decision 0021 reviews, decisions, links and sessions stood in the catalog's table. A deploy moves them once all functions
are the new ones (infra/deploy/reviews.py), and notes so: from then on this table alone is read. Until then both versions of the
functions are at work, so a row is moved in one transaction that deletes the old one: it is in one table or the other.
"""

from __future__ import annotations

from typing import Any

from tasks.catalog.rows import Key, key_of, keyed, moved_key
from tasks.core.aws.attributes import Row
from tasks.core.aws.dynamodb import Table, Write
from tasks.core.aws.session import Aws
from tasks.core.errors import Conflict
from tasks.core.settings import Settings

ROUNDS = 12


class ReviewTable(Table):
    """The table, with what is still in the catalog's. `take` is for those who go on to write: it moves; `look...` only reads."""

    def __init__(self, aws: Aws, name: str, earlier: str) -> None:
        super().__init__(aws, name)
        self.earlier = Table(aws, earlier)
        self._moved = False

    @classmethod
    def open(cls, aws: Aws, settings: Settings) -> ReviewTable:
        return cls(aws, settings.reviews_table, settings.catalog_table)

    def take(self, pk: str, sk: str) -> Row | None:
        """One row, moved to this table first where it is still in the other; None when it is in neither."""
        for _ in range(ROUNDS):
            row = self.get(pk, sk)
            old = None if row or self.all_moved() else self.earlier.get(pk, sk)
            if old is None:
                # Whoever moves a row moves it here: one that was in neither may have been on its way.
                return row or self.get(pk, sk)
            self.transact(self.moving(old))
        raise Conflict("a row of an earlier version is being changed by many at once; try again")

    def adopt(self, pk: str, sk: str) -> None:
        """Move a row that may still be in the other table, for who changes it without reading it."""
        if not self.all_moved():
            self.take(pk, sk)

    def look(self, pk: str, sk: str) -> Row | None:
        """One row, wherever it is."""
        return self.look_at([(pk, sk)]).get((pk, sk))

    def look_at(self, keys: list[Key]) -> dict[Key, Row]:
        """The rows of these keys that exist, wherever they are."""
        rows = self.get_many(keys)
        missing = [key for key in keys if key not in rows]
        if missing and not self.all_moved():
            rows |= self.earlier.get_many(missing)
            rows |= self.get_many(missing)  # what was moved between the two readings
        return rows

    def look_for(self, pk: str, key: str, **values: Any) -> list[Row]:
        """A partition's rows whose sort keys fulfil `key`, in their order, wherever they are."""
        old = [] if self.all_moved() else list(self.earlier.query(pk, key, **values))
        rows = {key_of(row): row for row in (*old, *self.query(pk, key, **values))}
        return [rows[found] for found in sorted(rows)]

    def moving(self, old: Row) -> list[Write]:
        """The writes that move a row of the other table to this one, while it is as it was read and this one has none."""
        unchanged, values = _unchanged(old)
        return [
            self.here(Write(old, "attribute_not_exists(#pk)")),
            self.earlier.here(Write(keyed(key_of(old)), unchanged, values, delete=True)),
        ]

    def all_moved(self) -> bool:
        """Whether a deploy has noted that the other table holds no row of this one any more: never asked again then."""
        if not self._moved:
            self._moved = self.get(*moved_key()) is not None
        return self._moved

    def note_all_moved(self, at: str) -> None:
        """Note it; from now on rows in the other table, whoever writes them, are no reviews, links or decisions."""
        self.put(keyed(moved_key(), at=at))


def _unchanged(row: Row) -> tuple[str, Row]:
    """The condition that a row is as it was read. Lists only grow; a film is what a review may be given."""
    plain = {name: value for name, value in row.items() if isinstance(value, str | int | float | bool)}
    grown = {name: value for name, value in row.items() if isinstance(value, list)}
    tests = [f"#{name} = :{name}" for name in plain] + [f"size(#{name}) = :{name}" for name in grown]
    values = plain | {name: len(value) for name, value in grown.items()}
    return " AND ".join(tests + ([] if "film" in row else ["attribute_not_exists(#film)"])), values
