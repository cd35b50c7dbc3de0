"""Numbers in words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tasks.mail import words


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (9_949, "9.9 kB"), (9_960, "10 kB"), (999_499, "999 kB"),
     (999_500, "1.0 MB"), (3_400_000, "3.4 MB"), (48_000_000, "48 MB"), (2_000_000_000, "2.0 GB")],
)  # fmt: skip
def test_sizes(count: int, said: str) -> None:
    assert words.size(count) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0:00"), (65.2, "1:05"), (599.6, "10:00"), (3661, "1:01:01")])
def test_lengths(seconds: float, said: str) -> None:
    assert words.length(seconds) == said


def test_a_time_is_said_in_utc_whatever_its_zone() -> None:
    there = datetime(2026, 12, 4, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert words.moment(there) == "Thursday, 3 December 2026, 22:30 UTC"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(13.5 * 86_400, "13 days"), (86_400, "1 day"), (7_199, "1 hour"), (60, "1 minute"), (5, "less than a minute")],
)
def test_spans(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


@pytest.mark.parametrize(
    ("parts", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "", "b", "c"], "a, b and c")]
)
def test_lists(parts: list[str], said: str) -> None:
    assert words.listed(parts) == said


def test_a_tally_counts_by_kind() -> None:
    assert words.tally(["video", "image", "image", "document"]) == "2 photos, 1 video and 1 file"
    assert words.tally(["image"] * 1200) == "1,200 photos"
