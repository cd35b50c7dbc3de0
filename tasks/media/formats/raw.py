"""Cameras' raw pictures (DNG, CR2, NEF, ARW and their kin): TIFF files, shown through the JPEG that the camera put inside."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tasks.core.errors import InvalidMedia
from tasks.media.formats.row import Format
from tasks.media.formats.tiff import is_raw

if TYPE_CHECKING:
    from PIL import Image
    from PIL.Image import Image as Picture

MOST_DIRECTORIES = 64
MOST_ENTRIES = 1_000
MOST_VALUES = 65_536
LARGEST_PREVIEW = 100_000_000
SIZES = {1: "B", 3: "H", 4: "I", 13: "I"}  # TIFF's types that hold whole numbers
STRIPS, STRIP_BYTES = 273, 279
JPEG_AT, JPEG_BYTES = 513, 514
SUB_DIRECTORIES = 330
TILES, TILE_BYTES = 324, 325
READ = (STRIPS, STRIP_BYTES, JPEG_AT, JPEG_BYTES, SUB_DIRECTORIES, TILES, TILE_BYTES)
# Baseline, extended and progressive: the other kinds of JPEG hold the sensor's values.
SHOWN_FRAMES = (0xC0, 0xC1, 0xC2)
ORIENTATION = 0x0112
# What is taken over from the raw file's own EXIF, as previews seldom have one: what `metadata` reads, and nothing more.
MAIN_TAGS = (0x010F, 0x0110, ORIENTATION, 0x013B, 0x8298)
BLOCK_TAGS = (0x829A, 0x829D, 0x8827, 0x9003, 0x9004, 0x9011, 0x9012, 0x920A, 0xA001, 0xA405, 0xA432, 0xA434)
EXIF_BLOCK, GPS_BLOCK, INTEROP_BLOCK = 0x8769, 0x8825, 0xA005


@dataclass
class Walk:
    """A walk through a TIFF's directories that never visits one twice."""

    file: IO[bytes]
    length: int
    order: str
    seen: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, file: IO[bytes], length: int) -> Walk:
        return cls(file, length, "<" if file.read(2) == b"II" else ">")

    def directories(self) -> Iterator[dict[int, tuple[int, ...]]]:
        """What is read of each directory, whole numbers by their tags: the chain of the file, and the directories inside each."""
        waiting = list(self._numbers(4, "I", 1))
        while waiting and len(self.seen) < MOST_DIRECTORIES:
            at = waiting.pop(0)
            if at in self.seen or not 8 <= at < self.length:
                continue
            self.seen.add(at)
            tags, following = self._directory(at)
            waiting += [*tags.get(SUB_DIRECTORIES, ()), following]
            yield tags

    def _directory(self, at: int) -> tuple[dict[int, tuple[int, ...]], int]:
        (count,) = self._numbers(at, "H", 1) or (0,)
        count = min(count, MOST_ENTRIES)
        tags: dict[int, tuple[int, ...]] = {}
        for row in range(count):
            entry = at + 2 + 12 * row
            head, amount = self._numbers(entry, "H", 2), self._numbers(entry + 4, "I", 1)
            if not amount or head[0] not in READ or head[0] in tags or head[1] not in SIZES or amount[0] > MOST_VALUES:
                continue
            tags[head[0]] = self._values(entry + 8, SIZES[head[1]], amount[0])
        (following,) = self._numbers(at + 2 + 12 * count, "I", 1) or (0,)
        return tags, following

    def _values(self, at: int, kind: str, count: int) -> tuple[int, ...]:
        """The values stand in the entry itself where four bytes hold them, else where it points to."""
        if struct.calcsize(kind) * count > 4:
            (at,) = self._numbers(at, "I", 1) or (self.length,)
        return self._numbers(at, kind, count)

    def _numbers(self, at: int, kind: str, count: int) -> tuple[int, ...]:
        size = struct.calcsize(kind) * count
        self.file.seek(at)
        body = self.file.read(size)
        return struct.unpack(f"{self.order}{count}{kind}", body) if len(body) == size else ()


def check(path: Path) -> None:
    """Raises InvalidMedia when pixels are said to lie beyond the end of the file."""
    length = path.stat().st_size
    with path.open("rb") as file:
        for tags in Walk.of(file, length).directories():
            for start, size in _stretches(tags):
                if start + size > length:
                    raise InvalidMedia(
                        f"the file is cut off: it has {length:,} bytes of at least {start + size:,}; copy it again"
                    )


