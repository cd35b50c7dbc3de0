"""Asking about what waits: who has had no mail about it yet, and the message that has it mailed to them."""

from __future__ import annotations

from tasks.catalog import Catalog, Reviews
from tasks.catalog.standing import undecided
from tasks.core.clock import epoch

# RequestApproval mails what waits to whoever has joined the list of approvers since.
EVERYTHING_PENDING = {"ask": "everything pending"}


def unasked(catalog: Catalog, reviews: Reviews) -> dict[str, int]:
    """How many waiting items each approver has had no mail about, by address; those who know of all are left out."""
    mailed = [set(review.mailed) for _, review in undecided(catalog.items, reviews, epoch())]
    counts = {one.address: sum(one.membership not in each for each in mailed) for one in catalog.approvers.all()}
    return {address: count for address, count in counts.items() if count}
