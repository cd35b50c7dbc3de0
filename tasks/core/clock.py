"""The time, as every row, page and audit writes it: ISO 8601 in UTC, whole seconds (`2026-11-21T21:40:26Z`).

What needs the time takes a `Clock`; tests hand in one that stands still or jumps.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """A moment (with its zone) as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> datetime:
    """The moment that `iso` wrote, or any ISO 8601 text; without a zone it is taken as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def now(clock: Clock = utc_now) -> str:
    """The time as text."""
    return iso(clock())


def epoch(clock: Clock = utc_now) -> int:
    """The time in whole seconds since 1970, as DynamoDB's TTL wants it."""
    return int(clock().timestamp())
