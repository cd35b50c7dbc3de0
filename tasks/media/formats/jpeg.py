"""JPEG, and MPO: several JPEGs in one file, of which the first is the picture."""

from __future__ import annotations

import mmap
from pathlib import Path

from tasks.core.errors import InvalidMedia
from tasks.media.formats.row import Format, starts_with

START_OF_SCAN = 0xDA
END_OF_IMAGE = b"\xff\xd9"
# Markers without a length: TEM, RST0..7, SOI.
BARE = (0x01, *range(0xD0, 0xD9))


def check(path: Path) -> None:
    """Raises InvalidMedia when no end-of-image marker follows the first scan: the rest of the picture is missing.

    The marker need not be last: phones append clips and depth maps. Inside a scan it cannot occur, as 0xFF is escaped there.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        scan = _first_scan(data)
        if scan < 0 or data.find(END_OF_IMAGE, scan) < 0:
            raise InvalidMedia("the picture is cut off: its end is missing; copy it from the camera again")


def _first_scan(data: mmap.mmap) -> int:
    """Where the first scan begins; -1 when the file ends before it."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF or data[at + 1] == 0xFF or data[at + 1] in BARE:
            at += 1 if data[at] != 0xFF or data[at + 1] == 0xFF else 2
            continue
        if data[at + 1] == START_OF_SCAN:
            return at
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return -1


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
