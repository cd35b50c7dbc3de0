"""Where an item's story is read from: the audit bucket, and Step Functions itself for what is still running."""

from __future__ import annotations

import json
from typing import Any

from tasks.archive_history import build_record, decision_of
from tasks.catalog import Catalog, Reviews
from tasks.core import versions
from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.errors import NotFound, error_code
from tasks.core.executions import Ended
from tasks.core.models.location import Location
from tasks.core.models.record import ItemRecord
from tasks.core.names import execution_name
from tasks.core.settings import Settings


def records(
    item: ItemRecord, catalog: Catalog, reviews: Reviews, store: Store, machine: Machine, settings: Settings
) -> list[Any]:
    """The record of each of an item's executions, first attempt first: archived ones as they are kept, else made now.

    An attempt that was never archived and that Step Functions has forgotten is left out.
    """
    kept = _archived(item, catalog, store, settings)
    attempts = range(1, item.attempt + 1)
    found = [kept.get(attempt) or _live(execution_name(item.id, attempt), reviews, machine) for attempt in attempts]
    return [record for record in found if record]


def _archived(item: ItemRecord, catalog: Catalog, store: Store, settings: Settings) -> dict[int, dict[str, Any]]:
    """Archived records by attempt. A key whose object is gone is as good as none."""
    found: dict[int, dict[str, Any]] = {}
    for key in catalog.archives(item.id):
        try:
            record = versions.record(json.loads(store.read(Location(settings.audit_bucket, key))))
        except NotFound:
            continue
        found[int(record["attempt"])] = record
    return found


def _live(name: str, reviews: Reviews, machine: Machine) -> dict[str, Any] | None:
    """The record of an execution as it stands now, without secrets as well; None when Step Functions knows none."""
    arn = machine.execution_arn(name)
    try:
        ended = Ended.described(machine.describe(arn))
    except Exception as fault:
        if error_code(fault) == "ExecutionDoesNotExist":
            return None
        raise
    return build_record(ended, machine.history(arn), decision_of(ended, reviews))
