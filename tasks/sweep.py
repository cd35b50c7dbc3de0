"""Sweep: compares inbox, catalog and executions, and mends what fell between them; on a schedule, and when the stack starts.

EventBridge drops an event after a day of retries, an engine may die with its executions, a decision's last call may fail:
no upload is lost for that. Each sweep reads a bounded stretch of the inbox and goes on there the next time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from tasks.catalog import Catalog, Reviews
from tasks.core.aws import Head, Machine, Mailer, Store
from tasks.core.clock import iso, utc_now
from tasks.core.entrypoint import lambda_handler
from tasks.core.executions import LOST, Ended, moment
from tasks.core.logs import log
from tasks.core.models import ItemRecord, Status, to_json
from tasks.core.names import item_id
from tasks.core.settings import Settings
from tasks.mark_failed import report_failure, tell_operator
from tasks.receive_upload import admit, is_upload

ITEMS_A_SWEEP = 5_000
WAITING: tuple[Status, ...] = ("PENDING", "ESCALATED")
RUNS: tuple[Status, ...] = ("RECEIVED", "PROCESSING", *WAITING)
# An engine that restarts takes every waiting item with it, through no fault of theirs: they have as many attempts more.
PATIENCE = 20


@dataclass(frozen=True)
class SweepRequest:
    """Younger than `grace_seconds` may still be on its way by itself. The stack's start asks with 0."""

    grace_seconds: int = 120
    versions: int = 5_000  # of the inbox, that one sweep reads


@dataclass(frozen=True)
class Swept:
    """What one sweep looked at, and what it did."""

    versions: int = 0
    unfinished: int = 0
    admitted: int = 0  # versions that had no item
    started: int = 0  # items whose execution had never begun
    restarted: int = 0  # lost executions that got another attempt
    failed: int = 0  # items that had failed unnoticed, or have used up their attempts
    answered: int = 0  # decisions told to Step Functions again


def sweep(
    request: SweepRequest,
    *,
    store: Store,
    catalog: Catalog,
    reviews: Reviews,
    machine: Machine,
    mailer: Mailer,
    settings: Settings,
) -> Swept:
    """Mend and count."""
    before = iso(utc_now() - timedelta(seconds=request.grace_seconds))
    versions, missing = missing_versions(store, catalog, settings.inbox_bucket, before, request.versions)
    admitted = sum(admit(store.head(head.location), catalog, machine) for head in missing)
    unfinished = list(settled_items(catalog, before))
    broken = Broken(catalog, machine, mailer, settings, before)
    outcomes = [broken.mend(record) for record in stranded(unfinished, machine)]
    waiting = [record.id for record in unfinished if record.status in WAITING]
    return Swept(
        versions=versions,
        unfinished=len(unfinished),
        admitted=admitted,
        started=outcomes.count("started"),
        restarted=outcomes.count("restarted"),
        failed=outcomes.count("failed"),
        answered=tell_again(waiting, reviews, machine),
    )


def missing_versions(store: Store, catalog: Catalog, bucket: str, before: str, most: int) -> tuple[int, list[Head]]:
    """How many versions were looked at, and those among them that should be items and are none."""
    rows, onward = store.some_versions(bucket, catalog.bookmark("inbox"), most)
    catalog.set_bookmark("inbox", onward)
    uploads = [head for head in rows if head.last_modified <= before and is_upload(head)]
    ids = {item_id(bucket, head.location.key, head.location.version or head.etag): head for head in uploads}
    known = catalog.known(list(ids))
    return len(rows), [head for id, head in ids.items() if id not in known]


def settled_items(catalog: Catalog, before: str) -> Iterator[ItemRecord]:
    """Unfinished items that nobody touched since `before`."""
    for status in RUNS:
        yield from (record for record in catalog.items(status, ITEMS_A_SWEEP) if record.updated_at <= before)


def stranded(records: list[ItemRecord], machine: Machine) -> list[ItemRecord]:
    """Those whose execution is not among the running ones; one call lists a thousand."""
    running = machine.running() if records else set()
    return [record for record in records if record.execution not in running]


def tell_again(ids: list[str], reviews: Reviews, machine: Machine) -> int:
    """Send decisions that Step Functions has not taken yet."""
    open_ones = [id for id, review in reviews.reviews(ids).items() if review.decision and not review.answered] if ids else []
    return sum(reviews.tell(id, machine) for id in open_ones)


@dataclass(frozen=True)
class Broken:
    """Mends items that have no running execution."""

    catalog: Catalog
    machine: Machine
    mailer: Mailer
    settings: Settings
    before: str

    def mend(self, stale: ItemRecord) -> str:
        """What was done: started, restarted, failed, or "" when there was nothing to mend."""
        record = self.catalog.item(stale.id)  # the index that found it may be a moment behind
        if record.status not in RUNS or record.attempt != stale.attempt:
            return ""
        status = self.machine.status(record.execution)
        if status == "":
            return "started" if self._start(record) else ""
        if status == "RUNNING":
            return ""
        ended = Ended.described(self.machine.describe(self.machine.execution_arn(record.execution)))
        return self._after(record, ended) if moment(ended.ended)[:19] <= self.before[:19] else ""

    def _after(self, record: ItemRecord, ended: Ended) -> str:
        if ended.status in ("FAILED", "TIMED_OUT") and ended.error != LOST:
            return "failed" if report_failure(ended, self.catalog, self.mailer, self.settings) else ""
        most = self.settings.max_attempts * (PATIENCE if ended.error == LOST else 1)
        if record.attempt >= most:
            return "failed" if self._give_up(record) else ""
        following = self.catalog.next_attempt(record.id, record.attempt)
        if following is None:
            return ""
        log.info("restarted", extra={"item": following.id, "attempt": following.attempt, "was": ended.error or ended.status})
        self.machine.start(f"{following.id}-{following.attempt}", {"item": to_json(following)})
        return "restarted"

    def _start(self, record: ItemRecord) -> bool:
        log.info("started", extra={"item": record.id, "attempt": record.attempt})
        return self.machine.start(record.execution, {"item": to_json(record.item)})

    def _give_up(self, record: ItemRecord) -> bool:
        reason = f"given up after {record.attempt} attempts, none of which came to an end"
        if not self.catalog.mark(record.id, "FAILED", attempt=record.attempt, reason=reason):
            return False
        body = f"{record.item.filename} (item {record.id}): {reason}.\n\nTo see what happened:\n\n  greenroom audit {record.id}\n"
        tell_operator(f"Given up: {record.item.filename}", body, self.catalog, self.mailer, self.settings)
        return True


handler = lambda_handler(sweep)
