"""ArchiveHistory: an ended execution's whole story goes to the write-once bucket, without a token or a secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tasks.catalog import Catalog, Reviews
from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.entrypoint import lambda_handler
from tasks.core.executions import Ended
from tasks.core.logs import log
from tasks.core.settings import Settings
from tasks.lifecycle.record import build_record, decision_of, keep, record_key


@dataclass(frozen=True)
class Archived:
    """Where the record is. `written` is False when the same record was there."""

    key: str
    events: int
    written: bool


def archive_history(
    event: dict[str, Any], *, machine: Machine, store: Store, catalog: Catalog, reviews: Reviews, settings: Settings
) -> Archived | None:
    """Take one "Step Functions Execution Status Change" event; None while the execution still runs.

    The same execution always has the same key. A redriven one ends twice: its second record is a new version, longer.
    """
    ended = Ended.parse(event)
    if ended.status == "RUNNING":
        return None
    record = build_record(ended, machine.history(ended.arn), decision_of(ended, reviews))
    key = record_key(ended)
    written = keep(store, settings.audit_bucket, key, json.dumps(record, ensure_ascii=False, indent=1).encode())
    if ended.item:
        catalog.items.note_archive(*ended.item, key)
    log.info("archived", extra={"key": key, "events": len(record["events"]), "written": written})
    return Archived(key, len(record["events"]), written)


handler = lambda_handler(archive_history)
