"""The reviews' table, and the rows that an earlier version left in the catalog's: read and written where they are.

Until decision 0021 reviews, decisions, links and sessions stood in the catalog's table. A deploy moves them once all functions
are the new ones (infra/deploy/reviews.py), and notes so: from then on this table alone is read. Until then both versions of the
functions are at work, so that a row stays where both find it. Rows move in one direction, and each in one transaction.
"""

from __future__ import annotations

from typing import Any

from tasks.catalog.rows import Key, key_of, keyed, moved_key
from tasks.core.aws.attributes import Row
from tasks.core.aws.dynamodb import Table, Write
from tasks.core.aws.session import Aws
from tasks.core.settings import Settings


class Placed(dict[str, Any]):
    """A row, and the table that it is in: what changes it has to go there."""

    def __init__(self, row: Row, home: Table) -> None:
        super().__init__(row)
        self.home = home


class ReviewTable(Table):
    """The table, with what is still in the catalog's. What is written without having been found is written here."""

    def __init__(self, aws: Aws, name: str, earlier: str) -> None:
        super().__init__(aws, name)
        self.earlier = Table(aws, earlier)
        self._moved = False

    @classmethod
    def open(cls, aws: Aws, settings: Settings) -> ReviewTable:
        return cls(aws, settings.reviews_table, settings.catalog_table)

    def find(self, pk: str, sk: str) -> Placed | None:
        """One row, wherever it is; None when it is nowhere."""
        # A row may be moved while we look: from the other table to this one, so this one is asked first and last.
        for table in (self,) if self.all_moved() else (self, self.earlier, self):
            if row := table.get(pk, sk):
                return Placed(row, table)
        return None

    def home(self, pk: str, sk: str) -> Table:
        """The table of a row that is about to be changed without having been read."""
        found = None if self.all_moved() else self.find(pk, sk)
        return found.home if found else self

    def look_at(self, keys: list[Key]) -> dict[Key, Row]:
        """The rows of these keys that exist, wherever they are."""
        moved = self.all_moved()
        rows = self.get_many(keys)
        missing = [key for key in keys if key not in rows]
        if missing and not moved:
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
