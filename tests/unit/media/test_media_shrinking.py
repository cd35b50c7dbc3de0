"""Shrinking is fast by doing less; nobody may see what was left out."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from benchmarks.similarity import ssim
from PIL import Image, ImageChops, ImageDraw

from tasks.media import shrinking
from tasks.media.hands import Hands

LANCZOS = Image.Resampling.LANCZOS


@pytest.fixture(scope="module", params=[3, 7], ids=["grain", "strong grain"])
def photograph(request: pytest.FixtureRequest) -> Image.Image:
    return drawn(request.param)


def drawn(grain: int) -> Image.Image:
    """4032 x 3024 with soft grounds, grain of so many levels, hard edges and thin lines."""
    ground = Image.effect_noise((32, 24), 60).resize((4032, 3024), Image.Resampling.BICUBIC)
    picture = ImageChops.add(ground, Image.effect_noise((4032, 3024), grain), offset=-128).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for step in range(0, 3024, 96):
        pen.line((0, step, 4032, 3024 - step), fill=(200, 40, step // 12), width=5)
        pen.ellipse((step, step // 2, step + 300, step // 2 + 200), outline=(20, 90, 160), width=9)
    return picture


def opened(picture: Image.Image) -> Image.Image:
    body = BytesIO()
    picture.save(body, "JPEG", quality=92)
    return Image.open(body)


def test_every_size_looks_like_the_best_reduction_from_full_size(photograph: Image.Image) -> None:
    picture = opened(photograph)
    assert shrinking.draft(picture, 2048) is None
    with Hands(1) as hands:
        small: Image.Image = shrinking.resized(picture, shrinking.within(picture.size, 2048), hands)
    whole = opened(photograph)
    found = {}
    for size in (2048, 1280, 640, 320):
        small = shrinking.fitted(small, size)
        best = whole.resize(shrinking.within(whole.size, size), LANCZOS)
        assert small.size == best.size and max(small.size) == size
        found[size] = ssim(small.convert("L"), best.convert("L"))
    assert min(found.values()) >= 0.98, found


def test_a_half_size_decoding_would_not_look_like_it() -> None:
    """What decoding all of it buys: the grain of a picture that is shown at half its size."""
    photograph = drawn(7)
    half = opened(photograph)
    half.draft(None, (2016, 1512))
    size = shrinking.within(photograph.size, 2048)
    best = opened(photograph).resize(size, LANCZOS)
    assert ssim(half.resize(size, LANCZOS).convert("L"), best.convert("L")) < 0.98


def test_bands_join_without_a_seam(photograph: Image.Image) -> None:
    with Hands(1) as hands:
        banded = shrinking.resized(photograph, (1500, 1125), hands)
    at_once = shrinking.resized(photograph, (1500, 1125))
    rounding = ImageChops.difference(banded, at_once)
    assert max(high for _, high in rounding.getextrema()) <= 1
    assert sum(rounding.convert("L").histogram()[1:]) < 0.01 * 1500 * 1125


@pytest.mark.parametrize(
    ("size", "grain", "long_side", "decoded"),
    [
        ((4032, 3024), 0, 2048, (2016, 1512)),  # smooth: 2% short of it does no harm
        ((4032, 3024), 7, 2048, (4032, 3024)),  # its half has no grain left
        ((3900, 2925), 0, 2048, (3900, 2925)),  # 5% short of it
        ((4032, 3024), 7, 1280, (2016, 1512)),  # enough of it left
        ((8064, 6048), 0, 2048, (4032, 3024)),  # never a quarter
        ((640, 480), 0, 2048, (640, 480)),
    ],
)
def test_a_jpeg_is_decoded_at_half_size_where_that_suffices(
    size: tuple[int, int], grain: int, long_side: int, decoded: tuple[int, int]
) -> None:
    picture = opened(Image.effect_noise(size, grain))
    full = shrinking.draft(picture, long_side)
    assert picture.size == decoded
    assert full == (None if decoded == size else size)


def test_only_a_jpeg_can_be_decoded_at_half_size() -> None:
    body = BytesIO()
    Image.new("RGB", (4032, 3024)).save(body, "PNG")
    assert shrinking.draft(Image.open(body), 2048) is None


def test_nothing_is_made_larger(tmp_path: Path) -> None:
    assert shrinking.within((640, 480), 2048) == (640, 480)
    picture = Image.new("RGB", (640, 480))
    assert shrinking.fitted(picture, 2048) is picture
