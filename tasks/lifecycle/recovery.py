"""Recovery: an item whose execution is lost is started again, as often as is worth trying; else it has failed."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.catalog import Catalog
from tasks.core.aws.ses import Mailer
from tasks.core.aws.stepfunctions import Machine
from tasks.core.executions import LOST, Ended, moment
from tasks.core.logs import log
from tasks.core.models.item import Status
from tasks.core.models.record import ItemRecord
from tasks.core.settings import Settings
from tasks.lifecycle.attempts import begin, begin_next
from tasks.lifecycle.failure import give_up, report_failure

WAITING: tuple[Status, ...] = ("PENDING", "ESCALATED")
# An item in one of these should have a running execution.
RUNS: tuple[Status, ...] = ("RECEIVED", "PROCESSING", *WAITING)
# An engine that restarts takes every waiting item with it, through no fault of theirs: they have as many attempts more.
PATIENCE = 20


def stranded(records: list[ItemRecord], machine: Machine) -> list[ItemRecord]:
    """Those whose execution is not among the running ones; one call lists a thousand."""
    running = machine.running() if records else set()
    return [record for record in records if record.execution not in running]


@dataclass(frozen=True)
class Recovery:
    """Mends items that have no running execution."""

    catalog: Catalog
    machine: Machine
    mailer: Mailer
    settings: Settings
    before: str

    def mend(self, stale: ItemRecord) -> str:
        """What was done: started, restarted, failed, or "" when there was nothing to mend."""
        record = self.catalog.items.get(stale.id)  # the index that found it may be a moment behind
        if record.status not in RUNS or record.attempt != stale.attempt:
            return ""
        status = self.machine.status(record.execution)
        if status == "":
            log.info("started", extra={"item": record.id, "attempt": record.attempt})
            return "started" if begin(record.item, self.machine) else ""
        if status == "RUNNING":
            return ""
        ended = Ended.described(self.machine.describe(self.machine.execution_arn(record.execution)))
        return self._after(record, ended) if moment(ended.ended)[:19] <= self.before[:19] else ""

    def _after(self, record: ItemRecord, ended: Ended) -> str:
        if ended.status in ("FAILED", "TIMED_OUT") and ended.error != LOST:
            return "failed" if report_failure(ended, self.catalog, self.mailer, self.settings) else ""
        most = self.settings.max_attempts * (PATIENCE if ended.error == LOST else 1)
        if record.attempt >= most:
            return "failed" if give_up(record, self.catalog, self.mailer, self.settings) else ""
        following = begin_next(record.id, record.attempt, self.catalog, self.machine)
        if following is None:
            return ""
        log.info("restarted", extra={"item": following.id, "attempt": following.attempt, "was": ended.error or ended.status})
        return "restarted"
