"""`greenroom try`: validation, conversion and renditions on local files, with the pipeline's own code and without AWS."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.cli.files import found, trouble, unreadable
from tasks.core.errors import InvalidMedia
from tasks.core.models.digests import FileSha256
from tasks.core.models.media import Media
from tasks.media import Limits, RenditionFile, convert_image, inspect, make_renditions, workspace
from tasks.media.sandbox import SandboxFault

SEGMENT_SECONDS = 30
NOTHING: dict[str, Any] = {
    "file": "",
    "verdict": "",
    "reason": "",
    "kind": "",
    "format": "",
    "width": 0,
    "height": 0,
    "taken_at": "",
    "renditions": [],
    "seconds": 0.0,
    "pair": "",
}


def try_files(paths: Iterable[Path], out: Path | None, limits: Limits, ffmpeg: str = "") -> Iterator[dict[str, Any]]:
    """One verdict a file, as soon as it is known: a row with the keys of `NOTHING`.

    Folders stand for the files in them. With `out`, each file's renditions are kept in a folder of its own there and their
    `path` says where; without, they are made and thrown away. Never stops at a bad file.
    """
    taken: set[str] = set()
    for path in found(paths):
        started = time.monotonic()
        verdict = _verdict(path, out, taken, limits, ffmpeg)
        yield {**NOTHING, "file": str(path), **verdict, "seconds": round(time.monotonic() - started, 3)}


def _verdict(path: Path, out: Path | None, taken: set[str], limits: Limits, ffmpeg: str) -> dict[str, Any]:
    if reason := trouble(path):
        return {"verdict": "rejected", "reason": reason}
    try:
        with _folder(out, path, taken) as (folder, kept):
            return _try(path, folder, kept, limits, ffmpeg)
    except OSError as fault:
        return {"verdict": "rejected", "reason": f"could not be tried on this machine: {fault.filename}: {fault.strerror}"}


@contextmanager
def _folder(out: Path | None, path: Path, taken: set[str]) -> Iterator[tuple[Path, bool]]:
    """Where one file's renditions go, and whether they stay; files of the same name don't share."""
    if out is None:
        with workspace() as folder:
            yield folder, False
        return
    name, number = path.name, 1
    while name in taken:
        number += 1
        name = f"{path.name}-{number}"
    taken.add(name)
    (out / name).mkdir(parents=True, exist_ok=True)
    yield out / name, True


def _try(path: Path, folder: Path, kept: bool, limits: Limits, ffmpeg: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    try:
        media = inspect(path, path.name, limits)
        facts = {name: getattr(media, name) for name in ("kind", "format", "width", "height", "taken_at", "pair")}
        files = _renditions(path, media, folder, limits, ffmpeg)
    except InvalidMedia as bad:
        return {"verdict": "rejected", "reason": bad.reason, **facts}
    except OSError as fault:
        return {"verdict": "rejected", "reason": unreadable(fault), **facts}
    except SandboxFault as fault:
        return {"verdict": "rejected", "reason": f"could not be tried on this machine: {fault}", **facts}
    return {"verdict": "accepted", "reason": "", **facts, "renditions": [_row(file, kept) for file in files]}


def _row(file: RenditionFile, kept: bool) -> dict[str, Any]:
    facts = {name: getattr(file, name) for name in ("name", "format", "width", "height", "bytes")}
    return {**facts, "path": str(file.path) if kept else ""}


def _renditions(path: Path, media: Media, folder: Path, limits: Limits, ffmpeg: str) -> tuple[RenditionFile, ...]:
    if media.kind == "document":
        return _sound(path, media, folder, limits, ffmpeg)
    if media.kind == "video":
        return _video(path, folder, limits, ffmpeg)
    if media.convert:
        made = convert_image(path, media.format, folder / "master.jpg", limits)
        made.file.path.unlink()
        return made.renditions.files
    return make_renditions(path, media.format, folder, limits).files


def _sound(path: Path, media: Media, folder: Path, limits: Limits, ffmpeg: str) -> tuple[RenditionFile, ...]:
    """A recording is drawn; nothing is shown of any other document."""
    from tasks.media.sound import is_sound, waveform

    if not is_sound(media.format):
        return ()
    with workspace() as aside:
        try:
            waveform(path, media.format, aside / "waveform.jpg", limits, ffmpeg)
        except InvalidMedia:  # a document is downloaded as it is, drawn or not
            return ()
        return make_renditions(aside / "waveform.jpg", "jpeg", folder, limits).files


def _video(path: Path, folder: Path, limits: Limits, ffmpeg: str) -> tuple[RenditionFile, ...]:
    from tasks.media.poster import preview_size
    from tasks.media.video import make_video

    with workspace() as aside:
        joined = make_video(path, aside, limits, SEGMENT_SECONDS, ffmpeg)
        stills = make_renditions(joined.poster, "jpeg", folder, limits).files
        size = (joined.facts.width, joined.facts.height)
        video = _movie("video", joined.video, size, folder)
        return (video, _movie("preview", joined.preview, preview_size(*size), folder), *stills)


def _movie(name: str, made: Path, size: tuple[int, int], folder: Path) -> RenditionFile:
    path = Path(shutil.move(made, folder / made.name))
    return RenditionFile(name, path, "mp4", "video/mp4", *size, bytes=path.stat().st_size, sha256=FileSha256(""))
