"""Requests for a decision: one row per item whose conditional write is the arbiter between approvers, operator and timeout.

The task tokens live in that row and nowhere else: `tell` hands them to Step Functions, and no dataclass here carries one.
"""

from __future__ import annotations

import hmac
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

from tasks.catalog.items import Items
from tasks.catalog.review_table import Placed, ReviewTable
from tasks.catalog.rows import (
    attributes,
    decision_key,
    decisions_start,
    item_pk,
    keyed,
    new_review_row,
    review_key,
    reviewed_item,
)
from tasks.core.aws.attributes import Row
from tasks.core.aws.dynamodb import Table, Write
from tasks.core.aws.session import Aws
from tasks.core.clock import Clock, epoch, iso, utc_now
from tasks.core.errors import Conflict
from tasks.core.json import from_json, to_json
from tasks.core.models.digests import FilmDigest, RenditionsDigest, ShownDigest, shown_digest
from tasks.core.models.item import Item
from tasks.core.models.review import Decision, DecisionVerdict
from tasks.core.settings import Settings

ReviewStatus = Literal["PENDING", "DECIDED", "EXPIRED"]
OutcomeState = Literal["recorded", "repeated", "taken", "expired", "changed", "unknown", "ended"]
# Rounds of reading and writing again when two writers meet at one row; each round one of them gets through.
ROUNDS = 12
STILL = "#status = :pending AND #attempt = :attempt AND #sha256 = :sha256"
# Reviews from before there were Live Photos say nothing of a film.
NO_FILM, THIS_FILM = "(attribute_not_exists(#film) OR #film = :film)", "#film = :film"
EXPIRED = Decision("expired", reason="nobody decided in time")


class Answers(Protocol):
    """What `tell` needs of core.aws.Machine."""

    def succeed(self, token: str, output: object) -> bool: ...


@dataclass(frozen=True)
class Review:
    """A request for a decision on one item. `sha256` covers its own renditions, `film` those of a Live Photo's film ("": none).

    `shown_digest` covers all that is shown: what a decision is bound to. `expires` is epoch seconds.
    """

    item: str
    attempt: int
    sha256: RenditionsDigest
    status: ReviewStatus
    expires: int
    answered: bool = False  # Step Functions took the decision
    mailed: tuple[str, ...] = ()  # memberships of the approvers whose mail is on its way
    decision: Decision | None = None
    film: FilmDigest = FilmDigest("")

    @property
    def shown_digest(self) -> ShownDigest:
        return shown_digest(self.sha256, self.film)


@dataclass(frozen=True)
class DecisionRecord:
    """One audit row: who decided what, when and from where. An expiry has no approver."""

    item: str
    attempt: int
    verdict: DecisionVerdict
    reason: str
    approver: str
    decided_at: str
    address: str
    agent: str
    sha256: ShownDigest


@dataclass(frozen=True)
class Outcome:
    """What came of a wish to decide. `decision` is the one that stands, whoever made it.

    recorded: this one stands. repeated: the same approver had said the same. taken: another decision came first.
    expired: too late. changed: other renditions than those shown. unknown: nobody was asked about this item.
    ended: who decides may do so no longer.
    """

    state: OutcomeState
    decision: Decision | None = None


