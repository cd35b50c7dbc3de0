"""What a file is, told from its content alone."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from media_samples import corners, quadrants
from PIL import Image, features

from tasks.media import Limits, convert_image, expected_kind, formats, inspect, sniff
from tasks.media.formats import FORMATS, by_name
from tasks.media.formats.tiff import is_raw


def _written(format: str, **options: object) -> bytes:
    body = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(body, format=format, **options)
    return body.getvalue()


def _zip(*names: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return body.getvalue()


def _box(brand: bytes, *more: bytes) -> bytes:
    content = b"ftyp" + brand + b"\0\0\0\0" + b"".join(more)
    return (len(content) + 4).to_bytes(4, "big") + content


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_what_pillow_writes_is_known_by_its_own_name(name: str) -> None:
    found = sniff(_written(name)[: formats.HEAD])
    assert found is not None and found.name == name.lower()


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (_box(b"heic", b"mif1", b"heic"), "heic"),
        (_box(b"mif1", b"heic"), "heic"),
        (_box(b"mif1", b"avif"), "avif"),
        (_box(b"crx ", b"crx ", b"isom"), "cr3"),
        (b"FUJIFILMCCD-RAW 0201", "raf"),
        (b"IIU\0\x18\0\0\0", "rw2"),
        (b"IIRS\x08\0\0\0", "orf"),
        (b"MMOR\0\0\0\x08", "orf"),
        (b"II*\0\x08\x0a\0\0IIIICwaR", "raw"),
        (_box(b"isom", b"avc1"), "mp4"),
        (_box(b"3gp4"), "3gp"),
        (_box(b"M4V "), "m4v"),
        (_box(b"qt  "), "mov"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov"),
        (_box(b"M4A ", b"isom"), "m4a"),
        (b"%PDF-1.7\n", "pdf"),
        (_zip("[Content_Types].xml", "word/document.xml"), "docx"),
        (_zip("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
        (_zip("a.txt"), "zip"),
        (b"ID3\x04rest", "mp3"),
        (b"RIFF\0\0\0\0WAVEfmt ", "wav"),
        ("Grüße aus dem Wald".encode(), "text"),
        ("é".encode() * 4095 + b"\xc3", "text"),
    ],
)
def test_the_beginning_says_what_it_is(head: bytes, name: str) -> None:
    found = sniff(head)
    assert found is not None and found.name == name


@pytest.mark.parametrize(
    "head",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg/>",
        b"  \n<!DOCTYPE html><html></html>",
        b"\xef\xbb\xbf<HTML><body onload=x>",
        "<html>".encode("utf-16"),
    ],
)
def test_what_a_browser_could_run_is_a_document_of_plain_bytes(head: bytes) -> None:
    found = sniff(head)
    assert found is not None and (found.kind, found.content_type) == ("document", "application/octet-stream")


@pytest.mark.parametrize("head", [b"", b"\0", b"\x7fELF\x02\x01", b"BM but only text", b"\0\0\0\x14ftypwhat\0\0\0\0"])
def test_no_picture_and_no_video_is_made_of_anything_else(head: bytes) -> None:
    found = sniff(head)
    assert found is None or found.kind == "document"


def test_a_cameras_raw_file_is_not_taken_for_its_thumbnail() -> None:
    entries = (b"\xfe\0\x04\0\x01\0\0\0\x01\0\0\0", b"\x0f\x01\x02\0\x04\0\0\0Pal\0")
    thumbnail_first = b"II*\0\x08\0\0\0" + b"\x02\0" + b"".join(entries)
    found = sniff(thumbnail_first)
    assert is_raw(thumbnail_first) and found is not None and found.name == "raw"


def test_no_document_is_served_as_something_that_a_browser_runs() -> None:
    for row in (*FORMATS, formats.UNKNOWN):
        if row.kind == "document":
            assert not re.search("html|xml$|svg|script", row.content_type), row.name


def test_rows_have_names_of_their_own_and_endings_of_their_own() -> None:
    shown = [row for row in FORMATS if row.kind != "document"]
    endings = [end for row in shown for end in row.extensions]
    assert len({row.name for row in FORMATS}) == len(FORMATS)
    assert len(set(endings)) == len(endings)
    assert all(end.startswith(".") and end == end.lower() for end in endings)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.JPG", "image"), ("a.heic", "image"), ("a.mov", "video"), ("a.pdf", "document"), ("clip", "video"), ("a.xyz", "video")],
)
def test_a_name_that_promises_nothing_may_be_as_large_as_a_video(name: str, kind: str) -> None:
    assert expected_kind(name) == kind


def test_an_unknown_name_is_said_with_the_known_ones() -> None:
    with pytest.raises(LookupError, match=r"'tga'.*jpeg"):
        by_name("tga")


def _numbers(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text or "0")[:3])


def test_the_decoders_are_not_the_ones_with_known_holes() -> None:
    import pillow_heif

    assert _numbers(version("pillow")) >= (13, 0, 0)  # GHSA-8g5g-8vmr-9782
    assert _numbers(pillow_heif.libheif_version()) >= (1, 23, 3)  # CVE-2026-84383
    assert _numbers(features.version("webp")) >= (1, 3, 2)  # CVE-2023-4863
    # No advisory is named for these: older ones were simply not tried.
    assert _numbers(features.version("avif")) >= (1, 3, 0)
    assert _numbers(features.version("jpg_2000")) >= (2, 5, 4)
    assert _numbers(features.version("libtiff")) >= (4, 7, 1)
    assert _numbers(features.version("libjpeg_turbo")) >= (3, 0, 1)


def test_each_row_brings_its_decoder(tmp_path: Path) -> None:
    for row in FORMATS:
        if row.kind == "image":
            row.load()
            assert row.decoders[0] in Image.OPEN, row.name


HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-format.md"


def test_the_row_of_the_how_to_is_all_that_a_new_format_needs(
    tmp_path: Path, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written down in a module of its own and put into the registry, as the page says."""
    (code,) = re.findall(r"^```python\n(\"\"\"QOI.*?)^```", HOW_TO.read_text(), re.MULTILINE | re.DOTALL)
    made: dict[str, Any] = {}
    exec(code, made)
    monkeypatch.setattr(formats, "FORMATS", (*FORMATS, made["QOI"]))
    monkeypatch.setitem(formats._BY_NAME, "qoi", made["QOI"])
    quadrants().save(tmp_path / "a.qoi")
    media = inspect(tmp_path / "a.qoi", "a.qoi", limits)
    assert (media.verdict, media.format, media.width, media.convert) == ("accepted", "qoi", 96, True)
    master = convert_image(tmp_path / "a.qoi", "qoi", tmp_path / "master.jpg", limits)
    assert corners(Image.open(master.file.path)) == "RGBW"


def test_the_how_to_explains_every_field() -> None:
    explained = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", HOW_TO.read_text(), re.MULTILINE))))
    assert {field.name for field in fields(formats.Format)} <= explained
