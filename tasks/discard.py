"""Discard: after a rejection the renditions go; the original stays, tagged, until the retention time is over."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.catalog import Catalog
from tasks.core.aws.s3 import Store
from tasks.core.clock import now
from tasks.core.entrypoint import lambda_handler
from tasks.core.logs import log
from tasks.core.models.item import Item
from tasks.core.models.review import Decision
from tasks.core.settings import Settings
from tasks.lifecycle.withdrawal import withdraw


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


handler = lambda_handler(discard)
