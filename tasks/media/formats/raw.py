"""Cameras' raw pictures that are TIFF files (DNG, CR2, NEF, ARW, PEF, SRW and their kin), shown through the JPEG inside."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from tasks.core.errors import InvalidMedia
from tasks.media.formats import preview
from tasks.media.formats.directories import Directories
from tasks.media.formats.row import Format
from tasks.media.formats.tiff import is_raw


def check(path: Path) -> None:
    """Raises InvalidMedia when pixels are said to lie beyond the end of the file."""
    length = path.stat().st_size
    with path.open("rb") as file:
        found = Directories.of(file, length)
        for table in found.walk():
            for start, size in found.stretches(table):
                if start + size > length:
                    raise InvalidMedia(
                        f"the file is cut off: it has {length:,} bytes of at least {start + size:,}; copy it again"
                    )


def content(path: Path) -> IO[bytes]:
    """The largest picture inside, as a JPEG with the raw file's facts. Raises InvalidMedia when there is none."""
    length = path.stat().st_size
    with path.open("rb") as file:
        found = Directories.of(file, length)
        inside = preview.largest(file, length, (stretch for table in found.walk() for stretch in found.pictures(table)))
    return preview.dressed(inside, preview.facts_of(path))


RAW = Format(
    name="raw",
    words="a camera's raw picture",
    kind="image",
    content_type="image/x-raw",
    extensions=(
        *(".dng", ".cr2", ".nef", ".arw", ".nrw", ".pef", ".sr2", ".srf", ".srw", ".3fr", ".fff", ".iiq", ".erf", ".dcr"),
        *(".kdc", ".mef", ".mos"),
    ),
    sniff=is_raw,
    convert=True,
    decoders=preview.DECODERS,
    modules=preview.MODULES,
    check=check,
    content=content,
    note=preview.note,
)
