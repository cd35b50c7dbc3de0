"""The cage that every decoder runs in: a forked child with limits, no network, an empty directory, and a pipe to answer through.

A fork of the warm worker costs milliseconds where a new interpreter costs 80. Whatever happens in the child (a crash,
an endless loop, memory without end) becomes an InvalidMedia with words; the worker itself goes on unharmed.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from tasks.core.errors import InvalidMedia
from tasks.core.text import one_line

MEGABYTE = 1 << 20
ANSWER_LIMIT = MEGABYTE
# On a small machine (a Lambda function's is as large as its memory setting) the child must fail before the whole of it does.
SHARE = 0.8
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
M_ARENA_MAX = -8
# The machine's trouble, not the upload's: a full disk, no file handles, no memory for a fork, a missing program.
OURS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EMFILE,
    errno.ENFILE,
    errno.EAGAIN,
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
)


class SandboxFault(RuntimeError):
    """The child failed for a reason that is not the upload's; the task fails and is tried again."""


@dataclass(frozen=True)
class Bounds:
    """What one job may use: seconds of processor, seconds on the clock, bytes of memory (never more than the machine
    can spare) and of any one file it writes."""

    cpu_seconds: int = 60
    wall_seconds: float = 120.0
    memory_bytes: int = 2048 * MEGABYTE  # on top of what the worker holds already
    file_bytes: int = 512 * MEGABYTE


@contextmanager
def workspace() -> Iterator[Path]:
    """A fresh directory of its own; nothing is left of it afterwards."""
    with tempfile.TemporaryDirectory(prefix="greenroom-") as name:
        yield Path(name)


def run(job: Callable[..., Any], *arguments: Any, directory: Path, bounds: Bounds = Bounds()) -> Any:
    """Call `job(*arguments)` in a caged child whose working directory is `directory`; returns its answer as plain JSON values.

    Raises InvalidMedia when the job does, or when it crashes or exceeds its bounds; SandboxFault for the machine's own trouble.
    """
    _libc()
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(job, arguments, directory, bounds, mouth)
    os.close(mouth)
    try:
        answer = _listen(ear, bounds.wall_seconds)
    finally:
        os.close(ear)
        status = _end(child)
    return _verdict(answer, status, bounds)


def _listen(ear: int, seconds: float) -> bytes | None:
    """The one line that the child says; empty when it ends without a word, None when it takes too long."""
    deadline = time.monotonic() + seconds
    poll = select.poll()
    poll.register(ear, select.POLLIN | select.POLLHUP)
    said = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            return None
        chunk = os.read(ear, 65536)
        if not chunk:
            return b""
        said += chunk
        if said.endswith(b"\n"):
            return bytes(said)
        if len(said) > ANSWER_LIMIT:
            raise InvalidMedia("its decoder answers with more than facts")


def _end(child: int) -> int:
    """End the child with everything it started; returns how it ended. It is reaped last, so that its group's id stays its own."""
    _wait_briefly(child)
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _wait_briefly(child: int) -> None:
    """An exit under way shows its true status in a moment; a child that only closed the pipe is not waited for."""
    if not hasattr(os, "pidfd_open"):
        return
    handle = os.pidfd_open(child)
    try:
        select.select([handle], [], [], 0.2)
    finally:
        os.close(handle)


def _verdict(answer: bytes | None, status: int, bounds: Bounds) -> Any:
    if answer is None:
        raise InvalidMedia(f"decoding it takes longer than {bounds.wall_seconds:,.0f} s, the limit")
    if not answer:
        raise InvalidMedia(_how_it_ended(status, bounds))
    message = json.loads(answer)
    if "invalid" in message:
        raise InvalidMedia(message["invalid"])
    if "fault" in message:
        raise SandboxFault(message["fault"])
    return message["value"]


def _how_it_ended(status: int, bounds: Bounds) -> str:
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number == signal.SIGXCPU:
        return f"decoding it takes more than {bounds.cpu_seconds:,} s of processor time, the limit"
    if number == signal.SIGXFSZ:
        return f"decoding it writes more than {bounds.file_bytes // MEGABYTE:,} MB, the limit"
    if number == signal.SIGKILL:
        return "decoding it takes more memory or time than there is"
    name = signal.Signals(number).name if number else f"exit {os.waitstatus_to_exitcode(status)}"
    return f"its content breaks the decoder ({name})"


# ---- in the child ----


