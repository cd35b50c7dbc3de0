"""PNG: its facts may stand before its pixels or behind them, and only then are the pixels decoded to read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from media_samples import corners, made_of, private_exif, quadrants
from PIL import Image, PngImagePlugin

from tasks.media import Limits, inspect, metadata, pictures
from tasks.media.formats import by_name
from tasks.media.formats.png import SIGNATURE


def _chunks(body: bytes) -> list[bytes]:
    found, at = [], len(SIGNATURE)
    while at < len(body):
        end = at + 12 + int.from_bytes(body[at : at + 4], "big")
        found.append(body[at:end])
        at = end
    return found


def _behind_the_pixels(path: Path, kind: bytes) -> None:
    """Move the chunks of that kind to where ImageMagick and cameras in a hurry put them: before IEND."""
    chunks = _chunks(path.read_bytes())
    moved = [chunk for chunk in chunks if chunk[4:8] == kind]
    assert moved
    rest = [chunk for chunk in chunks if chunk[4:8] != kind]
    path.write_bytes(SIGNATURE + b"".join((*rest[:-1], *moved, rest[-1])))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    quadrants().save(tmp_path / "a.png", exif=private_exif(orientation=6))
    return tmp_path / "a.png"


@pytest.mark.parametrize("behind", [False, True])
def test_its_facts_are_found_wherever_they_stand(photo: Path, out: Path, limits: Limits, behind: bool) -> None:
    if behind:
        _behind_the_pixels(photo, b"eXIf")
    media, _, made = made_of(photo, out, limits)
    assert (media.taken_at, media.camera) == ("2024-05-04T10:11:12+02:00", "Greencam 3")
    assert (media.width, media.height) == (64, 96)
    assert all(corners(Image.open(file.path)) == "BRWG" for file in made.files)


def test_what_an_editor_wrote_behind_the_pixels_is_found(photo: Path, limits: Limits) -> None:
    said = PngImagePlugin.PngInfo()
    said.add_itxt("XML:com.adobe.xmp", '<x tiff:Make="Greencam" tiff:Model="4"/>')
    quadrants().save(photo, pnginfo=said)
    _behind_the_pixels(photo, b"iTXt")
    assert inspect(photo, "a.png", limits).camera == "Greencam 4"


@pytest.mark.parametrize("facts", [False, True])
def test_its_facts_are_read_without_its_pixels(photo: Path, limits: Limits, facts: bool) -> None:
    if not facts:
        quadrants().save(photo)
    with pictures.opened(photo, by_name("png"), limits) as picture:
        assert metadata.facts(picture)["camera"] == ("Greencam 3" if facts else "")
        assert pictures.upright_size(picture) == ((64, 96) if facts else (96, 64))
        assert picture.tile, "the pixels were decoded"
