"""Expire: nobody decided in time. The catalog says whether a click came first; silence never publishes."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.catalog import Catalog, Reviews
from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.logs import log
from tasks.core.models.request import PreparedRequest
from tasks.core.models.review import Decision
from tasks.core.settings import Settings
from tasks.lifecycle.withdrawal import withdraw


@dataclass(frozen=True)
class ExpireRequest(PreparedRequest):
    """What the Expire state passes."""


def expire(request: ExpireRequest, *, store: Store, catalog: Catalog, reviews: Reviews, settings: Settings) -> Decision:
    """The decision that stands: one that was recorded in time, or `expired`, whose item is marked and withdrawn.

    Withdrawn means: renditions deleted, original tagged for expiry, bytes free to be uploaded and reviewed anew.
    """
    item = request.item
    decision = reviews.expire(item, request.prepared.sha256)
    log.info("review is over", extra={"verdict": decision.verdict})
    if decision.verdict != "expired":
        return decision
    if catalog.items.mark(item.id, "EXPIRED", attempt=item.attempt, reason=decision.reason, decision=decision):
        withdraw(item, store, catalog, settings)
    else:
        log.warning("expiry is out of date")
    return decision


handler = lambda_handler(expire)
