"""The digest mail: one link, one code, pictures inside, and words for those who see no pictures."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tasks.core.errors import BadRequest
from tasks.mail.digest import PICTURES, Digest, Entry, digest, tally
from tasks.mail.message import Envelope
from tasks.mail.tiles import HEIGHT, WIDTH, file_tile, picture_tile

NOW = datetime(2026, 11, 21, 21, 40, tzinfo=UTC)
URL = "https://gallery.example.org/review/AAAAAAAAAAAAAAAA#SECRET_secret-123"


def stripes() -> bytes:
    """A JPEG of fine black and white stripes: what a blur cannot keep."""
    picture = Image.new("L", (320, 240))
    picture.putdata([255 * (x // 4 % 2) for _ in range(240) for x in range(320)])
    out = BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=90, comment=b"private")
    return out.getvalue()


def entry(number: int = 0, **more: Any) -> Entry:
    facts: dict[str, Any] = {
        "id": f"item{number}",
        "title": f"IMG_{number}",
        "kind": "image",
        "format": "heic",
        "album": "Summer",
        "contributor": "Ada",
        "tile": picture_tile(stripes()),
        "size": 3_400_000,
        "width": 4032,
        "height": 3024,
    }
    return Entry(**facts | more)


def make(*entries: Entry, code: str = "012345", title: str = "Our gallery", **more: Any) -> Digest:
    envelope = Envelope(title, "greenroom@example.org", "ann@example.org", "ops@example.org", "gallery.example.org", NOW)
    return Digest(envelope, URL, code, NOW + timedelta(days=13), entries, **more)


def parsed(facts: Digest) -> EmailMessage:
    return email.message_from_bytes(digest(facts), policy=email.policy.default)


def text(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def html(mail: EmailMessage) -> str:
    return mail.get_body(("html",)).get_content()


def contrast(jpeg: bytes) -> int:
    """How much neighbouring pixels in the middle of a picture differ at most."""
    row = [Image.open(BytesIO(jpeg)).convert("L").getpixel((x, 60)) for x in range(40, WIDTH - 40)]
    return max(abs(a - b) for a, b in zip(row, row[4:], strict=False))


def test_the_link_and_the_code_stand_in_both_texts_and_in_no_header() -> None:
    mail = parsed(make(entry()))
    assert text(mail).count(URL) == 1 and html(mail).count(URL) == 1
    assert "Your code: 012 345" in text(mail) and "012 345" in html(mail)
    headers = " ".join(f"{name}: {value}" for name, value in mail.items())
    assert "SECRET" not in headers and "012" not in headers


def test_the_link_asks_not_to_be_tracked_and_is_the_only_one() -> None:
    links = re.findall(r"<a[^>]*>", html(parsed(make(entry(), entry(1)))))
    assert len(links) == 1
    assert "ses:no-track" in links[0]


def test_every_picture_is_inside_and_none_is_fetched() -> None:
    mail = parsed(make(entry(), entry(1), entry(2, kind="document", tile=file_tile("pdf"))))
    shown = re.findall(r'src="([^"]*)"', html(mail))
    inside = {f"cid:{part['Content-ID'].strip('<>')}": part for part in mail.walk() if part["Content-ID"]}
    assert len(shown) == 3 and set(shown) == set(inside)
    assert all(part.get_content_type() == "image/jpeg" for part in inside.values())
    assert all(Image.open(BytesIO(part.get_content())).size == (WIDTH, HEIGHT) for part in inside.values())
    assert not re.search(r"(?:src|background|url\()[=\s\"'(]*https?:", html(mail))


def test_robots_neither_answer_nor_take_it_for_a_person_s() -> None:
    mail = parsed(make(entry()))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "<reviews.gallery.example.org>"
    assert mail["Reply-To"] == "ops@example.org"
    assert mail["Message-ID"].endswith("@gallery.example.org>")
    assert mail["From"] == "Our gallery <greenroom@example.org>"


def test_what_a_contributor_typed_ends_no_header_and_runs_nowhere() -> None:
    nasty = 'x"><script>alert(1)</script>\r\nBcc: everybody@example.org'
    mail = parsed(make(entry(title=nasty, album=nasty, contributor=nasty, similar=nasty, labels=(nasty,)), title=nasty))
    assert mail["Bcc"] is None
    assert "<script>" not in html(mail) and "&lt;script&gt;" in html(mail)
    assert "\n" not in mail["Subject"]


def test_it_says_what_waits_until_when_and_from_whom() -> None:
    entries = (
        entry(labels=("Dog", "Beach")),
        entry(1, contributor="", similar="IMG_0"),
        entry(2, kind="video", format="mov", duration=65.2, album="Speeches"),
        entry(3, kind="document", format="pdf", width=0, height=0, moderation=("Nudity 97%",)),
    )
    mail = parsed(make(*entries))
    assert mail["Subject"] == "To review: 2 photos, 1 video and 1 file (Summer and Speeches)"
    for words in (text(mail), html(mail)):
        assert "2 photos, 1 video and 1 file are waiting for you" in words
        assert "Friday, 4 December 2026, 21:40 UTC (13 days)" in words
        for fact in ("HEIC · 4032\u00a0×\u00a03024 · 3.4\u00a0MB", "1:05", "Summer, from Ada", "Dog, Beach"):
            assert fact in words
        assert "Sensitive: Nudity 97%" in words and "Looks almost like IMG_0" in words


def test_one_item_is_said_as_one() -> None:
    mail = parsed(make(entry()))
    assert "1 photo is waiting for you" in text(mail)
    assert "Review 1 item<" in html(mail)


def test_no_code_is_named_where_none_is_asked_for() -> None:
    mail = parsed(make(entry(), code=""))
    assert "code" not in text(mail).lower() and "Your code" not in html(mail)
    assert "each time" in text(parsed(make(entry(), code_always=True)))


def test_hundreds_of_items_still_make_a_mail_that_phones_show_whole() -> None:
    tile = picture_tile(stripes())
    entries = tuple(entry(number, tile=tile, labels=("Person", "Outdoors", "Summer", "Party", "Smile")) for number in range(300))
    mail = parsed(make(*entries))
    assert len([part for part in mail.walk() if part["Content-ID"]]) == PICTURES
    assert "And 252 more, which the page shows." in html(mail)
    assert len(html(mail).encode()) < 102_000
    assert "300. IMG_299" in text(mail)


def test_an_address_that_is_none_is_named() -> None:
    facts = make(entry())
    wrong = Digest(
        Envelope("t", "not an address", "ann@example.org", "", "h", NOW), facts.url, facts.code, facts.expires_at, facts.entries
    )
    with pytest.raises(BadRequest, match="'not an address' is no mail address"):
        digest(wrong)


def test_a_sensitive_picture_cannot_be_recognized() -> None:
    assert contrast(picture_tile(stripes())) > 150
    assert contrast(picture_tile(stripes(), sensitive=True)) < 12


def test_a_tile_is_small_and_carries_nothing_but_pixels() -> None:
    tile = picture_tile(stripes(), video=True)
    assert len(tile) < 40_000
    assert b"private" in stripes() and b"private" not in tile and b"Exif" not in tile


@pytest.mark.parametrize("jpeg", [b"", b"GIF89a", b"\xff\xd8\xff\xe0 cut short", stripes()[:700]])
def test_bytes_that_are_no_picture_become_a_tile_that_says_so(jpeg: bytes) -> None:
    assert Image.open(BytesIO(picture_tile(jpeg))).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("ending", ["pdf", "", "ÄÖÜ", "averyverylongending"])
def test_any_file_has_a_tile(ending: str) -> None:
    assert Image.open(BytesIO(file_tile(ending))).size == (WIDTH, HEIGHT)


def test_a_tally_counts_by_kind() -> None:
    assert tally(["video", "image", "image", "document"]) == "2 photos, 1 video and 1 file"
    assert tally(["image"] * 1200) == "1,200 photos"
