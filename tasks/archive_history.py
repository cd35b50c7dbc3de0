"""ArchiveHistory: an ended execution's whole story goes to the write-once bucket, without a token or a secret."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tasks.catalog import Catalog, Reviews
from tasks.core import versions
from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import NotFound
from tasks.core.executions import Ended, moment
from tasks.core.logs import log
from tasks.core.models.location import Location
from tasks.core.scrub import scrub
from tasks.core.settings import Settings


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
    written = _keep(store, settings.audit_bucket, key, json.dumps(record, ensure_ascii=False, indent=1).encode())
    if ended.item:
        catalog.note_archive(*ended.item, key)
    log.info("archived", extra={"key": key, "events": len(record["events"]), "written": written})
    return Archived(key, len(record["events"]), written)


def record_key(ended: Ended) -> str:
    """`executions/<yyyy>/<mm>/<dd>/<name>.json`, by the day on which it started."""
    return f"executions/{ended.started[:10].replace('-', '/')}/{ended.name}.json"


def build_record(ended: Ended, events: Iterable[dict[str, Any]], decision: dict[str, Any] | None) -> dict[str, Any]:
    """The record as it is kept: plain JSON values, events in AWS's own shape and order, times in ISO 8601."""
    story = [plain(event) for event in events]
    id, attempt = ended.item or ("", 0)
    record = {
        "schema": versions.schema(),
        "item": id,
        "attempt": attempt,
        "execution": ended.name,
        "execution_arn": ended.arn,
        "status": ended.status,
        "started": ended.started,
        "ended": ended.ended,
        "error": ended.error,
        "cause": ended.cause,
        "decision": decision or decided_inside(story),
        "events": story,
    }
    cleaned: dict[str, Any] = scrub(record)
    return cleaned


def plain(value: Any) -> Any:
    """botocore's values as JSON has them."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value if isinstance(value, str | int | float | bool | None) else moment(value)


def decided_inside(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The decision that the execution itself carried, where no person made one: the policy's, or the timeout's."""
    output = events[-1].get("executionSucceededEventDetails", {}).get("output") if events else None
    found = json.loads(output) if output else None
    decision = found.get("decision") if isinstance(found, dict) else None
    return decision if isinstance(decision, dict) else None


def decision_of(ended: Ended, reviews: Reviews) -> dict[str, Any] | None:
    """Who decided what, when and from where: the newest audit row that this attempt could know."""
    id, attempt = ended.item or ("", 0)
    rows = [row for row in reviews.decisions(id) if row.attempt <= attempt] if id else []
    return asdict(rows[-1]) if rows else None


def _keep(store: Store, bucket: str, key: str, body: bytes) -> bool:
    """Write the record unless the very same is there. Object Lock wants a checksum with each write."""
    try:
        if store.read(Location(bucket, key)) == body:
            return False
    except NotFound:
        pass  # the usual case: the first time
    store.put(bucket, key, body, "application/json", ChecksumAlgorithm="SHA256")
    return True


handler = lambda_handler(archive_history)
