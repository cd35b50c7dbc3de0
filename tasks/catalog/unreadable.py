"""Uploads that S3 has and does not let Greenroom read: kept in one list until somebody has mended or removed them."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.catalog.rows import unreadable_key, unreadable_pk, unreadable_row
from tasks.core.aws.dynamodb import Table
from tasks.core.clock import Clock, now, utc_now
from tasks.core.models.location import Location
from tasks.core.names import item_id


@dataclass(frozen=True)
class UnreadableUpload:
    """One version, why it cannot be read, and whether the operator was told. `etag` stands in for a missing version."""

    location: Location
    etag: str
    reason: str
    told: bool = False

    @property
    def id(self) -> str:
        """The id that its item would have."""
        return item_id(self.location.bucket, self.location.key, self.location.version or self.etag)


class UnreadableUploads:
    """The list of what cannot be read."""

    def __init__(self, table: Table, clock: Clock = utc_now) -> None:
        self._table = table
        self._clock = clock

    def note(self, upload: UnreadableUpload) -> None:
        """Put a version on the list; one that is there stays as it is, so that nobody is told of it twice."""
        row = unreadable_row(upload.id, upload.location, upload.etag, upload.reason, now(self._clock))
        self._table.put(row, "attribute_not_exists(#pk)")

    def all(self) -> list[UnreadableUpload]:
        """Everything on the list."""
        return [
            UnreadableUpload(Location(row["bucket"], row["key"], row["version"]), row["etag"], row["reason"], row["told"])
            for row in self._table.query(unreadable_pk())
        ]

    def told(self, id: str) -> None:
        """Remember that the operator knows of it."""
        self._table.update(*unreadable_key(id), "SET #told = :yes", "attribute_exists(#pk)", yes=True)

    def forget(self, id: str) -> None:
        """Take a version from the list: it can be read now, or it is gone."""
        self._table.delete(*unreadable_key(id))
