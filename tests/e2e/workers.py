"""Finds the processes of a running stack that encode, and ends one: by its id, and never another stack's."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
HOST = "infra.local.lambda_host"


@dataclass(frozen=True)
class Encoder:
    """An ffmpeg of this stack: its process, the worker that answers for it, and the second at which it begins to read."""

    pid: int
    worker: int
    seek: float

    def written(self) -> int:
        """Bytes that it wrote so far; 0 when it has ended."""
        try:
            return (PROCESSES / str(self.pid) / "cwd" / "top.mp4").stat().st_size
        except OSError:
            return 0

    def kill_its_worker(self) -> None:
        os.kill(self.worker, signal.SIGKILL)

    def runs(self) -> bool:
        return "top.mp4" in " ".join(_command(self.pid))


def encoders(stack: int) -> Iterator[Encoder]:
    """Those that encode a video's largest size for the stack whose first process is `stack`."""
    for found in PROCESSES.iterdir():
        if not found.name.isdigit() or "top.mp4" not in (command := _command(int(found.name))):
            continue
        line = list(_ancestors(int(found.name)))
        worker = _worker(line)
        if worker and stack in line:
            seek = float(command[command.index("-ss") + 1]) if "-ss" in command else 0.0
            yield Encoder(int(found.name), worker, seek)


def _worker(line: list[int]) -> int:
    """The fork that the functions' host made, in a process's line of ancestors, its own first; 0 when there is none."""
    made = {pid for pid in line if HOST in _command(pid)}
    # Forks of the host bear its name too: the host itself is the oldest of them.
    return next(
        (pid for pid, above in itertools.pairwise(line) if pid in made and above in made and _parent(above) not in made), 0
    )


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        yield pid
        pid = _parent(pid)


def _parent(pid: int) -> int:
    try:
        return int((PROCESSES / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def _command(pid: int) -> list[str]:
    try:
        return (PROCESSES / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return []
