"""What Greenroom knows: items, albums, pages, search, and the reviews of what waits for a person.

Two DynamoDB tables; docs/reference/catalog.md lists their rows. A task asks for `Catalog`, and by name for `Reviews` and `Links`,
which only few roles may use.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.catalog.albums import Albums
from tasks.catalog.approvers import Approvers
from tasks.catalog.bookmarks import Bookmarks
from tasks.catalog.items import Items
from tasks.catalog.pairs import Pairs
from tasks.catalog.rebuilds import Rebuilds
from tasks.catalog.reviews import Reviews
from tasks.catalog.search import Search
from tasks.catalog.unreadable import UnreadableUpload, UnreadableUploads
from tasks.core.aws.dynamodb import Table
from tasks.core.aws.session import Aws
from tasks.core.clock import Clock, utc_now
from tasks.core.settings import Settings

__all__ = ["Catalog", "Reviews", "UnreadableUpload"]


@dataclass(frozen=True)
class Catalog:
    """The parts of the catalog, each over its own rows. All stand in the catalog's table but `approvers`."""

    items: Items
    albums: Albums
    search: Search
    pairs: Pairs  # joins a film to its picture and to what is asked about it: one transaction over both tables
    rebuilds: Rebuilds
    unreadable: UnreadableUploads
    bookmarks: Bookmarks
    approvers: Approvers

    @classmethod
    def open(cls, aws: Aws, settings: Settings) -> Catalog:
        table, reviews = Table(aws, settings.catalog_table), Reviews.open(aws, settings)
        return cls.of(table, reviews, Approvers.open(aws, settings), settings.page_size)

    @classmethod
    def of(cls, table: Table, reviews: Reviews, approvers: Approvers, page_size: int = 60, clock: Clock = utc_now) -> Catalog:
        """The parts over these tables."""
        items = Items(table, clock)
        albums = Albums(table, items, page_size, clock)
        return cls(
            items=items,
            albums=albums,
            search=Search(table, albums.cards),
            pairs=Pairs(table, items, reviews),
            rebuilds=Rebuilds(table, clock),
            unreadable=UnreadableUploads(table, clock),
            bookmarks=Bookmarks(table),
            approvers=approvers,
        )
