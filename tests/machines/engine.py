"""Runs state machines on an engine that speaks Step Functions' API, and tells each execution as a story."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from machines.definition import Definition, Transition

ROLE = "arn:aws:iam::000000000000:role/machine"
FAILED_TASK = ("TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionTimedOut")
PATIENCE = 60


@dataclass(frozen=True)
class Story:
    """What an execution did, read from its history."""

    status: str
    path: tuple[str, ...]  # states in the order in which they were entered, those outside Map and Parallel only
    inside: frozenset[str]  # states inside Map and Parallel, where the engine shows them
    given: dict[str, Any]  # each state's input when it was last entered
    ways: frozenset[Transition]
    output: Any
    error: str
    events: tuple[dict[str, Any], ...]

    @property
    def outcome(self) -> str:
        """The state that it ended in."""
        return self.path[-1]


def client_for(url: str, service: str) -> Any:
    retries = Config(retries={"total_max_attempts": 2}, read_timeout=30)
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", config=retries)


def substituted(definition: Definition, value: Callable[[str], str]) -> str:
    """The definition as JSON with every `${Name}` replaced by `value(Name)`."""
    text = json.dumps(definition.body)
    while "${" in text:
        start = text.index("${")
        end = text.index("}", start)
        text = text[:start] + value(text[start + 2 : end]) + text[end + 1 :]
    return text


def finished(stepfunctions: Any, execution: str) -> dict[str, Any]:
    """Wait for an execution's end; raises TimeoutError naming the last state it entered."""
    until = time.monotonic() + PATIENCE
    while (found := stepfunctions.describe_execution(executionArn=execution))["status"] == "RUNNING":
        if time.monotonic() > until:
            events = stepfunctions.get_execution_history(executionArn=execution, maxResults=1000)["events"]
            raise TimeoutError(f"{execution} is still running; its last event: {events[-1]}")
        time.sleep(0.02)
    return dict(found)


def told(definition: Definition, stepfunctions: Any, execution: str) -> Story:
    """Read a finished execution's story."""
    found = finished(stepfunctions, execution)
    pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution)
    events = [event for page in pages for event in page["events"]]
    entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
    names = [row["name"] for row in entered]
    visits = [(row["name"], json.loads(row["input"])) for row in entered]
    outer = [visit for visit in visits if visit[0] not in definition.container]
    path = tuple(name for name, _ in outer)
    return Story(
        status=found["status"],
        path=path,
        inside=frozenset(name for name in names if name in definition.container),
        given=dict(visits),
        ways=frozenset(_ways(definition, events, outer)),
        output=json.loads(found.get("output") or "null"),
        error=found.get("error", ""),
        events=tuple(events),
    )


def _ways(definition: Definition, events: list[dict[str, Any]], visits: list[tuple[str, Any]]) -> Iterator[Transition]:
    """From each visit to the next, with what the state was told that time: one may be entered twice."""
    caught = _left_by_catch(definition, events)
    for (source, given), (target, _) in itertools.pairwise(visits):
        yield definition.way(source, target, given, caught=source in caught)


def _left_by_catch(definition: Definition, events: list[dict[str, Any]]) -> set[str]:
    """States whose last word before they were left was a failure."""
    caught: set[str] = set()
    failed = False
    for event in events:
        if event["type"] in FAILED_TASK:
            failed = True
        elif event["type"].endswith(("Succeeded", "StateEntered")):
            failed = False
        elif "stateExitedEventDetails" in event:
            name = event["stateExitedEventDetails"]["name"]
            if failed and name not in definition.container:
                caught.add(name)
            failed = False
    return caught


def free_port(ports: range) -> int:
    """The first port of `ports` that nobody listens on; raises OSError when there is none."""
    for port in ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port between {ports.start} and {ports.stop}")


@contextlib.contextmanager
def ministack(folder: Path, mocks: Path, port: int) -> Iterator[str]:
    """MiniStack with a mock configuration, on loopback only, for as long as the block lasts; yields its address."""
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(folder / "state"),
        "SFN_MOCK_CONFIG": str(mocks),
        "SFN_WAIT_SCALE": "0",  # retries wait for nothing: no mock gets better by waiting
    }
    log = folder / "ministack.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "ministack"], env=environment, stdout=out, stderr=out, cwd=folder)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_healthy(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"MiniStack did not start; its log says:\n{log.read_text()[-2000:]}")
