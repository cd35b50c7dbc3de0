"""Makes the files that are shown: each size in WebP and JPEG from one decoding, each from the next larger one."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.media import pictures, sandbox
from tasks.media.animation import save_animations
from tasks.media.formats import Format, by_name
from tasks.media.limits import Limits
from tasks.media.sandbox import Bounds

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIZES = (2048, 1280, 640, 320)
WORTH = 1.15  # a picture between two sizes is kept at its own when that gains more than this
WEBP = {"format": "WEBP", "quality": 80, "method": 2}  # method 4 takes twice the time for 2 to 6% of the bytes
JPEG = {"format": "JPEG", "quality": 80}
STILL_QUALITY = 85
MASTER_QUALITY = 90
PLACEHOLDER = 24  # px on the long side
# A JPEG is decoded at a fraction of its size when that is still this many times the largest rendition: nobody sees it.
DRAFT_ROOM = 1.5
# Preparing a still takes seconds; an animation encodes every frame at every size.
BOUNDS = Bounds(cpu_seconds=240, wall_seconds=240)


@dataclass(frozen=True)
class RenditionFile:
    """One file that was made; lengths in pixels."""

    name: str
    path: Path
    format: str
    content_type: str
    width: int
    height: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Renditions:
    """All files of one picture, largest first, and its placeholder as a data: URI of at most 1 KB."""

    files: tuple[RenditionFile, ...]
    placeholder: str


@dataclass(frozen=True)
class Converted:
    """A full-size JPEG that was made from a picture browsers don't show, and the fingerprint of its pixels."""

    file: RenditionFile
    phash: str


def sizes(long_side: int) -> list[tuple[str, int]]:
    """(name, pixels on the long side), largest first; never upscaled, at least one.

    A picture fills every size up to its own. Between two sizes it also keeps its own pixels, under the larger one's name.
    """
    filled = [(f"{size}w", size) for size in SIZES if size <= long_side]
    if not filled:
        return [(f"{SIZES[-1]}w", long_side)]
    if long_side > filled[0][1] * WORTH and filled[0][1] != SIZES[0]:
        above = SIZES[SIZES.index(filled[0][1]) - 1]
        return [(f"{above}w", long_side), *filled]
    return filled


def make_renditions(source: Path, format: str, out: Path, limits: Limits) -> Renditions:
    """Write `320w.webp`, `320w.jpg`, ... of the picture at `source`, whose format is a registry name, into `out`.

    Raises InvalidMedia when the picture breaks in the decoder.
    """
    row = by_name(format)
    pictures.warm(row)
    made = sandbox.run(_render, source.resolve(), row, out.resolve(), limits, directory=out, bounds=BOUNDS)
    return Renditions(tuple(_file(out, *facts) for facts in made["files"]), made["placeholder"])


def convert_image(source: Path, format: str, out: Path, limits: Limits) -> Converted:
    """Write an upright, full-size JPEG of the picture at `source` to `out`. Raises InvalidMedia.

    It keeps nothing of the source's metadata but an RGB colour profile: turning every pixel to sRGB here costs more than
    turning those of the renditions, which are what is shown.
    """
    row = by_name(format)
    pictures.warm(row)
    arguments = (source.resolve(), row, out.resolve(), limits)
    with sandbox.workspace() as empty:
        width, height, phash = sandbox.run(_convert, *arguments, directory=empty, bounds=BOUNDS)
    return Converted(_file(out.parent, "master", out.name, width, height), phash)


def still(source: Path, format: str, out: Path, limits: Limits, long_side: int = 1280, least: int = 1) -> RenditionFile:
    """Write one upright sRGB JPEG of at most `long_side` pixels; a side below `least` gets a margin. Raises InvalidMedia."""
    row = by_name(format)
    pictures.warm(row)
    arguments = (source.resolve(), row, out.resolve(), limits, long_side, least)
    with sandbox.workspace() as empty:
        width, height = sandbox.run(_still, *arguments, directory=empty, bounds=BOUNDS)
    return _file(out.parent, "still", out.name, width, height)


def _file(folder: Path, name: str, filename: str, width: int, height: int) -> RenditionFile:
    """What the worker itself finds of a file that a child says it wrote."""
    path = folder / filename
    body = path.read_bytes()
    row = by_name("webp" if path.suffix == ".webp" else "jpeg")
    return RenditionFile(name, path, row.name, row.content_type, width, height, len(body), hashlib.sha256(body).hexdigest())


# ---- in the child ----


def _render(source: Path, row: Format, out: Path, limits: Limits) -> dict[str, Any]:
    with pictures.opened(source, row, limits) as picture:
        if pictures.frames(picture, row) > 1:
            limits.check_frames(pictures.frames(picture, row))
            return _render_animation(picture, row, out)
        long_side = max(picture.size)
        top = _reduced(picture, row, sizes(long_side)[0][1])
    with ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as encoders:
        waiting: list[Future[None]] = []
        files = []
        smallest = top
        for name, smallest in _cascade(top, sizes(long_side)):
            files += _encode(smallest, name, out, encoders, waiting)
        placeholder = _placeholder(smallest)
        for encoder in waiting:
            encoder.result()
    return {"files": files, "placeholder": placeholder}


