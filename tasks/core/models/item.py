"""An uploaded version, as every state sees it, and the statuses it may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.core.models.location import Location
from tasks.core.names import execution_name

Status = Literal[
    "RECEIVED",
    "PROCESSING",
    "PENDING",
    "PUBLISHED",
    "REJECTED",
    "EXPIRED",
    "QUARANTINED",
    "DUPLICATE",
    "ESCALATED",  # not built yet: for items whose approvers no mail reaches
    "FAILED",
    "TAKEN_DOWN",  # not built yet: for what was published and is no more
]
# An item in one of these has an execution that is, or should be, running.
UNFINISHED: tuple[Status, ...] = ("RECEIVED", "PROCESSING", "PENDING")


@dataclass(frozen=True)
class Item:
    """One uploaded version, as every state sees it (`$.item`)."""

    id: str  # derived from bucket, key and version: the same upload is always the same item
    attempt: int
    bucket: str
    key: str
    version: str
    etag: str
    bytes: int
    album: str  # slug
    album_title: str  # as the contributor wrote it
    contributor: str  # "" when nobody said
    received_at: str

    @property
    def original(self) -> Location:
        """The pinned version that was uploaded."""
        return Location(self.bucket, self.key, self.version)

    @property
    def execution(self) -> str:
        """The name of its attempt's execution."""
        return execution_name(self.id, self.attempt)

    @property
    def filename(self) -> str:
        """The last part of the key: a name to show, never a path to open."""
        return self.key.rsplit("/", 1)[-1] or self.key