def _stretches(tags: dict[int, tuple[int, ...]]) -> Iterator[tuple[int, int]]:
    for where, amount in ((STRIPS, STRIP_BYTES), (TILES, TILE_BYTES), (JPEG_AT, JPEG_BYTES)):
        yield from zip(tags.get(where, ()), tags.get(amount, ()), strict=False)


def content(path: Path) -> IO[bytes]:
    """The largest picture inside, as a JPEG with the raw file's facts. Raises InvalidMedia when there is none."""
    length = path.stat().st_size
    best, pixels = (0, 0), 0
    with path.open("rb") as file:
        for tags in Walk.of(file, length).directories():
            for start, size in _single(tags):
                area = _pixels(file, start, min(size, length - start))
                if area > pixels:
                    best, pixels = (start, size), area
        if not pixels:
            raise InvalidMedia("the raw picture holds no preview that could be shown; export it as JPEG and upload that")
        file.seek(best[0])
        preview = file.read(min(best[1], LARGEST_PREVIEW))
    return BytesIO(preview[:2] + _facts(path) + preview[2:])


def _single(tags: dict[int, tuple[int, ...]]) -> Iterator[tuple[int, int]]:
    """The stretches of a directory that are its whole picture: one strip, one tile, or a JPEG of its own."""
    for where, amount in ((STRIPS, STRIP_BYTES), (TILES, TILE_BYTES), (JPEG_AT, JPEG_BYTES)):
        if len(tags.get(where, ())) == len(tags.get(amount, ())) == 1:
            yield tags[where][0], tags[amount][0]


def _pixels(file: IO[bytes], start: int, size: int) -> int:
    """The pixels of the JPEG that begins there; 0 for what browsers could not show, such as the sensor's own values."""
    if size < 4 or start <= 0:
        return 0
    file.seek(start)
    if file.read(3) != b"\xff\xd8\xff":
        return 0
    at = start + 2
    while at + 10 < start + size:
        file.seek(at)
        head = file.read(10)
        if len(head) < 10 or head[0] != 0xFF or head[1] == 0xDA:
            return 0
        if 0xC0 <= head[1] <= 0xCF and head[1] not in (0xC4, 0xC8, 0xCC):
            bits, height, width, channels = struct.unpack(">BHHB", head[4:10])
            return height * width if head[1] in SHOWN_FRAMES and bits == 8 and channels in (1, 3) else 0
        at += 2 + int.from_bytes(head[2:4], "big")
    return 0


def _facts(path: Path) -> bytes:
    """An EXIF segment with what is taken over; empty when the raw file says nothing that can be read."""
    from PIL import Image

    told, taken = Image.Exif(), Image.Exif()
    try:
        with path.open("rb") as file:
            told.load_from_fp(file)
            _copy(told, taken)
        block = taken.tobytes()
    except Exception:  # broken facts cost the facts, not the picture
        return b""
    return b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block if len(block) < 65_000 else b""


def _copy(told: Image.Exif, taken: Image.Exif) -> None:
    for tag in MAIN_TAGS:
        if tag in told:
            taken[tag] = told[tag]
    for block, tags in ((EXIF_BLOCK, BLOCK_TAGS), (GPS_BLOCK, (1, 2, 3, 4))):
        found = told.get_ifd(block)
        kept = {tag: found[tag] for tag in tags if tag in found}
        if kept:
            taken.get_ifd(block).update(kept)


def note(picture: Picture) -> str:
    """That a raw picture itself is not what is shown."""
    return f"shows the preview that the camera put inside, {picture.width} × {picture.height}"


RAW = Format(
    name="raw",
    words="a camera's raw picture",
    kind="image",
    content_type="image/x-raw",
    extensions=(".dng", ".cr2", ".nef", ".arw", ".nrw", ".pef", ".sr2", ".srw", ".3fr", ".fff", ".iiq", ".erf"),
    sniff=is_raw,
    convert=True,
    decoders=("JPEG", "MPO"),
    modules=("PIL.JpegImagePlugin", "PIL.MpoImagePlugin", "PIL.TiffImagePlugin"),
    check=check,
    content=content,
    note=note,
)
