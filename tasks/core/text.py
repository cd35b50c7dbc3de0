"""How Greenroom writes sizes, durations, dates and counts for people, and what it makes of text that strangers sent."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

UNITS = ("kB", "MB", "GB", "TB")
# What would end a line, and lone surrogates, which no encoding takes.
BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Embeddings, overrides and isolates, which turn what stands after them around; and the byte order mark.
TURNING = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"))


def size(count: int) -> str:
    """Bytes in decimal units, as phones and file managers show them: `812 bytes`, `4 kB`, `1.2 MB`, `2 GB`."""
    if count < 1000:
        return plural(count, "byte")
    step = next((step for step, _ in enumerate(UNITS) if count < 999.5 * 1000 ** (step + 1)), len(UNITS) - 1)
    amount = count / 1000 ** (step + 1)
    digits = 1 if amount < 9.95 and round(amount, 1) % 1 else 0
    return f"{amount:,.{digits}f} {UNITS[step]}"


def playing_time(seconds: float) -> str:
    """A duration as players show it: `0:07`, `12:40`, `1:02:03`."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def elapsed(seconds: float) -> str:
    """How long something took, to be compared: `0.41 s`, `2 min 5 s`, `3 h 20 min`, `4 d 2 h`."""
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    whole = int(seconds + 0.005)
    for large, large_name, small, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= large:
            return f"{whole // large} {large_name} {whole % large // small} {small_name}"
    return f"{whole // 60} min {whole % 60} s"


def roughly(seconds: float) -> str:
    """A duration in one unit, rounded down: `13 days`, `5 hours`, `less than a minute`."""
    for unit, each in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= each:
            return plural(int(seconds // each), unit)
    return "less than a minute"


def day(when: datetime) -> str:
    """`21 November 2026`, by the clock that `when` was read from."""
    return f"{when.day} {when:%B %Y}"


def minute(when: datetime) -> str:
    """`21 November 2026, 21:40`, by the clock that `when` was read from."""
    return f"{day(when)}, {when:%H:%M}"


def utc_minute(when: datetime) -> str:
    """`21 November 2026, 21:40 UTC`; `when` has its zone."""
    return f"{minute(when.astimezone(UTC))} UTC"


def utc_weekday(when: datetime) -> str:
    """`Saturday, 21 November 2026, 21:40 UTC`; `when` has its zone."""
    return f"{when.astimezone(UTC):%A}, {utc_minute(when)}"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 item`, `1,204 items`; `many` is for nouns whose plural takes more than an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; empty parts are left out."""
    *head, last = [part for part in parts if part] or [""]
    return f"{', '.join(head)} and {last}" if head else last


def one_line(text: str, longest: int | None = None) -> str:
    """A stranger's text in one line: no control or direction characters, single spaces, at most `longest` characters.

    Joiners stay: Persian, Indic scripts and emoji are written with them. What is cut off ends in an ellipsis.
    """
    plain = "".join(" " if unicodedata.category(char) in BREAKING else char for char in text.translate(TURNING))
    line = " ".join(plain.split())
    return line if longest is None or len(line) <= longest else line[: longest - 1].rstrip() + "…"
