"""Withdrawal: an item that nobody will see loses its files and frees its bytes; its original is kept until its retention ends."""

from __future__ import annotations

from tasks.catalog import Catalog
from tasks.core.aws.s3 import Store
from tasks.core.errors import NotFound
from tasks.core.logs import log
from tasks.core.models.item import Item
from tasks.core.models.record import ItemRecord
from tasks.core.settings import Settings

# The inbox's lifecycle rule expires what carries this tag.
RETAINED = {"greenroom": "quarantined"}


def withdraw(item: Item, store: Store, catalog: Catalog, settings: Settings) -> None:
    """Delete the item's files from the work bucket, tag its original for expiry, let its bytes be uploaded anew.

    The film of a Live Photo was part of what was decided about, and goes the same way.
    """
    record = catalog.items.get(item.id)
    for gone in (record, *([catalog.items.get(record.film.item)] if record.film else [])):
        store.delete(settings.work_bucket, list(store.keys(settings.work_bucket, f"items/{gone.id}/")))
        try:
            store.tag(gone.item.original, RETAINED)
        except NotFound:
            log.info("original is gone")
        release(gone, catalog)


def release(record: ItemRecord, catalog: Catalog) -> None:
    """Let the item's bytes be uploaded anew."""
    if record.media and record.media.sha256:
        catalog.items.release_claim(record.media.sha256, record.id)
