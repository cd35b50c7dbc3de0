"""Runs the task functions for MiniStack: one asyncio process that forks warm workers and lets calls beyond its limit queue.

MiniStack posts an event to us and takes our answer for the function's. A call that waits, or works, is told so by a
100 response every second: MiniStack's socket would otherwise give up after the function's timeout, queue included.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import sys
import time
from collections.abc import Awaitable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from infra.local import service
from infra.local.gate import Gate, is_heavy
from infra.local.gather import Gathering, windows
from infra.local.web import Request, Response, serve
from infra.local.worker_main import Binding
from infra.local.workers import Crashed, Pool, TimedOut, Worker

T = TypeVar("T")
TELL_SECONDS = 1.0


@dataclass
class Count:
    """What one function did since the host started; seconds are wall time inside the worker."""

    calls: int = 0
    errors: int = 0
    running: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    queued_seconds: float = 0.0


@dataclass
class Host:
    """Where calls come in."""

    gate: Gate
    pool: Pool
    gathering: Gathering
    counts: dict[str, Count] = field(default_factory=dict)
    most_alive: int = 0

    async def handle(self, request: Request) -> Response:
        if request.method == "GET":
            return Response.json(self.state())
        # A custom header: no web page can send it here without asking first, and nobody answers that question.
        function = request.header("x-amzn-lambda-function-name")
        if request.method != "POST" or not function:
            return Response.json(_error("BadRequest", "POST an event with X-Amzn-Lambda-Function-Name"), 400)
        if request.path == "/recycle":
            self.pool.end_idle(0)
            return Response.json({})
        return await self._told(request, self._invoke(function, request))

    def state(self) -> dict[str, Any]:
        return {
            "limit": self.gate.limit,
            "heavy_limit": self.gate.heavy_limit,
            "running": self.gate.running,
            "waiting": self.gate.waiting,
            "workers": self.pool.alive,
            "most_workers": self.most_alive,
            "workers_started": self.pool.started,
            "functions": {name: asdict(count) for name, count in sorted(self.counts.items())},
        }

    async def _told(self, request: Request, work: Awaitable[T]) -> T:
        """Do the work, and tell the caller every second that it is still going on."""
        task = asyncio.ensure_future(work)
        while True:
            done, _ = await asyncio.wait([task], timeout=TELL_SECONDS)
            if done:
                return task.result()
            with contextlib.suppress(ConnectionError):
                await request.still_working()

    async def _invoke(self, function: str, request: Request) -> Response:
        seconds = _timeout(request)
        facts = {"request": request.header("x-amzn-lambda-request-id"), "arn": request.header("x-amzn-lambda-function-arn")}

        async def run(event: Any) -> Response:
            return await self._admitted(function, {"event": event, "seconds": seconds, **facts}, seconds)

        return await self.gathering.call(function, json.loads(await request.read()), run)

    async def _admitted(self, function: str, call: dict[str, Any], seconds: float) -> Response:
        count, heavy, arrived = self.counts.setdefault(function, Count()), is_heavy(function), time.monotonic()
        await self.gate.enter(heavy)
        count.queued_seconds += time.monotonic() - arrived
        try:
            return await self._run(function, call, seconds, count)
        finally:
            self.gate.leave(heavy)

    async def _run(self, function: str, call: dict[str, Any], seconds: float, count: Count) -> Response:
        count.calls += 1
        count.running += 1
        began = time.monotonic()
        worker = await self.pool.take(function)
        self.most_alive = max(self.most_alive, self.pool.alive)
        try:
            answer = await worker.call(call, seconds)
        except (Crashed, TimedOut) as fault:
            answer = {"error": self._buried(worker, fault, call["request"])}
        else:
            self.pool.give_back(worker)
        finally:
            took = time.monotonic() - began
            count.running -= 1
            count.seconds += took
            count.longest = max(count.longest, took)
        if "error" in answer:
            count.errors += 1
            return Response.json(answer["error"], 500)
        return Response.json(answer["result"])

    def _buried(self, worker: Worker, fault: Exception, request: str) -> dict[str, str]:
        code = self.pool.end(worker)
        if isinstance(fault, TimedOut):
            return _error("Sandbox.Timedout", f"{request} {fault}")
        return _error("Runtime.ExitError", f"RequestId: {request} Error: the worker exited with status {code}")


def _error(kind: str, message: str) -> dict[str, str]:
    return {"errorMessage": message, "errorType": kind}


def _timeout(request: Request) -> float:
    """The function's timeout in seconds: MiniStack states the deadline of a call that starts now."""
    deadline = request.header("x-amzn-lambda-deadline-ms")
    if not deadline.isdigit():
        return 900.0
    return max(1.0, round(int(deadline) / 1000 - time.time()))


def preload(package: str = "tasks") -> None:
    """Import all that functions use, so that a fork has it at once; what fails here fails again, aloud, in its worker."""
    for name in ("boto3", "botocore.httpsession", "botocore.session", package):
        importlib.import_module(name)
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        try:
            importlib.import_module(module.name)
        except Exception as fault:
            sys.stderr.write(f"{module.name} cannot be imported: {type(fault).__name__}: {fault}\n")


def clients(endpoint: str) -> dict[str, Any]:
    """The host's own clients; they have no connection yet, so every fork may use its copy."""
    import boto3

    session = boto3.session.Session()
    return {name: session.client(name, endpoint_url=endpoint) for name in ("lambda", "sts")}


def make_host(logs: Path, scratch: Path, limit: int, heavy_limit: int, own: dict[str, Any], assume: bool) -> Host:
    environment = dict(os.environ)

    def bind(function: str, folder: Path) -> Binding:
        return Binding(function, logs / f"{function}.log", folder, environment, own, assume)

    gate = Gate(limit, heavy_limit)
    return Host(gate, Pool(bind, scratch), Gathering(gate, windows(own["lambda"])))


async def sweep(host: Host) -> None:
    """End idle workers, for as long as the host lives."""
    while True:
        await asyncio.sleep(10)
        host.pool.end_idle()


async def main(options: service.Options) -> None:
    preload()
    own = clients(os.environ["AWS_ENDPOINT_URL"])
    # What is loaded now stays: the collector needn't touch it, so that forks go on sharing its pages.
    gc.collect()
    gc.freeze()
    cores = os.cpu_count() or 2
    limit = options.limit or max(4, 2 * cores)
    host = make_host(options.state / "logs", options.state / "scratch", limit, max(1, cores), own, options.auth)
    server = await serve(host.handle, options.socket)
    sweeper = asyncio.create_task(sweep(host))
    await service.until_stopped()
    server.close()
    sweeper.cancel()
    host.pool.end_idle(0)


if __name__ == "__main__":
    service.run(main)