def _be_the_child(job: Callable[..., Any], arguments: tuple[Any, ...], directory: Path, bounds: Bounds, mouth: int) -> NoReturn:
    try:
        _enter(directory, bounds, mouth)
        message = _attempt(job, arguments, bounds)
        _tell(mouth, json.dumps(message).encode())
    except BaseException as fault:  # the child must end here, whatever happens: a second worker would be worse
        _tell(mouth, json.dumps({"fault": f"{type(fault).__name__}: {fault}"}).encode())
    finally:
        os._exit(0)


def _tell(mouth: int, message: bytes) -> None:
    message += b"\n"
    with suppress(OSError):
        while message:
            message = message[os.write(mouth, message) :]


def _attempt(job: Callable[..., Any], arguments: tuple[Any, ...], bounds: Bounds) -> dict[str, Any]:
    try:
        return {"value": job(*arguments)}
    except InvalidMedia as bad:
        return {"invalid": bad.reason}
    except MemoryError:
        return {"invalid": f"decoding it takes more than {bounds.memory_bytes // MEGABYTE:,} MB of memory, the limit"}
    except ImportError as fault:
        return {"fault": f"{type(fault).__name__}: {fault}"}
    except OSError as fault:
        if fault.errno in OURS:
            return {"fault": f"{type(fault).__name__}: {fault}"}
        return {"invalid": f"it cannot be decoded: {_words(fault)}"}
    except Exception as odd:  # decoders raise anything at all on malformed input
        return {"invalid": f"it cannot be decoded: {_words(odd)}"}


def _words(fault: Exception) -> str:
    """The decoder's own words on one line, without the machine's paths."""
    return one_line(str(fault).replace(str(Path.cwd()), ""), 200) or type(fault).__name__


def _enter(directory: Path, bounds: Bounds, mouth: int) -> None:
    # Objects of the worker must never be finalised here: their file numbers belong to others now.
    gc.freeze()
    if "faulthandler" in sys.modules:
        sys.modules["faulthandler"].disable()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    die_with_parent()
    _close_all_but(mouth)
    os.chdir(directory)
    _leave_the_network()
    _limit(bounds)
    _keep_freed_memory()


def _close_all_but(mouth: int) -> None:
    """Sockets and files of the worker are none of a decoder's business."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.closerange(3, mouth)
    os.closerange(mouth + 1, 65536)


def _limit(bounds: Bounds) -> None:
    held, data = _held()
    memory = min(bounds.memory_bytes, int(_memory_of_the_machine() * SHARE))
    for kind, amount in (
        (resource.RLIMIT_CPU, bounds.cpu_seconds),
        (resource.RLIMIT_FSIZE, bounds.file_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, data + memory),
        (resource.RLIMIT_AS, held + memory + 512 * MEGABYTE),  # mappings of files and thread stacks come on top
    ):
        # The hard limit is one more for processor time, so that SIGXCPU names the cause before SIGKILL hides it.
        hard = amount + 1 if kind == resource.RLIMIT_CPU else amount
        with suppress(ValueError, OSError):  # macOS knows no RLIMIT_AS; a container may already have set a lower one
            resource.setrlimit(kind, (amount, hard))


def _held() -> tuple[int, int]:
    """Bytes of address space and of data that this process, a copy of the worker, starts with."""
    try:
        pages = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0, 0
    size = resource.getpagesize()
    return int(pages[0]) * size, int(pages[5]) * size


def _memory_of_the_machine() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@cache
def _libc() -> Any:
    """The C library, for the calls that Python 3.11 does not offer; opened in the worker so that children find it warm."""
    return ctypes.CDLL(None, use_errno=True)


def _keep_freed_memory() -> None:
    """Have glibc use freed memory again instead of returning it: the child ends soon. Fetching it page by page anew costs a
    tenth of a picture's time. One heap for all threads, as what one frees the next can use."""
    libc = _libc()
    if hasattr(libc, "mallopt"):
        for option, value in ((M_TRIM_THRESHOLD, 1 << 30), (M_MMAP_MAX, 0), (M_ARENA_MAX, 1)):
            libc.mallopt(option, value)


def _leave_the_network() -> None:
    """A network namespace with nothing in it, where the platform allows one; Lambda does not, and has its own walls."""
    libc = _libc()
    if hasattr(libc, "unshare") and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWNET)


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends, and refuse it new privileges (Linux)."""
    libc = _libc()
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
