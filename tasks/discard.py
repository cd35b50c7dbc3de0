"""Discard: after a rejection the renditions go; the original stays, tagged, until the retention time is over."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.catalog import Catalog
from tasks.core.aws.s3 import Store
from tasks.core.clock import now
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import NotFound
from tasks.core.logs import log
from tasks.core.models.item import Item
from tasks.core.models.record import ItemRecord
from tasks.core.models.review import Decision
from tasks.core.settings import Settings

# The inbox's lifecycle rule expires what carries this tag.
RETAINED = {"greenroom": "quarantined"}


@dataclass(frozen=True)
class DiscardRequest:
    """What the Discard state passes."""

    item: Item
    decision: Decision


def discard(request: DiscardRequest, *, store: Store, catalog: Catalog, settings: Settings) -> None:
    """Mark the item REJECTED with who said so and why, and withdraw it. A newer attempt's files are left alone."""
    decision = request.decision
    decided = replace(decision, decided_at=decision.decided_at or now())
    item = request.item
    if catalog.items.mark(item.id, "REJECTED", attempt=item.attempt, reason=decision.reason, decision=decided):
        withdraw(item, store, catalog, settings)
    else:
        log.warning("rejection is out of date")


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


handler = lambda_handler(discard)
