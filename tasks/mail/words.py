"""Numbers as a mail says them: sizes, lengths, dates, counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

KINDS = {"image": ("photo", "photos"), "video": ("video", "videos"), "document": ("file", "files")}
UNITS = (("kB", 1e3), ("MB", 1e6), ("GB", 1e9))


def size(count: int) -> str:
    """Bytes in decimal units, as phones and file managers show them: 3400000 is "3.4 MB"."""
    if count < 1000:
        return f"{count} bytes"
    unit, each = next((row for row in UNITS if count < 999.5 * row[1]), UNITS[-1])
    value = count / each
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def length(seconds: float) -> str:
    """A duration as players show it: 65.2 is "1:05"."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def moment(when: datetime) -> str:
    """A time in words that nobody misreads: "Thursday, 3 December 2026, 21:40 UTC"."""
    there = when.astimezone(UTC)
    return f"{there:%A}, {there.day} {there:%B %Y, %H:%M} UTC"


def span(seconds: float) -> str:
    """About how long: "13 days", "5 hours", "20 minutes"."""
    for unit, each in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= each:
            return plural(int(seconds // each), unit)
    return "less than a minute"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(parts: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *head, last = [part for part in parts if part] or [""]
    return f"{', '.join(head)} and {last}" if head else last


def tally(kinds: Iterable[str]) -> str:
    """What is waiting: "2 photos, 1 video and 1 file"."""
    counted = list(kinds)
    return listed(plural(counted.count(kind), *KINDS[kind]) for kind in KINDS if kind in counted)
