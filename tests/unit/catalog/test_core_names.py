"""Names: stable ids, album slugs, safe file names, search words."""

import re

import pytest

from tasks.core.names import disposition, item_id, parse_execution_name, public_path, safe_file_name, slug, stem, words


def test_an_item_id_is_stable_and_tells_versions_apart():
    assert item_id("inbox", "a.jpg", "v1") == item_id("inbox", "a.jpg", "v1") == "ulgbb6wy5zmfwadq2ecj"
    assert item_id("inbox", "a.jpg", "v1") != item_id("inbox", "a.jpg", "v2")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Summer 2026!", "summer-2026"),
        ("  summer   2026", "summer-2026"),
        ("Été à la mer", "ete-a-la-mer"),
        ("Summer / Day 1", "summer-day-1"),
        ("../../etc", "etc"),
    ],
)
def test_slugs_are_readable(title, expected):
    assert slug(title) == expected


@pytest.mark.parametrize("title", ["夏祭り", "冬祭り", "🦊", "!!!", "", "a" * 200, "a" * 199, "Лето", "ひ x"])
def test_what_ascii_cannot_say_is_a_slug_of_its_own(title):
    others = {slug(other) for other in ("夏祭り", "冬祭り", "🦊🦊", "a" * 198, "Зима", "x")}
    assert re.fullmatch(r"[a-z0-9-]{1,60}", slug(title))
    assert slug(title) not in others - {slug("夏祭り"), slug("冬祭り")}
    assert slug("夏祭り") != slug("冬祭り")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\cv.doc", "cv.doc"),
        ("a\r\nSet-Cookie: x.pdf", "a__Set-Cookie_ x.pdf"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_file_names_are_safe_to_save(name, expected):
    assert safe_file_name(name) == expected


def test_a_long_file_name_keeps_its_ending_and_whole_characters():
    name = safe_file_name("é" * 500 + ".pdf")
    assert name.endswith("é.pdf")
    assert len(name.encode()) <= 150


def test_a_disposition_cannot_be_broken_out_of():
    found = disposition('x"; filename="evil.html\r\nX: y.pdf')
    assert "\r" not in found
    assert found.count('"') == 2


def test_public_paths_name_their_content_and_nothing_of_the_upload():
    assert public_path("x", "320w", "f" * 64, "jpeg") == f"media/x/{'f' * 16}-320w.jpg"
    assert public_path("x", "file", "f" * 64, "../odd") == f"media/x/{'f' * 16}-file.bin"


def test_words_are_compared_without_case_and_accents():
    assert words("Café_au LAIT, café! 2026 東京") == ["cafe", "au", "lait", "2026", "東京"]


@pytest.mark.parametrize(("name", "expected"), [("a.b.jpg", "a.b"), (".hidden", ".hidden"), ("plain", "plain")])
def test_a_title_is_the_name_without_its_ending(name, expected):
    assert stem(name) == expected


def test_execution_names_are_read_back():
    assert parse_execution_name("abcdefghijklmnopqrst-12") == ("abcdefghijklmnopqrst", 12)
    assert parse_execution_name("nightly-backup-1") is None
