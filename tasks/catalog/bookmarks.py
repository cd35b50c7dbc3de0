"""Bookmarks: where a job that goes through something long has got to."""

from __future__ import annotations

from tasks.catalog.rows import bookmark_key, keyed
from tasks.core.aws.dynamodb import Table


class Bookmarks:
    """One place for each name."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, name: str) -> str:
        """Where a job has got to, "" at its beginning."""
        row = self._table.get(*bookmark_key(name))
        return str(row["place"]) if row else ""

    def put(self, name: str, place: str) -> None:
        """Remember where a job has got to."""
        self._table.put(keyed(bookmark_key(name), place=place))
