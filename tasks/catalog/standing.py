"""Where an item stands, said honestly to whoever is about to decide or has just decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.catalog.items import Items
from tasks.catalog.reviews import Review, Reviews
from tasks.core.clock import parse
from tasks.core.models.record import ItemRecord
from tasks.core.text import utc_minute

ITEMS_LOOKED_AT = 5_000
State = Literal["pending", "approved", "rejected", "published", "taken-down", "expired", "failed", "other"]


@dataclass(frozen=True)
class Standing:
    """`message` is a whole sentence or two; `by` and `at` name a decision, `url` is the item's page once it has one."""

    state: State
    message: str
    by: str = ""
    at: str = ""
    url: str = ""


def standing(record: ItemRecord, review: Review | None, now: int, *, viewer: str = "", execution: str = "") -> Standing:
    """What became of an item, as `viewer` (an approver's address) reads it. `now` is epoch seconds.

    `execution` is its execution's status where somebody looked: FAILED, TIMED_OUT or ABORTED tell that nobody waits.
    """
    who = _Who(record, review, viewer)
    if record.status == "PUBLISHED" and record.publication:
        return Standing("published", f"In the gallery.{who.sentence('Approved')}", who.by, who.at, record.publication.url)
    if record.status == "TAKEN_DOWN":
        return Standing("taken-down", f"It was in the gallery and has been taken down.{who.sentence('Approved')}", who.by, who.at)
    if record.status == "REJECTED":
        return Standing("rejected", f"It stays out of the gallery.{who.sentence('Rejected')}", who.by, who.at)
    if record.status in ("QUARANTINED", "DUPLICATE"):
        return Standing("other", f"It will not be published: {record.reason or record.status.lower()}.")
    if review and review.status == "DECIDED" and review.decision:
        return _decided(record, review, who, execution)
    if record.status == "EXPIRED" or (review and (review.status == "EXPIRED" or review.expires <= now)):
        return Standing("expired", "Nobody decided in time, so it was not published. It can be uploaded again.")
    if review is None:
        return Standing("failed", "Nobody can decide about it: it is not waiting for a decision.")
    return Standing("pending", "It waits for a decision.")


def _decided(record: ItemRecord, review: Review, who: _Who, execution: str) -> Standing:
    """Decided, and not yet published or discarded: say whether somebody is at it."""
    approved = review.decision is not None and review.decision.verdict == "approve"
    state: State = "approved" if approved else "rejected"
    first = who.sentence("Approved" if approved else "Rejected").strip()
    goal = "publish it" if approved else "clear it away"
    if record.status == "FAILED" or execution in ("FAILED", "TIMED_OUT", "ABORTED"):
        after = f"The gallery was interrupted before it could {goal}. The decision is kept, and it is taken up again."
    elif review.answered or execution == "SUCCEEDED":
        after = "It will be in the gallery in a moment." if approved else "It will not be published."
    else:
        after = f"The gallery has not been reached yet to {goal}. The decision is kept, and it is told again by itself."
    return Standing(state, f"{first} {after}", who.by, who.at)


class _Who:
    """Who decided and when, in the viewer's words."""

    def __init__(self, record: ItemRecord, review: Review | None, viewer: str) -> None:
        decision = (review.decision if review else None) or record.decision
        self.by = decision.approver if decision else ""
        self.at = decision.decided_at if decision else ""
        self.reason = decision.reason if decision else ""
        self._viewer = viewer

    def sentence(self, verb: str) -> str:
        """` Approved by you on 21 November 2026, 21:40 UTC.`, or "" when nobody is known."""
        if not self.by:
            return ""
        by = {self._viewer: "you", "policy": "the gallery's policy", "operator": "the operator"}.get(self.by, self.by)
        when = f" on {utc_minute(parse(self.at))}" if self.at else ""
        reason = f" ({self.reason})" if self.reason else ""
        return f" {verb} by {by}{when}{reason}."


def undecided(items: Items, reviews: Reviews, now: int) -> list[tuple[ItemRecord, Review]]:
    """What waits for somebody to decide, the oldest first. `now` is epoch seconds.

    Found through the index by status, which AWS keeps a moment behind; the reviews are as they stand.
    """
    records = {record.id: record for record in items.newest("PENDING", ITEMS_LOOKED_AT)}
    asked = reviews.reviews(list(records))
    open_ones = [one for one in asked.values() if one.status == "PENDING" and one.expires > now]
    found = [(records[one.item], one) for one in open_ones if one.attempt == records[one.item].attempt]
    return sorted(found, key=lambda pair: (pair[0].received_at, pair[0].id))
