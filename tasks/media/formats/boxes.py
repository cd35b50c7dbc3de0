"""ISO base media files (MP4, MOV, HEIC, AVIF): their brands and their boxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tasks.core.errors import InvalidMedia


def brands(head: bytes) -> tuple[bytes, ...]:
    """The major brand, then the compatible ones; empty when the file does not begin with `ftyp`."""
    if head[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return (head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4)))


# A fragmented video has two a second at most, and two hours of it at most.
MOST_BOXES = 100_000
MOST_INSIDE = 500  # boxes in another one that are looked at


def boxes(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """(type, offset, size) of each box of the outermost level, as the file claims them. Raises InvalidMedia for too many."""
    length = path.stat().st_size
    at = found = 0
    with path.open("rb") as file:
        while at + 8 <= length:
            file.seek(at)
            header = file.read(16)
            size = int.from_bytes(header[:4], "big")
            if size == 1:
                size = int.from_bytes(header[8:16], "big")
            elif size == 0:  # to the end of the file
                size = length - at
            if size < 8:
                return
            found += 1
            if found > MOST_BOXES:
                raise InvalidMedia(f"its content is broken: it has more than {MOST_BOXES:,} parts")
            yield header[4:8], at, size
            at += size


def inside(file: IO[bytes], begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, where its content begins, where it ends) of each box in a stretch of the file; none reaches out of the stretch."""
    for _ in range(MOST_INSIDE):
        if end - begin < 8:
            return
        file.seek(begin)
        header = file.read(min(16, end - begin))
        if len(header) < 8:
            return
        size, content = int.from_bytes(header[:4], "big"), begin + 8
        if size == 1:
            size, content = int.from_bytes(header[8:16], "big"), begin + 16
        elif size == 0:  # to the end of the stretch
            size = end - begin
        if begin + size < content:
            return
        yield header[4:8], content, min(begin + size, end)
        begin += size


def first(file: IO[bytes], begin: int, end: int, *kinds: bytes) -> tuple[int, int] | None:
    """Where the content of the first box of a kind begins and ends, inside the first one of the kind before, and so on."""
    for kind in kinds:
        found = next(((at, to) for name, at, to in inside(file, begin, end) if name == kind), None)
        if found is None:
            return None
        begin, end = found
    return begin, end


def check(path: Path) -> None:
    """Raises InvalidMedia when a box that holds content reaches beyond the end of the file."""
    length = path.stat().st_size
    for kind, at, size in boxes(path):
        if at + size > length and kind in (b"mdat", b"moov", b"meta", b"moof"):
            raise InvalidMedia(f"the file is cut off: it has {length:,} bytes of at least {at + size:,}; copy it again")