def _cascade(top: Picture, wanted: list[tuple[str, int]]) -> Iterator[tuple[str, Picture]]:
    """Each size made from the one before: the large picture is read once, not once a size."""
    picture = top
    for name, long_side in wanted:
        picture = _fitted(picture, long_side)
        yield name, picture


def _fitted(picture: Picture, long_side: int) -> Picture:
    from PIL import Image

    if max(picture.size) <= long_side:
        return picture
    ratio = long_side / max(picture.size)
    size = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _reduced(picture: Picture, row: Format, long_side: int) -> Picture:
    """The largest rendition's pixels: plain, upright, sRGB. Turning and colours come after reducing, on fewer pixels."""
    profile = picture.info.get("icc_profile")
    room = long_side * DRAFT_ROOM / max(picture.size)
    picture.draft(None, (max(1, int(picture.width * room)), max(1, int(picture.height * room))))
    pictures.decoded(picture, row)
    turn = pictures.orientation(picture)
    small = _fitted(pictures.plain(picture), long_side)
    return pictures.opaque(pictures.to_srgb(pictures.upright(small, turn), profile))


def _encode(
    picture: Picture, name: str, out: Path, encoders: ThreadPoolExecutor, waiting: list[Future[None]]
) -> list[tuple[str, str, int, int]]:
    """Hand one size to the encoders, which work beside the reduction of the next; the slower one first."""
    webp, jpeg = f"{name}.webp", f"{name}.jpg"
    waiting.append(encoders.submit(_save, picture, out / webp, WEBP))
    waiting.append(encoders.submit(_save, pictures.flattened(picture), out / jpeg, JPEG))
    return [(name, webp, *picture.size), (name, jpeg, *picture.size)]


def _save(picture: Picture, path: Path, options: dict[str, Any]) -> None:
    """Write the pixels and nothing else: whatever Pillow carried along in `info` stays behind."""
    bare = picture.copy()
    bare.info.clear()
    bare.save(path, **options)


def _placeholder(picture: Picture) -> str:
    small = _fitted(picture, PLACEHOLDER)
    small.info.clear()
    body = BytesIO()
    small.save(body, format="WEBP", quality=30, method=4)
    return "data:image/webp;base64," + base64.b64encode(body.getvalue()).decode()


def _render_animation(picture: Picture, row: Format, out: Path) -> dict[str, Any]:
    """Animated WebP at each size, and a JPEG of the first frame for whoever shows no WebP."""
    pictures.decoded(picture, row)
    # A copy, as the file itself goes on to its other frames.
    first = pictures.to_srgb(pictures.plain(picture.copy()), picture.info.get("icc_profile"))
    kept = save_animations(picture, sizes(max(picture.size)), out, WEBP, _fitted)
    files = []
    for name, size in kept:
        frame = _fitted(first, size)
        _save(pictures.flattened(frame), out / f"{name}.jpg", JPEG)
        files += [(name, f"{name}.webp", *frame.size), (name, f"{name}.jpg", *frame.size)]
    return {"files": files, "placeholder": _placeholder(_fitted(first, SIZES[-1]))}


def _convert(source: Path, row: Format, out: Path, limits: Limits) -> tuple[int, int, str]:
    from PIL import ImageCms

    with pictures.opened(source, row, limits) as picture:
        profile = picture.info.get("icc_profile")
        pictures.decoded(picture, row)
        full = pictures.upright(pictures.plain(picture), pictures.orientation(picture))
    if full.mode not in ("RGB", "RGBA"):
        full, profile = pictures.to_srgb(full, profile), None
    full = pictures.flattened(full)
    if profile and not _is_rgb(ImageCms, profile):
        profile = None
    _save(full, out, {"format": "JPEG", "quality": MASTER_QUALITY, "icc_profile": profile})
    return full.width, full.height, pictures.fingerprint(full)


def _is_rgb(cms: Any, profile: bytes) -> bool:
    try:
        return bool(cms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space.strip() == "RGB")
    except (cms.PyCMSError, OSError, ValueError):
        return False


def _still(source: Path, row: Format, out: Path, limits: Limits, long_side: int, least: int) -> tuple[int, int]:
    from PIL import ImageOps

    with pictures.opened(source, row, limits) as picture:
        small = pictures.flattened(_reduced(picture, row, min(long_side, max(picture.size))))
    size = (max(small.width, least), max(small.height, least))
    if size != small.size:
        small = ImageOps.pad(small, size, color="gray")
    _save(small, out, {"format": "JPEG", "quality": STILL_QUALITY})
    return small.size
