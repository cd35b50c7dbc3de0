"""Sizes, durations, dates and counts in words, and the text of strangers in one line."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.headerregistry import Address

import pytest

from tasks.core import text


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (1_240_000, "1.2 MB"),
        (48_000_000, "48 MB"),
        (100_000_000, "100 MB"),
        (2_000_000_000, "2 GB"),
        (5 * 10**15, "5,000 TB"),
    ],
)
def test_a_size_is_decimal_with_one_digit_below_ten(count: int, words: str) -> None:
    assert text.size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0:00"), (0.4, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (65.2, "1:05"), (599.6, "10:00"), (3723, "1:02:03")],
)
def test_a_playing_time(seconds: float, words: str) -> None:
    assert text.playing_time(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.00 s"), (0.41, "0.41 s"), (59.99, "59.99 s"), (59.996, "1 min 0 s"), (125, "2 min 5 s"),
     (12_000, "3 h 20 min"), (4 * 86_400 + 7_300, "4 d 2 h")],
)  # fmt: skip
def test_an_elapsed_time(seconds: float, words: str) -> None:
    assert text.elapsed(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(13.5 * 86_400, "13 days"), (86_400, "1 day"), (7_199, "1 hour"), (60, "1 minute"), (5, "less than a minute")],
)
def test_a_rough_duration(seconds: float, words: str) -> None:
    assert text.roughly(seconds) == words


def test_a_date_follows_its_own_clock_and_says_so_when_it_is_utc() -> None:
    there = datetime(2026, 12, 4, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert text.day(there) == "4 December 2026"
    assert text.minute(there) == "4 December 2026, 00:30"
    assert text.utc_minute(there) == "3 December 2026, 22:30 UTC"
    assert text.utc_weekday(there) == "Thursday, 3 December 2026, 22:30 UTC"


def test_a_count_has_its_noun() -> None:
    assert [text.plural(count, "item") for count in (0, 1, 1204)] == ["0 items", "1 item", "1,204 items"]
    assert text.plural(2, "by-product", "by-products") == "2 by-products"


@pytest.mark.parametrize(
    ("parts", "words"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "", "b", "c"], "a, b and c")]
)
def test_a_list(parts: list[str], words: str) -> None:
    assert text.listed(parts) == words


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("  a\0b\r\n c  ", "a b c"),
        ("a\u2028b\u2029c\x85d\x1be", "a b c d e"),
        ("gpj\u202eexe.\ufeff", "gpjexe."),
        ("lone \ud83d surrogate", "lone surrogate"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("", ""),
    ],
)
def test_a_strangers_text_is_one_line_in_one_direction(given: str, line: str) -> None:
    assert text.one_line(given) == line
    line.encode()
    Address(display_name=text.one_line(given), addr_spec="ada@example.com")  # no header ends in it


def test_a_line_that_is_too_long_ends_in_an_ellipsis() -> None:
    assert text.one_line("Summer holidays", 15) == "Summer holidays"
    assert text.one_line("Summer holidays", 8) == "Summer…"
