"""EBML files (Matroska, WebM): their document type, whether they are whole, which way is up, and where sound begins."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tasks.core.errors import InvalidMedia

MAGIC = b"\x1a\x45\xdf\xa3"
DOC_TYPE = b"\x42\x82"
SEGMENT = b"\x18\x53\x80\x67"
# Where the first track says how far its picture is turned: Tracks, TrackEntry, Video, Projection, ProjectionPoseRoll.
ROLL = (SEGMENT, b"\x16\x54\xae\x6b", b"\xae", b"\xe0", b"\x76\x70", b"\x76\x75")
TRACKS = (SEGMENT, b"\x16\x54\xae\x6b")
TRACK, CODEC_DELAY = b"\xae", b"\x56\xaa"
MOST_PARTS = 1_000  # of an element, that are looked at
LOOKED_AT = 256  # bytes that the header takes at most, in files as they are written


def number(data: bytes, at: int) -> tuple[int | None, int]:
    """A size as EBML writes it at `at`, and the bytes that it takes; None when it is unknown, as in a recording under way."""
    if at >= len(data) or not data[at]:
        return None, 1
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big") & ((1 << 7 * length) - 1)
    return (None if value == (1 << 7 * length) - 1 else value), length


def doc_type(head: bytes) -> bytes:
    """`webm`, `matroska`, ...; empty for what is no EBML file."""
    at = head.find(DOC_TYPE, 4, LOOKED_AT)
    if not head.startswith(MAGIC) or at < 0:
        return b""
    size, length = number(head, at + 2)
    begin = at + 2 + length
    return head[begin : begin + (size or 0)].rstrip(b"\0")


def check(path: Path) -> None:
    """Raises InvalidMedia when the segment reaches beyond the file's end. A browser's recording does not say how long it is."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT + 16)
    at = head.find(SEGMENT)
    if at < 0:
        return
    size, length = number(head, at + 4)
    there, promised = path.stat().st_size, at + 4 + length + (size or 0)
    if size is not None and promised > there:
        raise InvalidMedia(f"the file is cut off: it has {there:,} bytes of at least {promised:,}; copy it again")


def rotation(path: Path) -> int:
    """Degrees that the picture of a Matroska file is turned to the right before it is shown; 0 where it does not say."""
    with path.open("rb") as file:
        begin, end = 0, path.stat().st_size
        for name in ROLL:
            found = next(((at, to) for kind, at, to in _parts(file, begin, end) if kind == name), None)
            if not found:
                return 0
            begin, end = found
        file.seek(begin)
        body = file.read(min(8, end - begin))
    layout = {4: ">f", 8: ">d"}.get(len(body))
    roll = struct.unpack(layout, body)[0] if layout else 0.0  # counted to the left
    return round(-roll) % 360 if math.isfinite(roll) else 0


def codec_delay(path: Path) -> float:
    """Seconds that a track of a Matroska file begins before it is heard: the most that one says."""
    delays = [0]
    with path.open("rb") as file:
        begin, end = 0, path.stat().st_size
        for name in TRACKS:
            begin, end = next(((at, to) for kind, at, to in _parts(file, begin, end) if kind == name), (end, end))
        for kind, at, to in _parts(file, begin, end):
            if kind == TRACK:
                for inner, left, right in _parts(file, at, to):
                    if inner == CODEC_DELAY:
                        file.seek(left)
                        delays.append(int.from_bytes(file.read(min(8, right - left)), "big"))
    return max(delays) / 1e9


def _parts(file: IO[bytes], begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(identifier, where its content begins, where it ends) of each element in a stretch; none reaches out of the stretch."""
    for _ in range(MOST_PARTS):
        if end - begin < 2:
            return
        file.seek(begin)
        head = file.read(min(12, end - begin))
        if not head[0] >> 4:  # identifiers have at most four bytes
            return
        named = 9 - head[0].bit_length()
        size, length = number(head, named)
        at = begin + named + length
        to = end if size is None else min(at + size, end)
        yield head[:named], at, to
        begin = to
