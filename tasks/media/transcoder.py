"""Finds ffmpeg and runs it in the sandbox: local files in an empty directory, and only the formats and codecs we accept."""

from __future__ import annotations

import errno
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from tasks.core.errors import InvalidMedia
from tasks.media import sandbox
from tasks.media.limits import Limits
from tasks.media.sandbox import MEGABYTE, Bounds
from tasks.media.video_facts import AUDIO_DECODERS, VIDEO_CODECS

# A segment of half a minute; the task has 15 minutes. Processor seconds are those of all threads.
BOUNDS = Bounds(cpu_seconds=3600, wall_seconds=840, memory_bytes=6144 * MEGABYTE, file_bytes=8192 * MEGABYTE)
DECODERS = ",".join([*(name for _, names in VIDEO_CODECS.values() for name in names), *AUDIO_DECODERS])
MAX_STREAMS = 64
# No metadata, chapters, subtitles, data or time code of the source; the index first, so that playing starts at once.
CLEAN = {
    "map_metadata": -1,
    "map_chapters": -1,
    "sn": None,
    "dn": None,
    "write_tmcd": 0,
    "fflags": "+bitexact",
    "movflags": "+faststart",
}

OLDEST = (9,)  # ffmpeg; 7.0 crashes on some transport streams and writes its own name into what is published
LIBAVUTIL = 52  # ahead of ffmpeg's major version, since 5
ASKED = "the setting FFMPEG (--ffmpeg) names"
MEND = f"leave it out to use the one that comes with Greenroom, or name one of version {OLDEST[0]} or newer"
NONE = "no ffmpeg: pip install imageio-ffmpeg, or set FFMPEG to the path of another"

# No SEI messages: cameras and encoders write captions, times and their own names there, and no player needs them.
NO_NOTES = "filter_units=remove_types=6"
# Nor an encoder's name and version in the container or the picture.
NAMELESS = {"flags:v": "+bitexact", "metadata:s:v:0": "encoder=Greenroom"}


class FfmpegMissing(RuntimeError):
    """No ffmpeg where Greenroom looks for one, or one that is too old."""


@cache
def find_ffmpeg(setting: str = "") -> str:
    """The path of the ffmpeg to use: imageio-ffmpeg's own, or the one that a setting names. Raises FfmpegMissing.

    Never one that merely is on PATH: results must not depend on what else a machine has installed.
    """
    if not setting:
        return _bundled()
    found = shutil.which(setting)
    if not found:
        raise FfmpegMissing(f"{ASKED} {setting!r}, which is no program; {MEND}")
    version = version_of(found)
    if version < OLDEST:
        stated = f"ffmpeg {'.'.join(map(str, version))}" if version else "no ffmpeg"
        raise FfmpegMissing(f"{ASKED} {found!r}, which is {stated}; {MEND}")
    return found


def version_of(program: str) -> tuple[int, ...]:
    """What an ffmpeg says that it is, (9, 0, 2) or (7, 1); empty when it does not say. Raises FfmpegMissing.

    A build from a development branch is named after a commit: the version of its libavutil tells its release.
    """
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, errors="replace", timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as fault:
        raise FfmpegMissing(f"{ASKED} {program!r}, which does not run; {MEND}") from fault
    release = re.match(r"ffmpeg version n?(\d+(?:\.\d+)*)", said.stdout)
    library = re.search(r"^libavutil +(\d+)", said.stdout, re.MULTILINE)
    if release:
        return tuple(map(int, release[1].split(".")))
    return (int(library[1]) - LIBAVUTIL,) if library else ()


def _bundled() -> str:
    """The one inside imageio-ffmpeg's wheel; its own search would go on to a variable of the environment and to PATH."""
    try:
        inside = resources.files("imageio_ffmpeg.binaries")
    except ModuleNotFoundError as fault:
        raise FfmpegMissing(NONE) from fault
    found = next((str(file) for file in inside.iterdir() if file.name.startswith("ffmpeg")), "")
    if not found:
        raise FfmpegMissing(NONE)
    return found


def source(filename: str, pixels: int, *, demuxers: str = "mov", **options: Any) -> Any:
    """An input of ffmpeg-python's graph: a file of the job's own directory, opened with the fewest powers.

    `demuxers` are the only ones that may open it; a playlist's are never among them, but for a list that we wrote ourselves.
    """
    import ffmpeg

    return ffmpeg.input(
        filename,
        **options,
        protocol_whitelist="file",
        format_whitelist=demuxers,
        codec_whitelist=DECODERS,
        max_pixels=pixels,
        max_streams=MAX_STREAMS,
    )


@contextmanager
def concatenated(segments: Sequence[Path], limits: Limits) -> Iterator[tuple[Any, dict[str, Path]]]:
    """Segments of our own, one after the other: an input, and the files that it needs."""
    names = [f"segment{index}.mp4" for index in range(len(segments))]
    with sandbox.workspace() as folder:
        (folder / "list.txt").write_text("ffconcat version 1.0\n" + "".join(f"file {name}\n" for name in names))
        files = {**dict(zip(names, segments, strict=True)), "list.txt": folder / "list.txt"}
        yield source("list.txt", limits.pixels, demuxers="concat,mov", format="concat", safe=1), files


def run(program: str, graph: Any, files: Mapping[str, Path], directory: Path, bounds: Bounds = BOUNDS) -> None:
    """Run one ffmpeg command in `directory`, where each of `files` is found under its plain name. Raises InvalidMedia."""
    command = graph.global_args("-nostdin", "-hide_banner", "-v", "error", "-y").compile(cmd=program)
    for name, path in files.items():
        (directory / name).symlink_to(path.resolve())
    try:
        sandbox.run(_ffmpeg, command, directory=directory, bounds=bounds)
    finally:
        for name in files:
            (directory / name).unlink()


@cache
def has_filter(program: str, name: str) -> bool:
    """Whether this build of ffmpeg has a filter; builds differ."""
    listed = subprocess.run([program, "-hide_banner", "-filters"], capture_output=True, text=True, timeout=60, check=False)
    return any(name in line.split()[1:2] for line in listed.stdout.splitlines())


# ---- in the child ----


def _ffmpeg(command: list[str]) -> None:
    """Without the worker's environment, which holds its credentials."""
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env={}, preexec_fn=sandbox.die_with_parent, check=False
    )
    limit = resource.getrlimit(resource.RLIMIT_CPU)[0]
    if ended.returncode and limit != resource.RLIM_INFINITY and _used() >= limit:
        raise InvalidMedia(f"converting it takes more than {limit:,} s of processor time, the limit")
    if ended.returncode == -signal.SIGKILL:
        # Its limits end it with other signals: somebody else did, such as a machine that ran out of memory.
        raise OSError(errno.EAGAIN, "ffmpeg was ended from outside")
    if ended.returncode:
        raise InvalidMedia(f"the video cannot be converted: {_last_words(ended)}")


def _used() -> float:
    """Seconds of processor time that ended children took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _last_words(ended: subprocess.CompletedProcess[bytes]) -> str:
    if ended.returncode < 0:
        return f"its content breaks the decoder or takes more than is allowed (signal {-ended.returncode})"
    lines = [line.strip() for line in ended.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    # ffmpeg's last line says that it gave up; the first says why.
    return lines[0].split("] ")[-1][:200] if lines else f"ffmpeg ended with {ended.returncode}"
