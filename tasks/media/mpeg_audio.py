"""Walks the frames of MPEG audio (MP3 and its kin, ADTS), to keep them and nothing that stands between or behind them."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

HEADER = 7  # bytes that tell how long a frame is
# Kilobits a second by index: MPEG 1's layers I, II and III, then MPEG 2's layer I and its other two.
BITS = (
    (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
RATES = (44_100, 48_000, 32_000)


def keep_frames(source: Path, out: Path) -> int:
    """Copy the frames of `source` to `out`, without lyrics, tags and whatever else was put among them; how many there are."""
    if not source.stat().st_size:
        return 0
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, out.open("wb") as kept:
        count = 0
        for begin, end in frames(data):
            kept.write(data[begin:end])
            count += 1
    return count


def frames(data: bytes | mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where each whole frame begins and ends. After a gap one counts only if another follows it: noise looks like a frame too."""
    at, steady = 0, False
    while 0 <= at <= len(data) - HEADER:
        end = at + (length := frame_length(data[at : at + HEADER]))
        if length and end <= len(data) and (steady or frame_length(data[end : end + HEADER])):
            yield at, end
            at, steady = end, True
        else:
            at, steady = data.find(b"\xff", at + 1), False


def frame_length(header: bytes) -> int:
    """The bytes of the frame that begins so; 0 when none does."""
    if len(header) < HEADER or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    layer = 4 - (header[1] >> 1 & 3)
    if layer == 4:
        length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
        return length if header[1] & 0xF0 == 0xF0 and length > HEADER else 0
    version, bits, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return 0
    first = version == 3
    bitrate = BITS[layer - 1 if first else min(layer, 2) + 2][bits - 1] * 1000
    samples = RATES[rate] >> (0 if first else 1 if version == 2 else 2)
    padding = header[2] >> 1 & 1
    if layer == 1:
        return (12 * bitrate // samples + padding) * 4
    return (72 if layer == 3 and not first else 144) * bitrate // samples + padding
