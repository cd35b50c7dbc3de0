"""RW2 and RWL: Panasonic's and Leica's raw pictures, a TIFF of their own kind with the camera's JPEG as one of its tags."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from tasks.core.errors import InvalidMedia
from tasks.media.formats import preview
from tasks.media.formats.directories import Directories, Stretch
from tasks.media.formats.row import Format, starts_with

JPEGS = (0x002E, 0x0127)  # newer cameras put a larger one into the second
SENSOR_AT = 0x0118


def _jpegs(found: Directories) -> list[Stretch]:
    table = found.first()
    return [(table[tag].at, table[tag].count) for tag in JPEGS if tag in table]


def check(path: Path) -> None:
    """Raises InvalidMedia when the file ends before the JPEG does, or before the sensor's values begin."""
    length = path.stat().st_size
    with path.open("rb") as file:
        found = Directories.of(file, length)
        end = max([start + size for start, size in _jpegs(found)] + [*found.numbers(found.first(), SENSOR_AT), 0])
    if end > length:
        raise InvalidMedia(f"the file is cut off: it has {length:,} bytes of at least {end:,}; copy it again")


def content(path: Path) -> IO[bytes]:
    """The camera's JPEG with the raw file's facts. Raises InvalidMedia when there is none."""
    length = path.stat().st_size
    with path.open("rb") as file:
        inside = preview.largest(file, length, _jpegs(Directories.of(file, length)))
    return preview.dressed(inside, preview.facts_of(path, b"II*\0"))


RW2 = Format(
    name="rw2",
    words="a raw picture of Panasonic's or Leica's",
    kind="image",
    content_type="image/x-panasonic-rw2",
    extensions=(".rw2", ".rwl"),
    sniff=starts_with(b"IIU\0"),
    convert=True,
    decoders=preview.DECODERS,
    modules=preview.MODULES,
    check=check,
    content=content,
    note=preview.note,
)
