"""Whatever happens to a decoder becomes a reason in words; the worker goes on."""

from __future__ import annotations

import ctypes
import errno
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from media_samples import made_of, quadrants
from PIL import Image
from pymediainfo import MediaInfo

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, inspect, pictures, sandbox
from tasks.media.formats import by_name
from tasks.media.sandbox import MEGABYTE, Bounds, SandboxFault, run

SMALL = Bounds(cpu_seconds=1, wall_seconds=20, memory_bytes=64 * MEGABYTE, file_bytes=MEGABYTE)


def _raise(fault: BaseException) -> None:
    raise fault


def _spin() -> None:
    while True:
        pass


def _eat() -> int:
    return len(bytearray(4096 * MEGABYTE))


def _fill(name: str) -> None:
    Path(name).write_bytes(bytes(2 * MEGABYTE))


def _break() -> None:
    ctypes.string_at(0)


def _reach_out(port: int) -> str:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError as fault:
        return errno.errorcode[fault.errno or 0]
    return "reached"


def _look_around() -> list[str]:
    return [str(Path.cwd()), *map(str, Path().iterdir())]


def _write_to(number: int) -> str:
    try:
        os.write(number, b"x")
    except OSError as fault:
        return errno.errorcode[fault.errno or 0]
    return "written"


def _leave_a_child_behind() -> int:
    child = os.fork()
    if child == 0:
        time.sleep(600)
        os._exit(0)
    return child


def test_an_answer_comes_back(tmp_path: Path) -> None:
    assert run(dict, [("size", [3, 4])], directory=tmp_path) == {"size": [3, 4]}


def test_it_works_in_its_own_empty_directory(tmp_path: Path) -> None:
    here = Path.cwd()
    assert run(_look_around, directory=tmp_path) == [str(tmp_path)]
    assert Path.cwd() == here


@pytest.mark.parametrize(
    ("job", "arguments", "words"),
    [
        (_spin, (), "more than 1 s of processor time"),
        (_eat, (), "more than 64 MB of memory"),
        (_break, (), "breaks the decoder (SIGSEGV)"),
        (os.abort, (), "breaks the decoder (SIGABRT)"),
        (os._exit, (3,), "breaks the decoder (exit 3)"),
        (os.kill, (0, signal.SIGKILL), "more memory or time"),
        (_fill, ("big",), "cannot be decoded: [Errno 27] File too large"),
        (_raise, (InvalidMedia("too many pixels"),), "too many pixels"),
        (_raise, (KeyError("what Pillow may raise"),), "cannot be decoded"),
    ],
)
def test_the_worker_survives_and_says_why(tmp_path: Path, job: object, arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(InvalidMedia) as caught:
        run(job, *arguments, directory=tmp_path, bounds=SMALL)
    assert words in caught.value.reason


def test_what_never_ends_is_ended(tmp_path: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"longer than 0 s"):
        run(time.sleep, 600, directory=tmp_path, bounds=Bounds(wall_seconds=0.2))


def test_a_full_disk_is_not_the_uploads_fault(tmp_path: Path) -> None:
    with pytest.raises(SandboxFault, match="No space"):
        run(_raise, OSError(errno.ENOSPC, "No space left on device"), directory=tmp_path)


def test_the_child_never_becomes_a_second_worker(tmp_path: Path) -> None:
    with pytest.raises(SandboxFault, match="SystemExit"):
        run(_raise, SystemExit("a way out"), directory=tmp_path)


def test_a_missing_library_is_not_the_uploads_fault(tmp_path: Path) -> None:
    with pytest.raises(SandboxFault, match="no module"):
        run(_raise, ImportError("no module"), directory=tmp_path)


def test_it_says_no_more_than_facts(tmp_path: Path) -> None:
    with pytest.raises(InvalidMedia, match="more than facts"):
        run(str.ljust, "", 3 * sandbox.ANSWER_LIMIT, directory=tmp_path)


def test_no_file_or_socket_of_the_worker_is_within_reach(tmp_path: Path) -> None:
    with (tmp_path / "held").open("wb") as held:
        assert run(_write_to, held.fileno(), directory=tmp_path) == "EBADF"


def test_nothing_that_it_started_outlives_it(tmp_path: Path) -> None:
    left = run(_leave_a_child_behind, directory=tmp_path)
    _until(lambda: not _alive(left))


def test_it_reaches_no_network_where_the_kernel_has_namespaces(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = run(_reach_out, server.getsockname()[1], directory=tmp_path)
    assert answer == ("ENETUNREACH" if _kernel_gives_namespaces() else "reached")


def _kernel_gives_namespaces() -> bool:
    """Asked of the kernel by a program that knows nothing of the sandbox, with the numbers of linux/sched.h (user, network)."""
    ask = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare({}) != 0)"
    return any(subprocess.run([sys.executable, "-c", ask.format(kind)]).returncode == 0 for kind in (0x50000000, 0x40000000))


@pytest.mark.parametrize("name", ["a.jpg", "a.heic", "a.mp4"])
def test_every_decoder_runs_in_a_child(
    tmp_path: Path, out: Path, limits: Limits, ffmpeg: Callable[..., None], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Pillow with all its decoders and libmediainfo say which process they are called in; ffmpeg is a process of its own."""
    path, who = tmp_path / name, tmp_path / "who"
    if name == "a.mp4":
        ffmpeg("-f", "lavfi", "-i", "testsrc=s=96x64:r=10:d=1", "-c:v", "libx264", path)
    else:
        pillow_heif.register_heif_opener()
        quadrants().save(path)
        pictures.warm(by_name("jpeg"), by_name("heic"))  # opens a picture of its own, once

    def telling(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            with who.open("a") as told:
                told.write(f"{os.getpid()}\n")
            return function(*arguments, **options)

        return call

    monkeypatch.setattr(Image, "open", telling(Image.open))
    monkeypatch.setattr(MediaInfo, "parse", telling(MediaInfo.parse))
    inspect(path, name, limits) if name == "a.mp4" else made_of(path, out, limits)
    called = {int(line) for line in who.read_text().split()}
    assert called and os.getpid() not in called


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_dies_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    """Nobody is left to enforce its time, so the kernel has to end it."""
    worker = multiprocessing.get_context("fork").Process(target=run, args=(_say_who_and_sleep,), kwargs={"directory": tmp_path})
    worker.start()
    _until((tmp_path / "pid").exists)
    child = int((tmp_path / "pid").read_text())
    worker.kill()
    worker.join()
    try:
        _until(lambda: not _alive(child))
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _say_who_and_sleep() -> None:
    Path("half").write_text(str(os.getpid()))
    Path("half").rename("pid")
    time.sleep(600)


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.02)


def _alive(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
