"""Quarantine: not media, harmful or beyond the limits; kept apart with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.catalog import Catalog
from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.entrypoint import lambda_handler
from tasks.core.logs import log
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.settings import Settings
from tasks.lifecycle.pairing import part
from tasks.lifecycle.withdrawal import withdraw


@dataclass(frozen=True)
class QuarantineRequest:
    """What the Quarantine state passes."""

    item: Item
    media: Media


def quarantine(request: QuarantineRequest, *, store: Store, catalog: Catalog, machine: Machine, settings: Settings) -> None:
    """Mark the item QUARANTINED with the contributor's reason, and withdraw it. A newer attempt's files are left alone.

    Nothing is wrong with the film of a Live Photo whose picture is broken: it goes on by itself.
    """
    item, media = request.item, request.media
    if catalog.items.mark(item.id, "QUARANTINED", attempt=item.attempt, reason=media.reason, media=media):
        part(item, catalog, machine)
        withdraw(item, store, catalog, settings)
    else:
        log.warning("quarantine is out of date")


handler = lambda_handler(quarantine)
