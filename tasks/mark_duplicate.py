"""MarkDuplicate: the same bytes arrived before; the item ends, pointing to the first."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.catalog import Catalog
from tasks.core.aws.stepfunctions import Machine
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import NotFound
from tasks.core.logs import log
from tasks.core.models.digests import OriginalSha256
from tasks.core.models.item import Item, Status
from tasks.core.models.media import Media
from tasks.core.models.record import ItemRecord
from tasks.lifecycle.attempts import begin_next
from tasks.lifecycle.pairing import part

WORDS: dict[Status, str] = {
    "RECEIVED": "is being prepared",
    "PROCESSING": "is being prepared",
    "PENDING": "waits for a decision",
    "ESCALATED": "waits for a decision",
    "PUBLISHED": "is in the gallery",
    "FAILED": "could not be finished yet",
    "TAKEN_DOWN": "was taken out of the gallery",
}


@dataclass(frozen=True)
class MarkDuplicateRequest:
    """What the MarkDuplicate state passes."""

    item: Item
    media: Media


def mark_duplicate(request: MarkDuplicateRequest, *, catalog: Catalog, machine: Machine) -> None:
    """Mark the item DUPLICATE of the one that holds its bytes. The film of a Live Photo goes on by itself.

    When that one let them go in the same moment (it was rejected), this is no duplicate: its next attempt takes its turn.
    """
    item = request.item
    holder = _holder(catalog, request.media.sha256)
    if holder is not None and holder.id != item.id:
        catalog.items.mark(
            item.id, "DUPLICATE", attempt=item.attempt, reason=reason(holder), media=request.media, duplicate_of=holder.id
        )
        part(item, catalog, machine)
    elif begin_next(item.id, item.attempt, catalog, machine):
        log.info("claim was released; started again")


def reason(holder: ItemRecord) -> str:
    """Why, in the contributor's words."""
    became = WORDS.get(holder.status, "was not published")
    if holder.status == "DUPLICATE":
        became = f"is {holder.reason}"
    return f"the same file was uploaded before, as {holder.item.filename} (item {holder.id}), and {became}"


def _holder(catalog: Catalog, original: OriginalSha256) -> ItemRecord | None:
    id = catalog.items.claim_holder(original)
    try:
        return catalog.items.get(id) if id else None
    except NotFound:
        return None


handler = lambda_handler(mark_duplicate)
