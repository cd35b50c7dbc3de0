"""What a Live Photo's picture and film have in common, read from the bytes that phones write."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from live_photos import CANARY, PAIR, PLACE, exif, film, heic, jpeg, maker_note, still

from tasks.core.models.media import Media
from tasks.media import Limits, inspect
from tasks.media.live_photo import of_film, of_maker_note, tidy
from tasks.media.video import make_video


def looked_at(path: Path, data: bytes) -> Media:
    path.write_bytes(data)
    return inspect(path, path.name, Limits())


@pytest.mark.parametrize(("name", "make"), [("IMG_1.JPG", jpeg), ("IMG_1.HEIC", heic)])
def test_a_picture_says_which_film_is_its_own(tmp_path: Path, name: str, make: Callable[[], bytes]) -> None:
    media = looked_at(tmp_path / name, make())
    assert (media.kind, media.pair, media.live) == ("image", PAIR, False)
    assert media.camera == "Apple iPhone 17"


def test_a_film_says_which_picture_is_its_own(tmp_path: Path) -> None:
    media = inspect(film(tmp_path / "IMG_1.MOV"), "IMG_1.MOV", Limits())
    assert (media.kind, media.pair, media.live) == ("video", PAIR, True)


def test_a_film_that_is_longer_than_a_live_photo_is_a_video(tmp_path: Path) -> None:
    media = inspect(film(tmp_path / "IMG_1.MOV", seconds=10.5), "IMG_1.MOV", Limits())
    assert (media.kind, media.pair, media.live) == ("video", "", False)


def test_what_has_no_identifier_has_none(tmp_path: Path) -> None:
    plain = tmp_path / "plain.jpg"
    still().save(plain)
    assert inspect(plain, "plain.jpg", Limits()).pair == ""
    assert inspect(film(tmp_path / "IMG_1.MOV", pair=""), "IMG_1.MOV", Limits()).live is False


@pytest.mark.parametrize(
    "stated", ["7e1a0b52-4c2f-4d0b-9a41-2b6f2e8c9d10", f" {PAIR} ", f"{PAIR}\0rest", PAIR.encode()], ids=repr
)
def test_an_identifier_is_written_one_way(stated: str | bytes) -> None:
    assert tidy(stated) == PAIR


@pytest.mark.parametrize("stated", ["", None, "x", f"{PAIR}#x", PAIR[:-1], "é" * 36, b"\xff" * 36, 7, "../" * 12], ids=repr)
def test_anything_else_is_no_identifier(stated: object) -> None:
    assert tidy(stated) == "" == of_film(stated, 2.0)


BROKEN = {
    "another maker": b"Nikon\0\x02\x10\0\0MM" + maker_note()[14:],
    "nothing behind the name": b"Apple iOS\0",
    "a count without tags": b"Apple iOS\0\0\x01MM\xff\xff",
    "a text that lies outside": maker_note()[:20] + b"\0\x11\0\x02\0\0\0\x25\xff\xff\xff\xf0",
    "a text that is too long": maker_note("A" * 4000),
    "another tag": maker_note(tag=0x0012),
    "no text": maker_note(b"\xff\xfe" * 18),
    "the wrong byte order": maker_note()[:12] + b"II" + maker_note()[14:],
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_maker_note_costs_the_identifier_and_not_the_picture(tmp_path: Path, name: str) -> None:
    path = tmp_path / "IMG_1.JPG"
    still().save(path, exif=exif(BROKEN[name]))
    media = inspect(path, path.name, Limits())
    assert (media.verdict, media.pair, media.width) == ("accepted", "", 320)


def test_no_bytes_in_a_maker_note_do_harm() -> None:
    dice = random.Random(7)
    whole = maker_note()
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 12)):
            damaged[dice.randrange(10, len(damaged))] = dice.randrange(256)
        found = of_maker_note(bytes(damaged[: dice.randint(0, len(damaged))]))
        assert found == tidy(found)
    assert of_maker_note(whole) == PAIR
    assert of_maker_note("Apple iOS\0") == of_maker_note(None) == ""


def test_a_films_atoms_stay_behind(tmp_path: Path) -> None:
    source = film(tmp_path / "IMG_1.MOV")
    private = (CANARY.encode(), PAIR.encode(), PLACE.encode(), b"+48.1372")
    assert all(secret in source.read_bytes() for secret in private)
    (out := tmp_path / "out").mkdir()
    made = make_video(source, out, Limits(), 30)
    for path in (made.video, made.preview, made.poster):
        assert not [secret for secret in private if secret in path.read_bytes()], path.name
