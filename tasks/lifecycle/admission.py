"""Admission: what lies in the inbox becomes an item whose first attempt is started, or is said to be something else."""

from __future__ import annotations

from typing import Literal
from urllib.parse import unquote

from tasks.catalog import Catalog, UnreadableUpload
from tasks.core.aws.s3 import Head, Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.byproducts import by_product
from tasks.core.errors import Unreadable
from tasks.core.logs import log
from tasks.core.models.item import Item
from tasks.core.names import item_id, slug
from tasks.core.text import one_line
from tasks.lifecycle.announced import Announced, pin, version_with
from tasks.lifecycle.attempts import begin

UNSORTED = "Unsorted"
LONGEST_TITLE = 120
LONGEST_NAME = 80

Received = Literal["upload", "gone", "folder", "by-product", "sidecar", "unreadable"]


def receive_one(announced: Announced, store: Store, catalog: Catalog, machine: Machine) -> Received:
    """Admit one announced upload, or say what it is instead. What S3 will not show is no upload until somebody has acted."""
    try:
        head = pin(store, announced)
    except Unreadable as fault:
        location = fault.location if announced.version else version_with(store, fault.location, announced.etag)
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
    started = begin(item, machine)
    log.info("upload received", extra={"item": item.id, "attempt": item.attempt, "started": started})
    return started


def id_of(head: Head) -> str:
    """The id of the item that one version is."""
    # Only a bucket without versions has none; its ETag then tells two uploads of a key apart.
    return item_id(head.location.bucket, head.location.key, head.location.version or head.etag)


def item_of(head: Head) -> Item:
    """The item that one version is."""
    location = head.location
    title = album_title(head)
    return Item(
        id=id_of(head),
        attempt=1,
        bucket=location.bucket,
        key=location.key,
        version=location.version,
        etag=head.etag,
        bytes=head.bytes,
        album=slug(title),
        album_title=one_line(title, LONGEST_TITLE),
        contributor=one_line(unquote(head.metadata.get("contributor", "")), LONGEST_NAME),
        received_at=head.last_modified,
    )


def album_title(head: Head) -> str:
    """The album that the contributor chose, else the key's folders, else Unsorted."""
    chosen = one_line(unquote(head.metadata.get("album", "")))
    folders = [one_line(part) for part in head.location.key.split("/")[:-1]]
    return chosen or " / ".join(part for part in folders if part and part not in (".", "..")) or UNSORTED
