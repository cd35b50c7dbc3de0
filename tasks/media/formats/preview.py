"""The JPEG that a camera puts into its raw file: the largest one is found, and dressed with the raw file's own facts."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tasks.core.errors import InvalidMedia
from tasks.media.formats.directories import Stretch

if TYPE_CHECKING:
    from PIL import Image
    from PIL.Image import Image as Picture

LARGEST = 100_000_000
# Baseline, extended and progressive: the other kinds of JPEG hold the sensor's values.
SHOWN_FRAMES = (0xC0, 0xC1, 0xC2)
MOST_SEGMENTS = 1_000
ORIENTATION = 0x0112
EXIF_BLOCK, GPS_BLOCK, INTEROP_BLOCK = 0x8769, 0x8825, 0xA005
# What is taken over from the raw file's own EXIF, as previews seldom have one: what `metadata` reads, and nothing more.
MAIN_TAGS = (0x010F, 0x0110, ORIENTATION, 0x013B, 0x8298)
BLOCK_TAGS = (0x829A, 0x829D, 0x8827, 0x9003, 0x9004, 0x9011, 0x9012, 0x920A, 0xA001, 0xA405, 0xA432, 0xA434)
PLACE_TAGS = (1, 2, 3, 4)
FACTS_BYTES = 16 << 20  # cameras write their facts before the sensor's values


@dataclass(frozen=True)
class Facts:
    """What a file says of itself, by EXIF's tags: the main directory, the EXIF block and the GPS block."""

    main: Mapping[int, Any] = field(default_factory=dict)
    block: Mapping[int, Any] = field(default_factory=dict)
    place: Mapping[int, Any] = field(default_factory=dict)


# What opens such a preview: the same for every camera's raw files.
DECODERS = ("JPEG", "MPO")
MODULES = ("PIL.JpegImagePlugin", "PIL.MpoImagePlugin", "PIL.TiffImagePlugin")


def largest(file: IO[bytes], length: int, stretches: Iterable[Stretch]) -> bytes:
    """The JPEG of the most pixels among the stretches of a file of `length` bytes. Raises InvalidMedia when there is none."""
    best, most = (0, 0), 0
    for start, size in stretches:
        area = pixels(file, start, min(size, length - start))
        if area > most:
            best, most = (start, size), area
    if not most:
        raise InvalidMedia("the raw picture holds no preview that could be shown; export it as JPEG and upload that")
    file.seek(best[0])
    return file.read(min(best[1], LARGEST))


def pixels(file: IO[bytes], start: int, size: int) -> int:
    """The pixels of the JPEG that begins there; 0 for what browsers could not show, such as the sensor's own values."""
    if size < 4 or start <= 0:
        return 0
    file.seek(start)
    if file.read(3) != b"\xff\xd8\xff":
        return 0
    at = start + 2
    for _ in range(MOST_SEGMENTS):
        file.seek(at)
        head = file.read(10)
        if at + 10 >= start + size or len(head) < 10 or head[0] != 0xFF or head[1] == 0xDA:
            return 0
        if 0xC0 <= head[1] <= 0xCF and head[1] not in (0xC4, 0xC8, 0xCC):
            bits, height, width, channels = struct.unpack(">BHHB", head[4:10])
            return height * width if head[1] in SHOWN_FRAMES and bits == 8 and channels in (1, 3) else 0
        at += 2 + int.from_bytes(head[2:4], "big")
    return 0


def dressed(preview: bytes, told: Facts) -> IO[bytes]:
    """The preview with one EXIF block: what the raw file tells, and where that is silent, what the preview itself does."""
    own = _own(preview)
    block = _exif(
        _kept(MAIN_TAGS, told.main, own.main),
        # Older files have no EXIF block: its tags stand in the main directory.
        _kept((*BLOCK_TAGS, INTEROP_BLOCK), told.block, told.main, own.block),
        _kept(PLACE_TAGS, told.place, own.place),
    )
    return BytesIO(preview[:2] + block + preview[2:])


def _kept(tags: tuple[int, ...], *sources: Mapping[int, Any]) -> dict[int, Any]:
    found = {tag: next((source[tag] for source in sources if tag in source), None) for tag in tags}
    # A block that was not read is a mere place in the raw file.
    return {tag: value for tag, value in found.items() if value is not None and (tag != INTEROP_BLOCK or isinstance(value, dict))}


def _exif(main: dict[int, Any], block: dict[int, Any], place: dict[int, Any]) -> bytes:
    """A JPEG's EXIF segment; empty when what is told cannot be written."""
    from PIL import Image

    made = Image.Exif()
    try:
        made.update(main)
        for where, values in ((EXIF_BLOCK, block), (GPS_BLOCK, place)):
            if values:
                made.get_ifd(where).update(values)
        body = made.tobytes()
    except Exception:  # broken facts cost the facts, not the picture
        return b""
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body if len(body) < 65_000 else b""


def facts_of(path: Path, magic: bytes = b"") -> Facts:
    """What the directories of a raw file tell; those of a camera's own kind are read as a TIFF's, which begins with `magic`."""
    with path.open("rb") as file:
        return facts_in(file if not magic else BytesIO(magic + file.read(FACTS_BYTES)[len(magic) :]))


def facts_in(tiff: IO[bytes]) -> Facts:
    """What a TIFF tells; broken facts cost the facts, not the picture."""
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load_from_fp(tiff)
        return _told(exif)
    except Exception:
        return Facts()


def _own(preview: bytes) -> Facts:
    from PIL import Image

    try:
        with Image.open(BytesIO(preview), formats=["JPEG"]) as picture:
            return _told(picture.getexif())
    except Exception:
        return Facts()


def _told(exif: Image.Exif) -> Facts:
    block = dict(exif.get_ifd(EXIF_BLOCK))
    if INTEROP_BLOCK in block:  # Adobe RGB is said there
        block[INTEROP_BLOCK] = {1: dict(exif.get_ifd(INTEROP_BLOCK)).get(1, "")}
    return Facts(dict(exif), block, dict(exif.get_ifd(GPS_BLOCK)))


def note(picture: Picture) -> str:
    """That a raw picture itself is not what is shown."""
    return f"shows the preview that the camera put inside, {picture.width} × {picture.height}"
