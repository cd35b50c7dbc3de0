"""What the console page shows: the newest items, the running executions and the functions, at a glance."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from infra.deploy.stack import Deployed
from infra.local.state import Stack

NEWEST = 40


def facts(stack: Stack) -> dict[str, Any]:
    """Items (newest first) with the state that each is in, and the Lambda host's counters."""
    deployed = Deployed.local(stack)
    items = []
    for record in deployed.catalog.items.newest(limit=NEWEST):
        execution = deployed.machine.execution_arn(record.execution)
        status, state = _standing(deployed, execution)
        items.append(
            {
                "id": record.id,
                "name": record.item.filename,
                "album": record.album_title or record.album,
                "status": record.status,
                "reason": record.reason,
                "execution": record.execution,
                "execution_status": status,
                "state": state,
                "received_at": record.received_at,
                "url": record.publication.url if record.publication else "",
            }
        )
    return {"items": items, "host": _host(stack)}


def _standing(deployed: Deployed, execution: str) -> tuple[str, str]:
    """An execution's status, and the state that it entered last."""
    try:
        found = deployed.machine.describe(execution)
    except Exception as fault:
        if deployed.error_code(fault) == "ExecutionDoesNotExist":
            return "", ""
        raise
    last = deployed.aws.client("stepfunctions").get_execution_history(executionArn=execution, maxResults=20, reverseOrder=True)
    names = [event["stateEnteredEventDetails"]["name"] for event in last["events"] if "stateEnteredEventDetails" in event]
    return found["status"], names[0] if names else ""


def _host(stack: Stack) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{stack.host_port}/", timeout=2) as answer:
            counters: dict[str, Any] = json.load(answer)
    except OSError:
        return {}
    return counters
