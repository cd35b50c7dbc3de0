"""ReceiveUpload: an object arrived in the inbox; pin its version, make its item, start its execution.

S3 announces objects at least once and in any order. The item's id derives from the pinned version, its row is written
conditionally and its execution has a name, so whatever is repeated, late or interrupted ends in one item and one execution.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote, unquote_plus

from tasks.catalog import Catalog, UnreadableUpload
from tasks.core.aws.s3 import Head, Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.byproducts import by_product
from tasks.core.errors import BadRequest, NotFound, Unreadable
from tasks.core.json import to_json
from tasks.core.logs import log
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.core.names import item_id, slug
from tasks.core.queues import Message, queue_handler

UNSORTED = "Unsorted"
LONGEST_TITLE = 120
LONGEST_NAME = 80

Received = Literal["upload", "gone", "folder", "by-product", "sidecar", "unreadable"]


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


def receive_upload(messages: list[Message], *, store: Store, catalog: Catalog, machine: Machine) -> list[str]:
    """Admit each announced upload; returns the ids of the messages to deliver again."""
    again: list[str] = []
    received: Counter[Received] = Counter()
    for message in messages:
        try:
            received[receive_one(Announced.parse(message.body), store, catalog, machine)] += 1
        except Exception:  # the others in the batch must not wait for this one; the queue brings it back, and at last to its DLQ
            log.exception("upload not received", extra={"message_id": message.id})
            again.append(message.id)
    log.info("received", extra={"received": dict(received)})
    return again


def receive_one(announced: Announced, store: Store, catalog: Catalog, machine: Machine) -> Received:
    """Admit one announced upload, or say what it is instead. What S3 will not show is no upload until somebody has acted."""
    try:
        head = pin(store, announced)
    except Unreadable as fault:
        location = fault.location if announced.version else _version_with(store, fault.location, announced.etag)
        return note_unreadable(UnreadableUpload(location or fault.location, announced.etag, fault.reason), catalog)
    if head is None:
        log.info("upload is gone", extra={"key": announced.key})
        return "gone"
    kind = kind_of(head)
    if kind == "upload":
        admit(head, catalog, machine)
    return kind


def note_unreadable(upload: UnreadableUpload, catalog: Catalog) -> Received:
    """Put it on the catalog's list, of which the sweeper tells the operator; a by-product is not missed."""
    if row := by_product(upload.location.key):
        return row.kind
    log.warning("upload cannot be read", extra={"key": upload.location.key, "reason": upload.reason})
    catalog.unreadable.note(upload)
    return "unreadable"


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
        if not announced.version and (older := _version_with(store, location, announced.etag)):
            return store.head(older)
    return None


def _version_with(store: Store, location: Location, etag: str) -> Location | None:
    """The newest version of a key that has these bytes: the key was overwritten or deleted after the event."""
    found = store.versions(location.bucket, location.key)
    return next((row.location for row in found if row.location.key == location.key and row.etag == etag), None)


def kind_of(head: Head) -> Received:
    """What an object is, by its key and size: an upload, or what lies beside uploads and becomes no item.

    Only the empty objects by which consoles show folders are left out for being empty; any other empty file gets a verdict.
    """
    if head.bytes == 0 and head.location.key.endswith("/"):
        return "folder"
    row = by_product(head.location.key)
    return row.kind if row else "upload"


def admit(head: Head, catalog: Catalog, machine: Machine) -> bool:
    """Make the item and start its execution; False when both were there.

    Whoever crashed between the two left an item RECEIVED: the next delivery, or the sweeper, starts it.
    """
    item = item_of(head)
    if not catalog.items.create(item):
        known = catalog.items.get(item.id)
        if known.status != "RECEIVED":
            return False
        item = known.item
    started = machine.start(f"{item.id}-{item.attempt}", {"item": to_json(item)})
    log.info("upload received", extra={"item": item.id, "attempt": item.attempt, "started": started})
    return started


def item_of(head: Head) -> Item:
    """The item that one version is."""
    location = head.location
    # Only a bucket without versions has none; its ETag then tells two uploads of a key apart.
    version = location.version or head.etag
    title = album_title(head)
    return Item(
        id=item_id(location.bucket, location.key, version),
        attempt=1,
        bucket=location.bucket,
        key=location.key,
        version=location.version,
        etag=head.etag,
        bytes=head.bytes,
        album=slug(title),
        album_title=shorten(title, LONGEST_TITLE),
        contributor=shorten(clean(unquote(head.metadata.get("contributor", ""))), LONGEST_NAME),
        received_at=head.last_modified,
    )


def album_title(head: Head) -> str:
    """The album that the contributor chose, else the key's folders, else Unsorted."""
    chosen = clean(unquote(head.metadata.get("album", "")))
    folders = [clean(part) for part in head.location.key.split("/")[:-1]]
    return chosen or " / ".join(part for part in folders if part and part not in (".", "..")) or UNSORTED


def clean(text: str) -> str:
    """One line of text: no control or invisible direction characters, single spaces."""
    seen = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return re.sub(
        r"\s+", " ", "".join(char for char in seen if char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    ).strip()


def shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


handler = queue_handler(receive_upload)
