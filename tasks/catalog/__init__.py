"""What Greenroom knows: items, albums, pages, search, and the reviews of what waits for a person.

One DynamoDB table; docs/reference/catalog.md lists its rows. `Catalog.open(aws, settings)` and `Reviews.open(aws, settings)`
are the two doors.
"""

from __future__ import annotations

from functools import cached_property

from tasks.catalog.approvers import Approvers
from tasks.catalog.pairs import Pairs
from tasks.catalog.publishing import Publishing
from tasks.catalog.rebuilds import Rebuilds
from tasks.catalog.reviews import Reviews
from tasks.catalog.search import Search
from tasks.catalog.unreadable import UnreadableUpload, UnreadableUploads

__all__ = ["Catalog", "Reviews", "UnreadableUpload"]


class Catalog(Pairs, Publishing, Search, Rebuilds, UnreadableUploads):
    """Items, Live Photos, albums, search, rebuild leases and the uploads that cannot be read; and who may decide."""

    @cached_property
    def approvers(self) -> Approvers:
        return Approvers(self._table, self._clock)
