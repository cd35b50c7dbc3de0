"""CR3: Canon's raw pictures, laid out like an MP4, whose first track is a JPEG of full size."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from tasks.core.errors import InvalidMedia
from tasks.media.formats import boxes, preview
from tasks.media.formats.directories import Stretch
from tasks.media.formats.preview import Facts
from tasks.media.formats.row import Format

BRAND = b"crx "
FILM = b"CanonCRM"  # the same container, with a raw film in it
CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")  # the box of the camera's facts and of the thumbnail
PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")  # the box of a preview that fills a screen
ID_BYTES = 16
PREVIEW_HEADER = 8  # between the box's name and the boxes in it
TABLE = (b"mdia", b"minf", b"stbl")
FACTS_BYTES = 1 << 20
START = b"\xff\xd8\xff"


def sniff(head: bytes) -> bool:
    return boxes.brands(head)[:1] == (BRAND,)


def check(path: Path) -> None:
    """Raises InvalidMedia when a box reaches beyond the end of the file, and for raw films."""
    with path.open("rb") as file:
        if FILM in file.read(256):
            raise InvalidMedia("a raw film of Canon's, which cannot be converted; export it as H.264 or HEVC")
    boxes.check(path)


def content(path: Path) -> IO[bytes]:
    """The largest picture inside, as a JPEG with the camera's facts. Raises InvalidMedia when there is none."""
    length = path.stat().st_size
    with path.open("rb") as file:
        inside = preview.largest(file, length, _jpegs(file, length))
        return preview.dressed(inside, _facts(file, length))


def _jpegs(file: IO[bytes], length: int) -> Iterator[Stretch]:
    for kind, begin, end in boxes.inside(file, 0, length):
        if kind == b"moov":
            yield from _in_tracks(file, begin, end)
        elif kind == b"uuid" and _name(file, begin) == PREVIEW:
            yield from _in_box(file, boxes.first(file, begin + ID_BYTES + PREVIEW_HEADER, end, b"PRVW"))
    yield from _in_box(file, _canons(file, length).get(b"THMB"))


def _in_tracks(file: IO[bytes], begin: int, end: int) -> Iterator[Stretch]:
    """Where each track's first picture is; that some of them hold the sensor's values shows when they are looked at."""
    for kind, at, to in boxes.inside(file, begin, end):
        table = boxes.first(file, at, to, *TABLE) if kind == b"trak" else None
        if table:
            yield from _first_sample(file, *table)


def _first_sample(file: IO[bytes], begin: int, end: int) -> Iterator[Stretch]:
    """A track's table of sizes has one for all, or one for each; the table of places counts in four bytes or in eight."""
    sizes, places, long_places = (_head(file, boxes.first(file, begin, end, kind)) for kind in (b"stsz", b"stco", b"co64"))
    size = int.from_bytes(sizes[4:8], "big") or int.from_bytes(sizes[12:16], "big")
    yield int.from_bytes(long_places[8:16] if long_places else places[8:12], "big"), size


def _in_box(file: IO[bytes], box: tuple[int, int] | None) -> Iterator[Stretch]:
    """A JPEG behind a short header of Canon's, which differs between versions."""
    at = _head(file, box).find(START)
    if box and at >= 0:
        yield box[0] + at, box[1] - box[0] - at


def _facts(file: IO[bytes], length: int) -> Facts:
    """From three TIFFs, each of which is one of EXIF's directories."""
    found = _canons(file, length)
    main, block, place = (_body(file, found.get(kind)) for kind in (b"CMT1", b"CMT2", b"CMT4"))
    return Facts(*(preview.facts_in(BytesIO(tiff)).main for tiff in (main, block, place)))


def _canons(file: IO[bytes], length: int) -> dict[bytes, tuple[int, int]]:
    """The boxes of the camera's own, by their kinds."""
    movie = boxes.first(file, 0, length, b"moov")
    for kind, begin, end in boxes.inside(file, *movie) if movie else ():
        if kind == b"uuid" and _name(file, begin) == CANON:
            return {kind: (at, to) for kind, at, to in boxes.inside(file, begin + ID_BYTES, end)}
    return {}


def _name(file: IO[bytes], at: int) -> bytes:
    file.seek(at)
    return file.read(ID_BYTES)


def _head(file: IO[bytes], box: tuple[int, int] | None) -> bytes:
    return _body(file, box, 64)


def _body(file: IO[bytes], box: tuple[int, int] | None, most: int = FACTS_BYTES) -> bytes:
    """The content of a box as far as it is read; empty without the box."""
    if not box:
        return b""
    file.seek(box[0])
    return file.read(min(box[1] - box[0], most))


CR3 = Format(
    name="cr3",
    words="a raw picture of Canon's",
    kind="image",
    content_type="image/x-canon-cr3",
    extensions=(".cr3",),
    sniff=sniff,
    convert=True,
    decoders=preview.DECODERS,
    modules=preview.MODULES,
    check=check,
    content=content,
    note=preview.note,
)
