"""RAF: Fujifilm's raw pictures, whose header says where the camera's own JPEG is."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

from tasks.core.errors import InvalidMedia
from tasks.media.formats import preview
from tasks.media.formats.directories import Stretch
from tasks.media.formats.row import Format, starts_with

# In the header, each as its place and its bytes: the JPEG with all facts, the camera's settings, the sensor's values.
PARTS_AT = 0x54
PARTS = 3


def _parts(file: IO[bytes]) -> list[Stretch]:
    file.seek(PARTS_AT)
    header = file.read(8 * PARTS)
    return [(start, size) for start, size in struct.iter_unpack(">II", header[: len(header) // 8 * 8])]


def check(path: Path) -> None:
    """Raises InvalidMedia when a part is said to lie beyond the end of the file."""
    length = path.stat().st_size
    with path.open("rb") as file:
        end = max((start + size for start, size in _parts(file)), default=length + 1)
    if end > length:
        raise InvalidMedia(f"the file is cut off: it has {length:,} bytes of at least {end:,}; copy it again")


def content(path: Path) -> IO[bytes]:
    """The camera's JPEG, which has the facts in it. Raises InvalidMedia when there is none."""
    with path.open("rb") as file:
        inside = preview.largest(file, path.stat().st_size, _parts(file)[:1])
    return preview.dressed(inside, preview.Facts())


RAF = Format(
    name="raf",
    words="a raw picture of Fujifilm's",
    kind="image",
    content_type="image/x-fuji-raf",
    extensions=(".raf",),
    sniff=starts_with(b"FUJIFILMCCD-RAW "),
    convert=True,
    decoders=preview.DECODERS,
    modules=preview.MODULES,
    check=check,
    content=content,
    note=preview.note,
)