class Reviews:
    """The reviews, one for each item, and their audit rows: one for each decision."""

    def __init__(self, table: ReviewTable, items: Items, approval_seconds: int, clock: Clock = utc_now) -> None:
        self._table = table
        self._items = items
        self._seconds = approval_seconds
        self._clock = clock

    @classmethod
    def open(cls, aws: Aws, settings: Settings) -> Reviews:
        items = Items(Table(aws, settings.catalog_table))
        return cls(ReviewTable.open(aws, settings), items, settings.approval_seconds)

    # --- asking ---

    def request(self, item: Item, token: str, renditions: RenditionsDigest) -> Review:
        """Ask for a decision on these renditions and keep the token; the review that now stands.

        A redelivered message changes nothing. The decision of an earlier attempt on the same renditions is kept, so that
        the machine can be told at once. An older attempt's message changes nothing: the review's attempt is then higher.
        """
        for _ in range(ROUNDS):
            row = self._table.find(*review_key(item.id))
            if row and (row["attempt"] > item.attempt or (_same(row, item.attempt, renditions) and token in row["tokens"])):
                return _review(row)
            if row and _same(row, item.attempt, renditions):
                self._another_token(row, token)
                continue
            film, same_film = self._items.film(item.id)
            fresh = self._fresh(item, [token], renditions, film.sha256 if film else FilmDigest(""))
            if row is None:
                self._ask(self._table, Write(fresh, "attribute_not_exists(#pk)"), same_film)
            else:
                self._next_attempt(row, fresh, same_film)
        raise _crowded(item.id)

    def _ask(self, home: Table, question: Write, same_film: Write) -> None:
        """Write a review while the item has the very film that the review is about: who adds one adds it to both."""
        home.transact([question, same_film])

    def _fresh(self, item: Item, tokens: list[str], renditions: RenditionsDigest, film: FilmDigest = FilmDigest("")) -> Row:
        expires = epoch(self._clock) + self._seconds
        return new_review_row(item.id, tokens, item.attempt, renditions, film, expires)

    def _another_token(self, row: Placed, token: str) -> None:
        """A retry or a redrive of AwaitApproval waits under another token; which of them lives, only Step Functions knows."""
        row.home.update(
            *review_key(reviewed_item(row)),
            "SET #tokens = list_append(#tokens, :token), #answered = :no",
            "#attempt = :attempt AND #sha256 = :sha256 AND size(#tokens) = :size",
            token=[token],
            no=False,
            attempt=row["attempt"],
            sha256=row["sha256"],
            size=len(row["tokens"]),
        )

    def _next_attempt(self, row: Placed, fresh: Row, same_film: Write) -> None:
        """Another attempt asks anew, unless somebody has already decided about these very renditions."""
        if row["status"] == "DECIDED" and hmac.compare_digest(_shown(row), _shown(fresh)):
            fresh |= {"status": "DECIDED", "decision": row["decision"], "mailed": row["mailed"]}
        unchanged = "#attempt = :old_attempt AND #status = :old_status AND #sha256 = :old_sha256"
        old = {"old_attempt": row["attempt"], "old_status": row["status"], "old_sha256": row["sha256"]}
        self._ask(row.home, Write(fresh, unchanged, old), same_film)

    def mailed(self, id: str, attempt: int, membership: str) -> None:
        """Remember that this approver's mail is on its way, so that a redelivered message sends no second one."""
        key = review_key(id)
        self._table.home(*key).update(
            *key,
            "SET #mailed = list_append(#mailed, :member)",
            "#attempt = :attempt AND NOT contains(#mailed, :name)",
            member=[membership],
            attempt=attempt,
            name=membership,
        )

    # --- deciding ---

    def record(
        self,
        id: str,
        verdict: DecisionVerdict,
        reason: str = "",
        *,
        approver: str,
        shown: ShownDigest = ShownDigest(""),
        address: str = "",
        agent: str = "",
        only_if: Write | None = None,
    ) -> Outcome:
        """Record a decision unless another stands: one transaction with its audit row. `tell` then sends it.

        `only_if` is a check that must hold in the very transaction: that an approver is one still.

        `shown` is what was shown; the operator's command line, which shows nothing, leaves it empty and means what stands.
        """
        for _ in range(ROUNDS):
            row = self._table.find(*review_key(id))
            if row is None:
                return Outcome("unknown")
            settled = self._settled(row, verdict, approver, shown)
            if settled:
                return settled
            decision = Decision(verdict, reason, approver, iso(self._clock()))
            codes = self._write(row, "DECIDED", decision, address, agent, only_if)
            if not codes:
                return Outcome("recorded", decision)
            if only_if and codes[-1] == "ConditionalCheckFailed":
                return Outcome("ended")
        raise _crowded(id)

    def _settled(self, row: Row, verdict: str, approver: str, shown: ShownDigest) -> Outcome | None:
        """Why this decision cannot be recorded, or None when it can."""
        if row["status"] == "DECIDED":
            first = from_json(row["decision"], Decision)
            mine = hmac.compare_digest(first.approver.encode(), approver.encode()) and first.verdict == verdict
            return Outcome("repeated" if mine else "taken", first)
        if row["status"] == "EXPIRED" or row["expires"] <= epoch(self._clock):
            return Outcome("expired", EXPIRED)
        if shown and not hmac.compare_digest(_shown(row).encode(), shown.encode()):
            return Outcome("changed")
        return None

    def expire(self, item: Item, renditions: RenditionsDigest) -> Decision:
        """The timeout's own conditional write: PENDING -> EXPIRED, or the decision that came first.

        An attempt that a newer one has overtaken is expired whatever became of the newer one.
        """
        for _ in range(ROUNDS):
            row = self._table.find(*review_key(item.id))
            if row is None:
                # The message was lost or is still on its way: it must not open a review that nobody waits for.
                closed = {**self._fresh(item, [], renditions), "status": "EXPIRED", "decision": to_json(EXPIRED)}
                if self._table.put(closed, "attribute_not_exists(#pk)"):
                    return EXPIRED
            elif not _same(row, item.attempt, renditions) or row["status"] == "EXPIRED":
                return EXPIRED
            elif row["status"] == "DECIDED":
                return from_json(row["decision"], Decision)
            elif not self._write(row, "EXPIRED", Decision("expired", EXPIRED.reason, "", iso(self._clock()))):
                return EXPIRED
        raise _crowded(item.id)

    def _write(
        self,
        row: Placed,
        status: ReviewStatus,
        decision: Decision,
        address: str = "",
        agent: str = "",
        only_if: Write | None = None,
    ) -> list[str]:
        """The arbiter: review and audit row in one transaction; [] when done, else a code for each of its writes."""
        id, now = reviewed_item(row), self._clock()
        film = row.get("film", "")
        guard = f"{STILL} AND {THIS_FILM if film else NO_FILM}" + ("" if status == "EXPIRED" else " AND #expires > :now")
        values = {
            "pending": "PENDING",
            "film": film,
            "attempt": row["attempt"],
            "sha256": row["sha256"],
            "now": int(now.timestamp()),
            "status": status,
            "decision": to_json(decision),
        }
        change = Write(keyed(review_key(id)), guard, values, update="SET #status = :status, #decision = :decision")
        record = DecisionRecord(
            item=id,
            attempt=row["attempt"],
            sha256=_shown(row),
            address=address,
            agent=agent,
            **asdict(decision),
        )
        audit = keyed(decision_key(id, now), **to_json(record))
        # Whoever still reads a review in the other table finds its decision there, too.
        checks = [self._table.here(only_if)] if only_if else []
        return row.home.transact([change, Write(audit, "attribute_not_exists(#pk)"), *checks])

    # --- telling ---

    def tell(self, id: str, machine: Answers) -> bool:
        """Send what was decided to the waiting execution; False when nothing is decided or nobody waits any more.

        Faults of the call travel: the decision stands in the catalog, and the sweeper tells it again.
        """
        row = self._table.find(*review_key(id))
        if row is None or row["status"] == "PENDING":
            return False
        if row["answered"]:
            return True
        for token in reversed(row["tokens"]):
            if machine.succeed(token, row["decision"]):
                row.home.update(
                    *review_key(id),
                    "SET #answered = :yes",
                    "#attempt = :attempt AND size(#tokens) = :size",
                    yes=True,
                    attempt=row["attempt"],
                    size=len(row["tokens"]),
                )
                return True
        return False

    # --- reading ---

    def review(self, id: str) -> Review | None:
        """The newest review of an item, without its tokens."""
        row = self._table.find(*review_key(id))
        return _review(row) if row else None

    def reviews(self, ids: list[str]) -> dict[str, Review]:
        """The reviews of many items, by item."""
        rows = self._table.look_at([review_key(id) for id in ids])
        return {review.item: review for review in map(_review, rows.values())}

    def decision(self, id: str) -> tuple[Decision, ShownDigest] | None:
        """What was decided (or expired), and the digest of all that it is about; None while it is open."""
        found = self.review(id)
        return (found.decision, found.shown_digest) if found and found.decision else None

    def decisions(self, id: str) -> list[DecisionRecord]:
        """Every audit row of an item, oldest first."""
        rows = self._table.look_for(item_pk(id), "begins_with(#sk, :start)", start=decisions_start())
        return [from_json(attributes(row), DecisionRecord) for row in rows]

    # --- taking part in the transaction that joins a film to its picture ---

    def film_joined(self, id: str, film: FilmDigest) -> Write | None:
        """The write that adds a film (its digest) to what is asked about a picture, as it is asked now; None: it is too late."""
        row = self._table.find(*review_key(id))
        if row is None:
            return self._table.here(Write(keyed(review_key(id)), "attribute_not_exists(#pk)", check=True))
        if row["status"] != "PENDING" or row["expires"] <= epoch(self._clock):
            return None
        values = {"pending": "PENDING", "attempt": row["attempt"], "sha256": row["sha256"], "film": film}
        return row.home.here(Write(keyed(review_key(id)), STILL, values, update="SET #film = :film"))

    def nobody_asked(self, id: str) -> Write | None:
        """The check that nobody was asked about an item; None when somebody was."""
        if self._table.find(*review_key(id)):
            return None
        return self._table.here(Write(keyed(review_key(id)), "attribute_not_exists(#pk)", check=True))


def _shown(row: Row) -> ShownDigest:
    return shown_digest(row["sha256"], row.get("film", ""))


def _same(row: Row, attempt: int, renditions: RenditionsDigest) -> bool:
    return bool(row["attempt"] == attempt) and hmac.compare_digest(row["sha256"].encode(), renditions.encode())


def _review(row: Row) -> Review:
    told = {name: value for name, value in attributes(row).items() if name != "tokens"}
    return from_json({"item": reviewed_item(row), **told}, Review)


def _crowded(id: str) -> Conflict:
    return Conflict(f"too many writers at the review of {id} at once; try again")
