"""Makes the files that are shown: each size in WebP and JPEG, each from the next larger one. Every picture is decoded once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.core.models.digests import FileSha256, file_sha256
from tasks.media import colour, metadata, pictures, sandbox
from tasks.media.animation import save_animations
from tasks.media.formats import Format, by_name
from tasks.media.hands import Hands
from tasks.media.limits import Limits
from tasks.media.sandbox import Bounds
from tasks.media.shrinking import draft, fitted, resized, within

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIZES = (2048, 1280, 640, 320)
WORTH = 1.15  # a picture between two sizes is kept at its own when that gains more than this
WEBP = {"format": "WEBP", "quality": 80, "method": 2}  # method 4 takes twice the time for 2 to 6% of the bytes
JPEG = {"format": "JPEG", "quality": 80}
STILL_QUALITY = 85
MASTER_QUALITY = 90
WEBP_SIDE = 16_383  # the longest that WebP knows
PLACEHOLDER = 24  # px on the long side
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
    sha256: FileSha256


@dataclass(frozen=True)
class Renditions:
    """All files of one picture, largest first, its placeholder as a data: URI of at most 1 KB, and its fingerprint."""

    files: tuple[RenditionFile, ...]
    placeholder: str
    phash: str


@dataclass(frozen=True)
class Converted:
    """A full-size JPEG, or WebP where it is see-through, of a picture browsers don't show, and what is shown of it."""

    file: RenditionFile
    renditions: Renditions


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
    return _renditions(out, made)


def convert_image(source: Path, format: str, out: Path, limits: Limits) -> Converted:
    """Write an upright, full-size JPEG of the picture at `source` to `out`, or a WebP beside it where it is see-through; and
    beside it, while its pixels are there, the files that `make_renditions` would make.

    Raises InvalidMedia. The master keeps nothing of the source's metadata but artist, copyright and an RGB colour profile:
    turning every pixel to sRGB here costs more than turning those of the renditions, which are what is shown.
    """
    row = by_name(format)
    pictures.warm(row)
    made = sandbox.run(_convert, source.resolve(), row, out.resolve(), limits, directory=out.parent, bounds=BOUNDS)
    return Converted(_file(out.parent, "master", *made["master"]), _renditions(out.parent, made))


def still(source: Path, format: str, out: Path, limits: Limits, long_side: int = 1280, least: int = 1) -> RenditionFile:
    """Write one upright sRGB JPEG of at most `long_side` pixels; a side below `least` gets a margin. Raises InvalidMedia."""
    row = by_name(format)
    pictures.warm(row)
    arguments = (source.resolve(), row, out.resolve(), limits, long_side, least)
    with sandbox.workspace() as empty:
        width, height = sandbox.run(_still, *arguments, directory=empty, bounds=BOUNDS)
    return _file(out.parent, "still", out.name, width, height)


def _renditions(folder: Path, made: dict[str, Any]) -> Renditions:
    return Renditions(tuple(_file(folder, *facts) for facts in made["files"]), made["placeholder"], made["phash"])


def _file(folder: Path, name: str, filename: str, width: int, height: int) -> RenditionFile:
    """What the worker itself finds of a file that a child says it wrote."""
    path = folder / filename
    row = by_name("webp" if path.suffix == ".webp" else "jpeg")
    return RenditionFile(name, path, row.name, row.content_type, width, height, path.stat().st_size, file_sha256(path))


# ---- in the child ----


def _render(source: Path, row: Format, out: Path, limits: Limits) -> dict[str, Any]:
    with Hands() as hands:
        with pictures.opened(source, row, limits) as picture:
            if pictures.frames(picture, row) > 1:
                limits.check_frames(pictures.frames(picture, row), picture.width * picture.height)
                return _render_animation(picture, row, out)
            shape, credit = pictures.upright_size(picture), metadata.credit(picture)
            top = reduced(picture, row, sizes(max(shape))[0][1], hands)
        del picture  # its memory serves the encoders: to fetch as much anew would take a thirtieth of all
        return _render_still(top, shape, out, hands, credit)


def _render_still(top: Picture, shape: tuple[int, int], out: Path, hands: Hands, credit: bytes) -> dict[str, Any]:
    files = []
    smallest = top
    for name, smallest in cascade(top, shape):
        files += _encode(smallest, name, out, hands, credit)
    return {"files": files, **_seen(smallest)}


def _seen(smallest: Picture) -> dict[str, str]:
    """What the smallest size is enough for."""
    return {"placeholder": _placeholder(smallest), "phash": pictures.fingerprint(smallest)}


def cascade(top: Picture, shape: tuple[int, int]) -> Iterator[tuple[str, Picture]]:
    """Each size made from the one before: the large picture is read once, not once a size.

    `shape` is the size of the whole picture, by which each is rounded: by each other, the last ones would be off by a pixel.
    """
    picture = top
    for name, long_side in sizes(max(shape)):
        picture = resized(picture, within(shape, long_side))
        yield name, picture


