"""The loop that every Python contender answers in: a job a line in, its seconds out. Knows nothing but Python's own library."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

SIZES = (2048, 1280, 640, 320)
QUALITY = 80
EFFORT = 2  # WebP's, for every contender that is not asked for its own defaults
PLACEHOLDER = 24


def used() -> tuple[float, int]:
    """CPU seconds of this process and its ended children, and the largest memory of any of those children in bytes."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return seconds, children.ru_maxrss * 1024


def serve(prepare: Callable[[Path, Path], None]) -> None:
    """Answer `{"source": path, "out": folder}` with `{"wall": s, "cpu": s, "child": bytes}` until the input ends."""
    for line in sys.stdin:
        job = json.loads(line)
        began, before = time.perf_counter(), used()[0]
        prepare(Path(job["source"]), Path(job["out"]))
        cpu, child = used()
        print(json.dumps({"wall": time.perf_counter() - began, "cpu": cpu - before, "child": child}), flush=True)
