"""An announced upload: which version of which key an S3 event means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from tasks.core.aws.s3 import Head, Store
from tasks.core.errors import BadRequest, NotFound
from tasks.core.models.location import Location


@dataclass(frozen=True)
class Announced:
    """What an S3 "Object Created" event says. `version` is empty where the sender leaves it out."""

    bucket: str
    key: str
    version: str
    etag: str

    @classmethod
    def parse(cls, event: Any) -> Announced:
        """Read EventBridge's envelope; raises BadRequest for anything else."""
        try:
            detail = event["detail"]
            found = detail["object"]
            return cls(detail["bucket"]["name"], found["key"], found.get("version-id") or "", found.get("etag", "").strip('"'))
        except (KeyError, TypeError, AttributeError) as fault:
            raise BadRequest("this is no S3 event as EventBridge delivers it (detail.bucket.name, detail.object.key)") from fault


def pin(store: Store, announced: Announced) -> Head | None:
    """Look once at the version that an event means; None when it is gone. Raises Unreadable.

    EventBridge delivers keys as they are; some senders encode them as S3's own notifications do, so that reading is second.
    """
    for key in dict.fromkeys((announced.key, unquote_plus(announced.key))):
        location = Location(announced.bucket, key, announced.version)
        try:
            head = store.head(location)
        except NotFound:
            head = None
        if head and (announced.version or announced.etag in ("", head.etag)):
            return head
        if not announced.version and (older := version_with(store, location, announced.etag)):
            return store.head(older)
    return None


def version_with(store: Store, location: Location, etag: str) -> Location | None:
    """The newest version of a key that has these bytes: the key was overwritten or deleted after the event."""
    found = store.versions(location.bucket, location.key)
    return next((row.location for row in found if row.location.key == location.key and row.etag == etag), None)
