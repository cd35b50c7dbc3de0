"""Where a phone's 3GP or MP4 says it was filmed, in the box that 3GPP made for it, which libmediainfo passes over."""

from __future__ import annotations

from pathlib import Path

from tasks.media.formats import boxes

BOX = (b"moov", b"udta", b"loci")
HEADER = 6  # version, flags and language
LONGEST = 1_000
WIDE = b"\xfe\xff"  # begins a name in UTF-16
ONE = 1 << 16  # numbers have 16 bits before the point and 16 after it


def place(path: Path) -> tuple[float, float] | None:
    """Latitude and longitude in degrees; None where the file has no such box."""
    with path.open("rb") as file:
        found = boxes.first(file, 0, path.stat().st_size, *BOX)
        if not found:
            return None
        file.seek(found[0] + HEADER)
        body = file.read(min(LONGEST, max(0, found[1] - found[0] - HEADER)))
    numbers = body[_name(body) + 1 :]  # a byte for what the place has to do with the film
    if len(numbers) < 8:
        return None
    longitude, latitude = (int.from_bytes(numbers[at : at + 4], "big", signed=True) / ONE for at in (0, 4))
    return latitude, longitude


def _name(body: bytes) -> int:
    """Bytes of the place's name with its end, one character of zeros; all of them where it never ends."""
    step = 2 if body.startswith(WIDE) else 1
    ends = (at + step for at in range(0, len(body), step) if body[at : at + step] == bytes(step))
    return next(ends, len(body))
