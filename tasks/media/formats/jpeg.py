"""JPEG, and MPO: several JPEGs in one file, of which the first is the picture."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from tasks.core.errors import InvalidMedia
from tasks.media.formats.row import Format, starts_with

START_OF_SCAN = 0xDA
# SOF0 to SOF15, without DHT, JPG and DAC: what kind of JPEG it is, and its bits a channel.
FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
SHOWN_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
END_OF_IMAGE = b"\xff\xd9"
# Markers without a length: TEM, RST0..7, SOI.
BARE = (0x01, *range(0xD0, 0xD9))


def check(path: Path) -> None:
    """Raises InvalidMedia when no end-of-image marker follows the first scan: the rest of the picture is missing; and for
    the kinds of JPEG that no browser shows.

    The marker need not be last: phones append clips and depth maps. Inside a scan it cannot occur, as 0xFF is escaped there.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        scan = -1
        for marker, at in _segments(data):
            if marker in FRAMES:
                _check_frame(marker, data[at + 4 : at + 5])
            elif marker == START_OF_SCAN:
                scan = at
        if scan < 0 or data.rfind(END_OF_IMAGE, scan) < 0:
            raise InvalidMedia("the picture is cut off: its end is missing; copy it from the camera again")


def _check_frame(marker: int, bits: bytes) -> None:
    if bits and bits[0] != 8:
        raise InvalidMedia(f"a JPEG with {bits[0]} bits a channel, which no browser shows; export it with 8 bits")
    if marker not in SHOWN_FRAMES:
        raise InvalidMedia("a lossless or hierarchical JPEG, which no browser shows; export it as an ordinary JPEG")


def _segments(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """(marker, where it stands) up to the first scan, or to the end of a file that has none."""
    at = 2
    while 0 <= at <= len(data) - 4:
        if data[at] != 0xFF:
            at = data.find(b"\xff", at)
            continue
        if data[at + 1] == 0xFF or data[at + 1] in BARE:
            at += 1 if data[at + 1] == 0xFF else 2
            continue
        yield data[at + 1], at
        if data[at + 1] == START_OF_SCAN:
            return
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")


JPEG = Format(
    name="jpeg",
    words="a JPEG picture",
    kind="image",
    content_type="image/jpeg",
    extensions=(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    sniff=starts_with(b"\xff\xd8\xff"),
    decoders=("JPEG", "MPO"),
    modules=("PIL.JpegImagePlugin", "PIL.MpoImagePlugin"),
    check=check,
)
