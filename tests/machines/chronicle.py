"""The cases of MockConfigFile.json, and what an engine tells of them."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machines.definition import Definition
from machines.engine import ROLE, Story, client_for, substituted, told

MOCKS = Path(__file__).parent / "MockConfigFile.json"
ENGINES = ["ministack"] + (["stepfunctions-local"] if os.environ.get("STEPFUNCTIONS_LOCAL_URL") else [])

# One upload as ReceiveUpload starts an execution with it.
UPLOAD = {
    "item": {
        "id": "k7q2mzx4w3ncdy5tvb6a",
        "attempt": 1,
        "bucket": "greenroom-inbox",
        "key": "Summer/cat.jpg",
        "version": "v1",
        "etag": "9b2cf535f27731c974343645a3985328",
        "bytes": 2400000,
        "album": "summer",
        "album_title": "Summer",
        "contributor": "Ben",
        "received_at": "2026-07-05T08:00:00Z",
    }
}
INPUTS = {"ingest": UPLOAD}


def mock_configuration() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(MOCKS.read_text())
    return found


def every_case() -> list[tuple[str, str]]:
    """(machine, case) for every case of the mock configuration."""
    machines = mock_configuration()["StateMachines"]
    return [(machine, case) for machine, body in machines.items() for case in body["TestCases"]]


@dataclass(frozen=True)
class Chronicle:
    """Every case of every machine, told by one engine."""

    engine: str
    stories: dict[tuple[str, str], Story]

    def of(self, case: str, machine: str = "ingest") -> Story:
        return self.stories[machine, case]


def quickened(definition: Definition) -> Definition:
    """The definition with retries a second apart: Step Functions Local really waits, and minutes would say no more."""
    body = json.loads(json.dumps(definition.body), object_hook=_a_second_apart)
    return Definition(definition.name, body)


def _a_second_apart(part: dict[str, Any]) -> dict[str, Any]:
    return part | {"IntervalSeconds": 1, "BackoffRate": 1.0} if "MaxAttempts" in part else part


def write(engine: str, url: str, machines: dict[str, Definition]) -> Chronicle:
    """All cases started at once, then read one after the other: a second for the whole book."""
    stepfunctions = client_for(url, "stepfunctions")
    arns = {}
    for name, definition in machines.items():
        text = substituted(definition if engine == "ministack" else quickened(definition), _stand_in)
        arns[name] = stepfunctions.create_state_machine(name=name, definition=text, roleArn=ROLE)["stateMachineArn"]
    run = uuid.uuid4().hex[:8]  # an engine that outlives this run remembers the names of executions
    executions = {
        (machine, case): stepfunctions.start_execution(
            stateMachineArn=f"{arns[machine]}#{case}", name=f"{case}-{run}", input=json.dumps(INPUTS[machine])
        )["executionArn"]
        for machine, case in every_case()
    }
    return Chronicle(engine, {key: told(machines[key[0]], stepfunctions, arn) for key, arn in executions.items()})


def _stand_in(name: str) -> str:
    if name.endswith("FunctionArn"):
        return f"arn:aws:lambda:us-east-1:000000000000:function:greenroom-{name.removesuffix('FunctionArn')}"
    if name.endswith("QueueUrl"):
        return "http://localhost/000000000000/greenroom-approvals"
    return "1209600" if name.endswith("Seconds") else f"greenroom-{name}"