def reduced(picture: Picture, row: Format, long_side: int, hands: Hands | None = None) -> Picture:
    """The largest rendition's pixels: plain, upright, sRGB. Turning and colours come after reducing, on fewer pixels."""
    profile = colour.profile_of(picture)
    full = draft(picture, long_side)
    pictures.decoded(picture, row)
    turn = pictures.orientation(picture)
    small = resized(pictures.plain(picture), within(full or picture.size, long_side), hands)
    return pictures.opaque(pictures.to_srgb(pictures.upright(small, turn), profile))


def _encode(picture: Picture, name: str, out: Path, hands: Hands, credit: bytes) -> list[tuple[str, str, int, int]]:
    """One size in both formats, beside the reduction of the next where a hand is free; the slower one first."""
    webp, jpeg = f"{name}.webp", f"{name}.jpg"
    hands.do(_save, picture, out / webp, WEBP, credit)
    hands.do(_save, pictures.flattened(picture), out / jpeg, JPEG, credit)
    return [(name, webp, *picture.size), (name, jpeg, *picture.size)]


def _save(picture: Picture, path: Path, options: dict[str, Any], credit: bytes) -> None:
    """Write the pixels and whose they are, nothing else: whatever Pillow carried along in `info` stays behind.

    Not on a copy, as fetching that much memory takes a tenth of the encoder's time, but as a picture of its own over the same
    pixels: `save` keeps its options on the picture while it writes, and two of them write at once.
    """
    bare = picture._new(picture.im)
    bare.info.clear()
    bare.save(path, exif=credit, **options)


def _placeholder(picture: Picture) -> str:
    small = fitted(picture, PLACEHOLDER)
    small.info.clear()
    body = BytesIO()
    small.save(body, format="WEBP", quality=30, method=4)
    return "data:image/webp;base64," + base64.b64encode(body.getvalue()).decode()


def _render_animation(picture: Picture, row: Format, out: Path) -> dict[str, Any]:
    """Animated WebP at each size, and a JPEG of the first frame for whoever shows no WebP."""
    pictures.decoded(picture, row)
    # A copy, as the file itself goes on to its other frames.
    plain = pictures.upright(pictures.plain(picture.copy()), pictures.orientation(picture))
    first = pictures.to_srgb(plain, colour.profile_of(picture))
    credit = metadata.credit(picture)
    kept = save_animations(picture, sizes(max(picture.size)), out, {**WEBP, "exif": credit}, fitted)
    files = []
    for name, size in kept:
        frame = fitted(first, size)
        _save(pictures.flattened(frame), out / f"{name}.jpg", JPEG, credit)
        files += [(name, f"{name}.webp", *frame.size), (name, f"{name}.jpg", *frame.size)]
    return {"files": files, **_seen(fitted(first, SIZES[-1]))}


def _convert(source: Path, row: Format, out: Path, limits: Limits) -> dict[str, Any]:
    with pictures.opened(source, row, limits) as picture:
        profile, credit = colour.profile_of(picture), metadata.credit(picture)
        pictures.decoded(picture, row)
        full = pictures.opaque(pictures.upright(pictures.plain(picture), pictures.orientation(picture)))
    if full.mode not in ("RGB", "RGBA"):
        full, profile = pictures.to_srgb(full, profile), None
    with Hands() as hands:
        name = _save_master(full, profile, credit, out, hands)
        shape = full.size
        top = resized(full, within(shape, sizes(max(shape))[0][1]), hands)
        del picture, full  # as above
        made = _render_still(pictures.to_srgb(top, profile), shape, out.parent, hands, credit)
    return {"master": (name, *shape), **made}


def _save_master(full: Picture, profile: bytes | None, credit: bytes, out: Path, hands: Hands) -> str:
    """Begin to write it; its file's name."""
    options = {"quality": MASTER_QUALITY, "icc_profile": profile if profile and _is_rgb(profile) else None}
    if full.mode == "RGBA" and max(full.size) <= WEBP_SIDE:
        out = out.with_suffix(".webp")
        hands.do(_save, full, out, {**WEBP, **options}, credit)
    else:
        hands.do(_save, pictures.flattened(full), out, {**JPEG, **options}, credit)
    return out.name


def _is_rgb(profile: bytes) -> bool:
    from PIL import ImageCms

    try:
        return bool(ImageCms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space.strip() == "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False


def _still(source: Path, row: Format, out: Path, limits: Limits, long_side: int, least: int) -> tuple[int, int]:
    from PIL import ImageOps

    with pictures.opened(source, row, limits) as picture:
        small = pictures.flattened(reduced(picture, row, min(long_side, max(picture.size))))
    size = (max(small.width, least), max(small.height, least))
    if size != small.size:
        small = ImageOps.pad(small, size, color="gray")
    _save(small, out, {**JPEG, "quality": STILL_QUALITY}, b"")
    return small.size
