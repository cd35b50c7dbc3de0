"""What every part of the catalog stands on: the table, the page size and the time."""

from __future__ import annotations

from typing import TypeVar

from tasks.core.aws.dynamodb import Table
from tasks.core.aws.session import Aws
from tasks.core.clock import Clock, now, utc_now
from tasks.core.settings import Settings

R = TypeVar("R", bound="Room")


class Room:
    """One part of the catalog, over the shared table."""

    def __init__(self, table: Table, page_size: int = 60, clock: Clock = utc_now) -> None:
        self._table = table
        self._page_size = page_size
        self._clock = clock

    @classmethod
    def open(cls: type[R], aws: Aws, settings: Settings) -> R:
        return cls(Table(aws, settings.catalog_table), settings.page_size)

    def _now(self) -> str:
        return now(self._clock)
