"""`make corpus DIR=...`: `greenroom try` over every file of a folder, and a table by format of what became of them.

Each file is tried in a process of its own, so that a crash or a hang of Greenroom itself is counted and stops nothing, and so
that the memory of the sandboxed children can be told apart. The exit code is 1 when anything crashed or hung.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from infra.cli.try_files import try_files
from tasks.media import Limits

HANGS_AFTER = 1_800.0  # seconds; the sandbox ends every decoder long before
FORK = multiprocessing.get_context("fork")
NUMBER = re.compile(r"\d[\d,.]*")
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `verdict` is accepted, rejected, crashed or hung; `bytes` is the largest child's memory."""

    file: Path
    verdict: str
    reason: str
    format: str
    seconds: float
    bytes: int


def outcomes(folder: Path, limits: Limits, hangs_after: float = HANGS_AFTER) -> Iterator[Outcome]:
    """One for every file under `folder`, as soon as it is known."""
    for path in sorted(found for found in folder.rglob("*") if found.is_file()):
        began = time.monotonic()
        row = _tried(path, limits, hangs_after)
        format = row["format"] or path.suffix.lower().lstrip(".") or "?"
        yield Outcome(path, row["verdict"], row["reason"], format, time.monotonic() - began, row["bytes"])


def _tried(path: Path, limits: Limits, hangs_after: float) -> dict[str, Any]:
    """The row of `greenroom try`, with the memory; or what happened instead of one."""
    ear, mouth = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_try, args=(path, limits, mouth))
    process.start()
    mouth.close()
    try:
        if not ear.poll(hangs_after):
            return _instead("hung", f"no verdict after {hangs_after:,.0f} s")
        return dict(ear.recv())
    except EOFError:
        process.join()
        return _instead("crashed", f"the process ended with {process.exitcode}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()


def _instead(verdict: str, reason: str) -> dict[str, Any]:
    return {"verdict": verdict, "reason": reason, "format": "", "bytes": 0}


def _try(path: Path, limits: Limits, mouth: Connection) -> None:
    """In the file's own process, which leads a group so that nothing it started outlives it."""
    os.setpgid(0, 0)
    try:
        row = next(iter(try_files([path], None, limits)))
        told = {name: row[name] for name in ("verdict", "reason", "format")}
    except BaseException as fault:  # whatever it is, it is the finding
        told = {"verdict": "crashed", "reason": f"{type(fault).__name__}: {fault}", "format": ""}
    unit = 1 if sys.platform == "darwin" else 1024
    mouth.send({**told, "bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit})


def by_format(found: Iterable[Outcome]) -> list[str]:
    """The table's lines: a format a line, then the reasons of rejections, then every crash and hang."""
    rows = list(found)
    head = f"{'format':10} {'files':>6} {'accepted':>9} {'rejected':>9} {'crashed':>8} {'slowest':>9} {'memory':>9}"
    lines = [head]
    for format in sorted({row.format for row in rows}):
        lines.append(_line(format, [row for row in rows if row.format == format]))
    lines += [_line("all", rows)] if rows else []
    reasons = Counter(NUMBER.sub("#", row.reason) for row in rows if row.verdict == "rejected")
    lines += ["", *(f"{count:5} x {reason}" for reason, count in reasons.most_common())]
    slow, large = _most(rows, "seconds"), _most(rows, "bytes")
    lines += [""]
    lines += [f"slowest: {one.file.name}, {one.seconds:.1f} s" for one in slow]
    lines += [f"largest memory: {one.file.name}, {one.bytes / MEGABYTE:.0f} MiB" for one in large]
    return lines + [f"{row.verdict.upper()}: {row.file}: {row.reason}" for row in rows if row.verdict in ("crashed", "hung")]


def _line(name: str, rows: list[Outcome]) -> str:
    count = Counter(row.verdict for row in rows)
    broken = count["crashed"] + count["hung"]
    slowest, memory = max(row.seconds for row in rows), max(row.bytes for row in rows) / MEGABYTE
    counts = f"{len(rows):6} {count['accepted']:9} {count['rejected']:9} {broken:8}"
    return f"{name[:10]:10} {counts} {slowest:7.1f} s {memory:5.0f} MiB"


def _most(rows: list[Outcome], what: str) -> list[Outcome]:
    return sorted(rows, key=lambda row: getattr(row, what), reverse=True)[:3]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="make corpus", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        parser.error(f"no such folder: {given.folder}; name one with make corpus DIR=...")
    # As functions run: a library's threads and Greenroom's own would fight for the cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = list(outcomes(given.folder, Limits()))
    print("\n".join(by_format(found)))
    return int(any(row.verdict in ("crashed", "hung") for row in found))


if __name__ == "__main__":
    sys.exit(main())
