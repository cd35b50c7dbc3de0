"""Small media made on the spot: pictures by Pillow and pillow-heif, clips by ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.media import Limits
from tasks.media.transcoder import find_ffmpeg


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., None]:
    """Runs ffmpeg to make a fixture."""

    def run(*arguments: str | Path) -> None:
        command = [find_ffmpeg(), "-v", "error", "-y", "-nostdin", *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    return run


@pytest.fixture(scope="session")
def levels() -> Callable[[Path], list[int]]:
    """The brightness of each frame of a clip, whose frames are each of one grey."""

    def read(path: Path) -> list[int]:
        command = [find_ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough"]
        command += ["-vf", "scale=1:1,format=gray", "-f", "rawvideo", "-"]
        return list(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)

    return read
