"""Rewrites the edit lists of an MP4 whose index stands behind its content, as an editor that cuts without copying would."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

ONCE = 1.0  # the usual speed
EMPTY = -1  # where an edit begins in which nothing is shown
NESTED = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def parts(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of each box; none of them is 4 GB large."""
    at = 0
    while at < len(body):
        size, kind = struct.unpack_from(">I4s", body, at)
        yield kind, body[at + 8 : at + size]
        at += size


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def ticks(body: bytes, *kinds: bytes) -> int:
    """How many of its ticks a second has, by the header at the end of a path of boxes."""
    for kind in kinds:
        body = next(content for name, content in parts(body) if name == kind)
    return int(struct.unpack_from(">I", body, 12)[0])


def edited(path: Path, handler: bytes, edits: Sequence[tuple[float, float, float]], delay: int = 0) -> None:
    """Give the tracks of a handler (`vide`, `soun`) these edits: seconds that each lasts, seconds of the track at which it
    begins or EMPTY, and its speed. `delay` is the time, in the track's ticks, at which the first frame is shown."""
    data = path.read_bytes()
    movie = ticks(data, b"moov", b"mvhd")

    def redone(kind: bytes, content: bytes) -> bytes:
        if kind == b"moov":
            return box(kind, b"".join(redone(*part) for part in parts(content)))
        if kind == b"trak" and handler in content:
            track = ticks(content, b"mdia", b"mdhd")
            lines = b"".join(_line(edit, movie, track, delay) for edit in edits)
            listed = box(b"edts", box(b"elst", struct.pack(">II", 0, len(edits)) + lines))
            kept = [box(name, inner) for name, inner in parts(content) if name != b"edts"]
            return box(kind, kept[0] + listed + b"".join(kept[1:]))
        return box(kind, content)

    path.write_bytes(b"".join(redone(*part) for part in parts(data)))


def _line(edit: tuple[float, float, float], movie: int, track: int, delay: int) -> bytes:
    seconds, begin, speed = edit
    at = EMPTY if begin == EMPTY else round(begin * track) + delay
    return struct.pack(">Iii", round(seconds * movie), at, round(speed * 65536))
