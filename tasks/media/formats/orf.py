"""ORF: raw pictures of Olympus and OM System, a TIFF of their own kind; the camera's maker note says where its JPEG is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tasks.media.formats import preview, raw
from tasks.media.formats.directories import Directories, Stretch, Table
from tasks.media.formats.preview import EXIF_BLOCK
from tasks.media.formats.row import Format, starts_with

MAKER_NOTE = 0x927C
CAMERA_SETTINGS = 0x2020
PREVIEW = (0x0101, 0x0102)  # of the camera's settings: where it stands, and its bytes
OLDER_PREVIEW = (0x0088, 0x0089)  # of the note itself
THUMBNAIL = 0x0100
UNDEFINED = 7  # TIFF's type for bytes that only their maker knows
# How a note begins: where its byte order stands in it, and where its directory begins.
HEADERS = ((b"OM SYSTEM\0", 12, 16), (b"OLYMPUS\0", 8, 12))
OLD_HEADER, OLD_DIRECTORY = b"OLYMP\0", 8  # counts its places from the beginning of the file, in the file's order


def content(path: Path) -> IO[bytes]:
    """The camera's JPEG with the raw file's facts. Raises InvalidMedia when there is none."""
    length = path.stat().st_size
    with path.open("rb") as file:
        order = file.read(2)
        inside = preview.largest(file, length, _jpegs(file, length))
    return preview.dressed(inside, preview.facts_of(path, b"II*\0" if order == b"II" else b"MM\0*"))


def _jpegs(file: IO[bytes], length: int) -> Iterator[Stretch]:
    found = Directories.of(file, length)
    tables = list(found.walk())
    for table in tables:
        yield from found.pictures(table)
    for block in (at for table in tables for at in found.numbers(table, EXIF_BLOCK)[:1]):
        entry = found.table(block).get(MAKER_NOTE)
        if entry:
            yield from _in_note(found, entry.at)


def _in_note(found: Directories, at: int) -> Iterator[Stretch]:
    note, first = _note(found, at)
    table = note.table(first)
    settings = table.get(CAMERA_SETTINGS)
    if settings:
        inline = settings.kind == UNDEFINED  # the directory itself, not its place
        where = settings.at - note.base if inline else next(iter(note.numbers(table, CAMERA_SETTINGS)), 0)
        yield from _named(note, note.table(where), PREVIEW)
    yield from _named(note, table, OLDER_PREVIEW)
    if THUMBNAIL in table:
        yield table[THUMBNAIL].at, table[THUMBNAIL].count


def _note(found: Directories, at: int) -> tuple[Directories, int]:
    """The maker note's directories, and where its first one begins; nowhere for a note of another kind."""
    found.file.seek(at)
    head = found.file.read(16)
    for magic, order_at, first in HEADERS:
        if head.startswith(magic):
            order = "<" if head[order_at : order_at + 2] == b"II" else ">"
            return Directories(found.file, found.length, order, base=at), first
    first = at + OLD_DIRECTORY if head.startswith(OLD_HEADER) else found.length
    return Directories(found.file, found.length, found.order), first


def _named(note: Directories, table: Table, tags: tuple[int, int]) -> Iterator[Stretch]:
    starts, sizes = (note.numbers(table, tag) for tag in tags)
    return ((note.base + start, size) for start, size in zip(starts[:1], sizes[:1], strict=False))


ORF = Format(
    name="orf",
    words="a raw picture of Olympus's",
    kind="image",
    content_type="image/x-olympus-orf",
    extensions=(".orf", ".ori"),
    sniff=starts_with(b"IIRO", b"IIRS", b"MMOR"),
    convert=True,
    decoders=preview.DECODERS,
    modules=preview.MODULES,
    check=raw.check,
    content=content,
    note=preview.note,
)
