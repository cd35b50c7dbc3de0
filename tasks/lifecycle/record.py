"""An execution's record: what is kept of it in the audit bucket, without a token or a secret, and how it is found again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from tasks.catalog import Catalog, Reviews
from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.errors import NotFound, error_code
from tasks.core.executions import Ended, moment
from tasks.core.models.location import Location
from tasks.core.models.record import ItemRecord
from tasks.core.names import execution_name
from tasks.core.scrub import scrub
from tasks.core.settings import Settings

SCHEMA = "greenroom/execution/1"


def record_key(ended: Ended) -> str:
    """`executions/<yyyy>/<mm>/<dd>/<name>.json`, by the day on which it started."""
    return f"executions/{ended.started[:10].replace('-', '/')}/{ended.name}.json"


def build_record(ended: Ended, events: Iterable[dict[str, Any]], decision: dict[str, Any] | None) -> dict[str, Any]:
    """The record as it is kept: plain JSON values, events in AWS's own shape and order, times in ISO 8601."""
    story = [plain(event) for event in events]
    id, attempt = ended.item or ("", 0)
    record = {
        "schema": SCHEMA,
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


def keep(store: Store, bucket: str, key: str, body: bytes) -> bool:
    """Write the record unless the very same is there. Object Lock wants a checksum with each write."""
    try:
        if store.read(Location(bucket, key)) == body:
            return False
    except NotFound:
        pass  # the usual case: the first time
    store.put(bucket, key, body, "application/json", ChecksumAlgorithm="SHA256")
    return True


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
    for key in catalog.items.archives(item.id):
        try:
            record = json.loads(store.read(Location(settings.audit_bucket, key)))
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
