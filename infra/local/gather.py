"""The batching window of a queue's event source mapping, which MiniStack ignores: calls wait for each other and become one.

AWS waits for the window's end. Here a person sits before the machine: the wait also ends as soon as nothing else is being
worked on, so that one photo's mail comes at once and forty photos' mail comes once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from infra.local.gate import Gate
from infra.local.web import Response

# Longer than the machine's way from one state to the next.
QUIET_SECONDS = 0.3
MOST_RECORDS = 40

Run = Callable[[dict[str, Any]], Awaitable[Response]]
Window = Callable[[str], float]


@dataclass
class _Group:
    records: list[dict[str, Any]] = field(default_factory=list)
    full: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Future[Response] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Gathering:
    """Gathers the records of functions whose mapping has a window; `window` says its seconds, 0 for none, and may block."""

    def __init__(self, gate: Gate, window: Window) -> None:
        self._gate, self._window = gate, window
        self._known: dict[str, float] = {}
        self._open: dict[str, _Group] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def call(self, function: str, event: Any, run: Run) -> Response:
        """The answer to this event's own records, from a call that may hold those of others too."""
        records = _of_a_queue(event)
        window = await self._seconds(function) if records else 0.0
        if not window:
            return await run(event)
        group = self._open.get(function)
        if group is None:
            group = self._open[function] = _Group()
            task = asyncio.create_task(self._close(function, group, window, run))
            self._closing.add(task)  # a task that nobody holds may be collected
            task.add_done_callback(self._closing.discard)
        self._add(function, group, records)
        return _share(await asyncio.shield(group.answer), records)

    def _add(self, function: str, group: _Group, records: list[dict[str, Any]]) -> None:
        group.records += records
        if len(group.records) >= MOST_RECORDS:
            del self._open[function]
            group.full.set()

    async def _seconds(self, function: str) -> float:
        if function not in self._known:
            self._known[function] = await asyncio.to_thread(self._window, function)
        return self._known[function]

    async def _close(self, function: str, group: _Group, seconds: float, run: Run) -> None:
        reasons = [asyncio.ensure_future(self._gate.quiet(QUIET_SECONDS)), asyncio.ensure_future(group.full.wait())]
        _, waiting = await asyncio.wait(reasons, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()
        if self._open.get(function) is group:
            del self._open[function]
        try:
            group.answer.set_result(await run({"Records": group.records}))
        except Exception as fault:  # every caller that waits must hear of it
            group.answer.set_exception(fault)


def _of_a_queue(event: Any) -> list[dict[str, Any]]:
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        return []
    return records if all(each.get("eventSource") == "aws:sqs" for each in records) else []


def _share(answer: Response, records: list[dict[str, Any]]) -> Response:
    """What the function said of these records: of all failures only theirs; an error is everybody's."""
    if answer.status != 200 or not isinstance(answer.body, bytes):
        return answer
    said = json.loads(answer.body)
    if not isinstance(said, dict):
        return answer
    own = {each["messageId"] for each in records}
    failures = [each for each in said.get("batchItemFailures", []) if each["itemIdentifier"] in own]
    return Response.json({**said, "batchItemFailures": failures})


def windows(client: Any) -> Window:
    """Asks Lambda for the mapping's window; `client` is boto3's for Lambda."""

    def window(function: str) -> float:
        found = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        return max((float(each.get("MaximumBatchingWindowInSeconds") or 0) for each in found), default=0.0)

    return window
