"""Uploads that S3 has and does not let Greenroom read: kept in one list until somebody has mended or removed them."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.catalog.room import Room
from tasks.core.models.location import Location
from tasks.core.names import item_id

LIST = "unreadable"


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


class UnreadableUploads(Room):
    """The list of what cannot be read."""

    def note_unreadable(self, upload: UnreadableUpload) -> None:
        """Put a version on the list; one that is there stays as it is, so that nobody is told of it twice."""
        place = upload.location
        row = {"bucket": place.bucket, "key": place.key, "version": place.version, "etag": upload.etag, "reason": upload.reason}
        more = {"told": False, "noted_at": self._now()}
        self._table.put({"pk": LIST, "sk": upload.id, **row, **more}, "attribute_not_exists(#pk)")

    def unreadable(self) -> list[UnreadableUpload]:
        """Everything on the list."""
        return [
            UnreadableUpload(Location(row["bucket"], row["key"], row["version"]), row["etag"], row["reason"], row["told"])
            for row in self._table.query(LIST)
        ]

    def told_unreadable(self, id: str) -> None:
        """Remember that the operator knows of it."""
        self._table.update(LIST, id, "SET #told = :yes", "attribute_exists(#pk)", yes=True)

    def forget_unreadable(self, id: str) -> None:
        """Take a version from the list: it can be read now, or it is gone."""
        self._table.delete(LIST, id)
