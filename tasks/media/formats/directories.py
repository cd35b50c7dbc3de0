"""TIFF's directories, of which cameras build their raw files: every place is checked, and no directory is visited twice."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

MOST_DIRECTORIES = 64
MOST_ENTRIES = 1_000
MOST_VALUES = 65_536
SIZES = {1: "B", 3: "H", 4: "I", 13: "I"}  # TIFF's types that hold whole numbers
WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes of one value
STRIPS, STRIP_BYTES = 273, 279
JPEG_AT, JPEG_BYTES = 513, 514
TILES, TILE_BYTES = 324, 325
SUB_DIRECTORIES = 330
STRETCHES = ((STRIPS, STRIP_BYTES), (TILES, TILE_BYTES), (JPEG_AT, JPEG_BYTES))

Stretch = tuple[int, int]  # where something begins in the file, and its bytes


@dataclass(frozen=True)
class Entry:
    """One tag of a directory: TIFF's type, how many values, and where in the file they stand."""

    kind: int
    count: int
    at: int


Table = dict[int, Entry]


@dataclass
class Directories:
    """The directories of one file. A camera's own may count their places from elsewhere than its beginning: `base`."""

    file: IO[bytes]
    length: int
    order: str = "<"
    base: int = 0
    seen: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, file: IO[bytes], length: int) -> Directories:
        file.seek(0)
        return cls(file, length, "<" if file.read(2) == b"II" else ">")

    def first(self) -> Table:
        """The one that the file's header names."""
        return self._read(next(iter(self._unpacked(4, "I")), self.length))[0]

    def walk(self) -> Iterator[Table]:
        """The chain of the file, and the directories inside each."""
        waiting = list(self._unpacked(4, "I"))
        while waiting and len(self.seen) < MOST_DIRECTORIES:
            at = waiting.pop(0)
            if at in self.seen or not 8 <= at < self.length:
                continue
            self.seen.add(at)
            table, following = self._read(at)
            waiting += [*self.numbers(table, SUB_DIRECTORIES), following]
            yield table

    def table(self, at: int) -> Table:
        """The directory at a place that is counted from `base`; empty where there is none."""
        return self._read(self.base + at)[0]

    def numbers(self, table: Table, tag: int) -> tuple[int, ...]:
        """A tag's whole numbers; none where it is missing, of another type, or reaches beyond the end of the file."""
        entry = table.get(tag)
        if entry is None or entry.kind not in SIZES or entry.count > MOST_VALUES:
            return ()
        return self._unpacked(entry.at, f"{entry.count}{SIZES[entry.kind]}")

    def stretches(self, table: Table) -> Iterator[Stretch]:
        """Where the pixels of a directory are said to be."""
        for where, amount in STRETCHES:
            yield from zip(self.numbers(table, where), self.numbers(table, amount), strict=False)

    def pictures(self, table: Table) -> Iterator[Stretch]:
        """Those of its stretches that are a whole picture: one strip, one tile, or a JPEG of its own."""
        for where, amount in STRETCHES:
            starts, sizes = self.numbers(table, where), self.numbers(table, amount)
            if len(starts) == len(sizes) == 1:
                yield self.base + starts[0], sizes[0]

    def _read(self, at: int) -> tuple[Table, int]:
        """A directory, and the place of the following one."""
        (count,) = self._unpacked(at, "H") or (0,)
        count = min(count, MOST_ENTRIES)
        rows = self._unpacked(at + 2, "HHI4x" * count)
        table: Table = {}
        for row in range(len(rows) // 3):
            tag, kind, amount = rows[3 * row : 3 * row + 3]
            table.setdefault(tag, Entry(kind, amount, self._place(at + 10 + 12 * row, WIDTHS.get(kind, 0) * amount)))
        (following,) = self._unpacked(at + 2 + 12 * count, "I") or (0,)
        return table, following

    def _place(self, at: int, size: int) -> int:
        """The values stand in the entry itself where four bytes hold them, else where it points to."""
        if size <= 4:
            return at
        (there,) = self._unpacked(at, "I") or (self.length,)
        return self.base + there

    def _unpacked(self, at: int, layout: str) -> tuple[int, ...]:
        """Numbers as the file writes them; none beyond its end."""
        size = struct.calcsize(self.order + layout)
        if at < 0 or at + size > self.length:
            return ()
        self.file.seek(at)
        body = self.file.read(size)
        return struct.unpack(self.order + layout, body) if len(body) == size else ()
