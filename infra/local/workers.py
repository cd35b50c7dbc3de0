"""Warm workers: forked from a parent that has every task imported, kept while they are used, ended when they misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local import worker_main

IDLE_SECONDS = 600
MAX_AGE_SECONDS = 2400  # assumed roles last an hour
MAX_CALLS = 500
MAX_RSS = 1 << 30
MAX_IDLE = 20


class Crashed(Exception):
    """The worker ended without an answer."""


class TimedOut(Exception):
    """The worker took longer than the function's timeout and was ended."""


@dataclass
class Worker:
    """One child process; `call` one at a time."""

    function: str
    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    scratch: Path
    born: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)
    calls: int = 0
    rss: int = 0

    @property
    def worn(self) -> bool:
        """Old, much used or grown: the next call deserves a new one."""
        return self.calls >= MAX_CALLS or self.rss > MAX_RSS or time.monotonic() - self.born > MAX_AGE_SECONDS

    async def call(self, call: dict[str, Any], timeout: float) -> dict[str, Any]:
        """One invocation; raises Crashed, TimedOut (seconds after which the worker is to be ended)."""
        self.calls += 1
        try:
            self.writer.write(worker_main.frame(call))
            answer = await asyncio.wait_for(self._answer(), timeout)
        except TimeoutError as fault:
            raise TimedOut(f"Task timed out after {timeout:.2f} seconds") from fault
        except (OSError, asyncio.IncompleteReadError) as fault:
            raise Crashed("the worker ended without an answer") from fault
        self.rss, self.used = answer.get("rss", 0), time.monotonic()
        return answer

    async def _answer(self) -> dict[str, Any]:
        head = await self.reader.readexactly(worker_main.HEAD)
        body = await self.reader.readexactly(int.from_bytes(head, "big"))
        answer: dict[str, Any] = json.loads(body)
        return answer

    def end(self) -> int:
        """Kill the worker and whatever it started; returns its exit code (negative: the signal that had ended it)."""
        self.writer.close()
        status = _reap(self.pid, os.WNOHANG)
        if status is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            status = _reap(self.pid, 0)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return status if status is not None else 0


def _reap(pid: int, options: int) -> int | None:
    try:
        done, status = os.waitpid(pid, options)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if done else None


class Pool:
    """Idle workers by function; the longest idle ones go first."""

    def __init__(self, bind: Callable[[str, Path], worker_main.Binding], scratch: Path) -> None:
        self._bind, self._scratch = bind, scratch
        self._idle: list[Worker] = []  # least recently used first
        self.alive = self.started = self._serial = 0

    async def take(self, function: str) -> Worker:
        """An idle worker of this function, else a new one."""
        for worker in reversed(self._idle):
            if worker.function == function:
                self._idle.remove(worker)
                return worker
        return await self._fork(function)

    def give_back(self, worker: Worker) -> None:
        if worker.worn:
            self.end(worker)
            return
        self._idle.append(worker)
        while len(self._idle) > MAX_IDLE:
            self.end(self._idle.pop(0))

    def end(self, worker: Worker) -> int:
        self.alive -= 1
        return worker.end()

    def end_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """End the workers that were not used for `seconds`."""
        stale = [worker for worker in self._idle if time.monotonic() - worker.used >= seconds]
        self._idle = [worker for worker in self._idle if worker not in stale]
        for worker in stale:
            self.end(worker)

    async def _fork(self, function: str) -> Worker:
        self._serial += 1
        scratch = self._scratch / f"w{self._serial}"
        binding = self._bind(function, scratch)
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            worker_main.run(theirs, binding)
        theirs.close()
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours)
        self.alive += 1
        self.started += 1
        return Worker(function, pid, reader, writer, scratch)
