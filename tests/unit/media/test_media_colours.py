"""Colours: a plain viewer sees of each rendition what a full-quality conversion of the original shows."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_samples import made_of
from PIL import Image, ImageCms, PngImagePlugin

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, colour, convert_image, inspect
from tasks.media.renditions import sizes

SRGB = ImageCms.createProfile("sRGB")
DISPLAY_P3 = colour.coded(12, 13)


@cache
def scene(width: int = 800, height: int = 533) -> Image.Image:
    """Something like a photograph: soft light, saturated colours, edges and some texture.

    Coarse and strong on purpose, so that quality 80 costs it little: these tests are about colour, size and turn. On real
    photographs the encoder alone takes more than the 0.02 that is allowed here; docs/reference/performance.md has the figures.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    hue = x / width * 6.283
    light = 0.5 + 0.2 * np.sin(y / height * 3.1) + 0.25 * np.sin(x / width * 90) * np.sin(y / height * 70)
    channels = [np.clip(light + 0.3 * np.sin(hue + turn), 0, 1) for turn in (0, 2.1, 4.2)]
    for number in range(12):
        inside = (x - width * (0.1 + 0.07 * number)) ** 2 + (y - height * (0.2 + 0.05 * number)) ** 2 < (height / 14) ** 2
        channels[number % 3] = np.where(inside, 0.5, channels[number % 3])
    return Image.fromarray((np.stack(channels, axis=-1) * 255).round().astype(np.uint8), "RGB")


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Structural similarity of the light in two pictures, over windows of 8 by 8 pixels."""
    a, b = (np.asarray(picture.convert("L"), dtype=np.float64) for picture in (one, other))

    def mean(values: Any) -> Any:
        sums = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        return (sums[8:, 8:] - sums[:-8, 8:] - sums[8:, :-8] + sums[:-8, :-8]) / 64

    mean_a, mean_b = mean(a), mean(b)
    spread = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
    shared = mean(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float((((2 * mean_a * mean_b + c1) * (2 * shared + c2)) / ((mean_a**2 + mean_b**2 + c1) * (spread + c2))).mean())


def off(one: Image.Image, other: Image.Image) -> float:
    """How far colours are off on average, in levels of 255, in the channel where they are furthest."""
    a, b = (np.asarray(picture.convert("RGB"), dtype=np.float64) for picture in (one, other))
    return float(np.abs(a - b).mean(axis=(0, 1)).max())


def reference(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Each channel reduced by LANCZOS from full size, in floating point."""
    channels = [channel.convert("F").resize(size, Image.Resampling.LANCZOS) for channel in picture.split()]
    return Image.merge("RGB", [_rounded(channel) for channel in channels])


def _rounded(channel: Image.Image) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(channel).round(), 0, 255).astype(np.uint8), "L")


def _seen(picture: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    return ImageCms.profileToProfile(picture, source, SRGB, outputMode="RGB") or picture


def _made(path: Path, folder: Path, limits: Limits) -> Iterator[Image.Image]:
    """All renditions of a file."""
    for file in made_of(path, folder, limits)[2].files:
        with Image.open(file.path) as picture:
            assert "icc_profile" not in picture.info
            yield picture


def _alike(path: Path, out: Path, limits: Limits, right: Image.Image) -> None:
    lengths = []
    for shown in _made(path, out, limits):
        lengths.append(max(shown.size))
        wanted = reference(right, shown.size)
        said = (path.name, shown.size, shown.format)
        assert ssim(shown, wanted) >= 0.98 and off(shown, wanted) <= 5, said
    assert lengths == [length for _, length in sizes(max(right.size)) for _ in ("webp", "jpeg")]


def _adobe_in_exif() -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 0xFFFF
    exif.get_ifd(0x8769)[0xA005] = {1: "R03", 2: b"0100"}
    return exif


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "heic", "avif"])
@pytest.mark.parametrize("profile", [DISPLAY_P3, colour.adobe_rgb()], ids=["display-p3", "adobe-rgb"])
def test_wide_colours_are_shown_as_they_were_meant(
    tmp_path: Path, out: Path, limits: Limits, ending: str, profile: bytes
) -> None:
    if ending == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    options: dict[str, Any] = {"webp": {"lossless": True, "method": 0}, "avif": {"speed": 10, "quality": 98}}.get(ending, {})
    scene().save(tmp_path / f"a.{ending}", icc_profile=profile, **{"quality": 98, **options} if ending != "png" else {})
    _alike(tmp_path / f"a.{ending}", out, limits, _seen(scene(), profile))


def test_srgb_is_left_as_it_is(tmp_path: Path, out: Path, limits: Limits) -> None:
    scene(2400, 1600).save(tmp_path / "a.jpg", quality=97)
    _alike(tmp_path / "a.jpg", out, limits, scene(2400, 1600))


def test_adobe_rgb_that_only_exif_speaks_of(tmp_path: Path, out: Path, limits: Limits) -> None:
    scene().save(tmp_path / "a.jpg", quality=97, exif=_adobe_in_exif())
    _alike(tmp_path / "a.jpg", out, limits, _seen(scene(), colour.adobe_rgb()))


def test_grey_with_a_gamma_of_its_own(tmp_path: Path, out: Path, limits: Limits) -> None:
    profile = _grey_profile(1.0)
    for mode in ("L", "LA"):
        grey = scene().convert("L")
        grey.convert(mode).save(tmp_path / f"{mode}.png", icc_profile=profile)
        (out / mode).mkdir()
        _alike(tmp_path / f"{mode}.png", out / mode, limits, _seen(grey, profile))


def _grey_profile(gamma: float) -> bytes:
    """A profile for one channel, made of one for three."""
    body = bytearray(colour.rgb_profile(colour.SRGB, lambda value: value**gamma))
    body[16:20] = b"GRAY"
    return bytes(body).replace(b"rTRC", b"kTRC", 1)


def test_a_png_that_says_its_gamma_in_numbers(tmp_path: Path, out: Path, limits: Limits) -> None:
    words = PngImagePlugin.PngInfo()
    words.add(b"gAMA", struct.pack(">I", 100_000))
    scene().save(tmp_path / "a.png", pnginfo=words)
    _alike(tmp_path / "a.png", out, limits, _seen(scene(), colour.rgb_profile(colour.SRGB, lambda value: value)))


@pytest.mark.parametrize("chunk", [struct.pack(">I", 45_455), struct.pack(">I", 0), struct.pack(">I", 4_000_000_000)])
def test_an_ordinary_or_senseless_gamma_changes_nothing(tmp_path: Path, out: Path, limits: Limits, chunk: bytes) -> None:
    words = PngImagePlugin.PngInfo()
    words.add(b"gAMA", chunk)
    Image.new("RGB", (32, 32), (60, 120, 180)).save(tmp_path / "a.png", pnginfo=words)
    for shown in _made(tmp_path / "a.png", out, limits):
        assert off(shown, Image.new("RGB", shown.size, (60, 120, 180))) <= 3


def test_sixteen_bits_are_reduced_to_eight_not_cut(tmp_path: Path, out: Path, limits: Limits) -> None:
    values = (np.asarray(scene().convert("L"), dtype=np.uint16) * 257).astype(np.uint16)
    for ending in ("png", "tif"):
        Image.fromarray(values).save(tmp_path / f"a.{ending}")
        (out / ending).mkdir()
        _alike(tmp_path / f"a.{ending}", out / ending, limits, scene().convert("L").convert("RGB"))


def test_inverted_cmyk_as_adobe_writes_it(tmp_path: Path, out: Path, limits: Limits) -> None:
    cmyk = scene().convert("CMYK")
    cmyk.save(tmp_path / "a.jpg", quality=97)
    with Image.open(tmp_path / "a.jpg") as stored:
        assert stored.mode == "CMYK" and "adobe" in stored.info
    _alike(tmp_path / "a.jpg", out, limits, cmyk.convert("RGB"))


def test_a_profile_made_for_other_channels_changes_nothing(tmp_path: Path, out: Path, limits: Limits) -> None:
    scene().convert("CMYK").save(tmp_path / "a.tif", icc_profile=DISPLAY_P3, compression="tiff_lzw")
    _alike(tmp_path / "a.tif", out, limits, scene().convert("CMYK").convert("RGB"))


@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (1, 8), (9, 16), (9, 18)])
def test_white_stays_white_and_grey_stays_grey_in_every_coded_space(primaries: int, transfer: int) -> None:
    ramp = Image.merge("RGB", [Image.linear_gradient("L")] * 3)
    red, green, blue = (np.asarray(channel, dtype=int) for channel in _seen(ramp, colour.coded(primaries, transfer)).split())
    assert max(np.abs(red - green).max(), np.abs(green - blue).max()) <= 1
    assert red[0].max() <= 1 and red[-1].min() >= 254
    assert (np.diff(red[:, 0]) >= 0).all()


def test_an_hdr_heic_is_brought_to_what_a_screen_shows(tmp_path: Path, out: Path, limits: Limits) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    pillow_heif.options.SAVE_NCLX_PROFILE = True
    Image.new("RGB", (64, 64), (148, 148, 148)).save(
        tmp_path / "a.heic", quality=-1, color_primaries=9, transfer_characteristics=16, matrix_coefficients=9
    )
    with Image.open(tmp_path / "a.heic") as stored:
        assert stored.info["nclx_profile"]["transfer_characteristics"] == 16
    for shown in _made(tmp_path / "a.heic", out, limits):
        assert 225 <= shown.getpixel((32, 32))[0] <= 245  # 203 cd/m2, paper white


@pytest.mark.parametrize("ending", ["heic", "avif", "tif", "png"])
def test_alpha_survives_on_the_way_through_a_master(tmp_path: Path, out: Path, limits: Limits, ending: str) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 32, 64))
    picture.save(tmp_path / f"a.{ending}")
    media, master, made = made_of(tmp_path / f"a.{ending}", out, limits)
    assert media.convert == (master is not None)
    if master:
        assert (master.path.name, master.format, master.content_type) == ("master.webp", "webp", "image/webp")
    webp, jpeg = (Image.open(file.path) for file in made.files)
    assert webp.getpixel((60, 30))[3] < 5 and webp.getpixel((4, 30))[3] > 250
    assert min(jpeg.convert("RGB").getpixel((60, 30))) > 250


def test_the_first_of_several_pages_is_shown_and_the_others_are_said(tmp_path: Path, limits: Limits) -> None:
    pages = [Image.new("RGB", (40 + 8 * number, 40), colour) for number, colour in enumerate(("red", "lime", "blue"))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    media = inspect(tmp_path / "a.tif", "a.tif", limits)
    assert (media.width, media.animated, media.note) == (40, False, "shows the first of 3 pages")
    shown = Image.open(convert_image(tmp_path / "a.tif", "tiff", tmp_path / "m.jpg", limits).file.path)
    assert shown.getpixel((20, 20))[0] > 250 > 10 > shown.getpixel((20, 20))[1]


def test_of_a_burst_the_primary_picture_is_shown(tmp_path: Path, limits: Limits) -> None:
    import pillow_heif

    burst = pillow_heif.from_pillow(Image.new("RGB", (64, 64), "red"))
    burst.add_from_pillow(Image.new("RGB", (80, 64), "lime"))
    burst.save(tmp_path / "a.heic", primary_index=1)
    media = inspect(tmp_path / "a.heic", "a.heic", limits)
    assert (media.width, media.note) == (80, "shows the primary one of 2 pictures")
    shown = Image.open(convert_image(tmp_path / "a.heic", "heic", tmp_path / "m.jpg", limits).file.path)
    assert shown.size == (80, 64) and shown.getpixel((20, 20))[1] > 240


@pytest.mark.parametrize("profile", [DISPLAY_P3 + bytes(5_000_000), DISPLAY_P3[:300], b"\0" * 200])
def test_a_profile_too_large_or_too_broken_is_left_out(tmp_path: Path, out: Path, limits: Limits, profile: bytes) -> None:
    Image.new("RGB", (32, 32), (60, 120, 180)).save(tmp_path / "a.jpg", icc_profile=profile, quality=95)
    for shown in _made(tmp_path / "a.jpg", out, limits):
        assert off(shown, Image.new("RGB", shown.size, (60, 120, 180))) <= 3


@pytest.mark.parametrize(
    ("marker", "bits", "words"), [(0xC1, 12, "12 bits a channel"), (0xC3, 8, "lossless"), (0xC0, 16, "16 bits a channel")]
)
def test_a_jpeg_that_no_browser_shows_says_why(tmp_path: Path, limits: Limits, marker: int, bits: int, words: str) -> None:
    body = BytesIO()
    Image.new("RGB", (32, 32)).save(body, "JPEG")
    old = body.getvalue()
    at = old.index(b"\xff\xc0")
    (tmp_path / "a.jpg").write_bytes(old[: at + 1] + bytes([marker]) + old[at + 2 : at + 4] + bytes([bits]) + old[at + 5 :])
    with pytest.raises(InvalidMedia, match=words):
        inspect(tmp_path / "a.jpg", "a.jpg", limits)


def test_jpeg_2000_goes_the_whole_way_in_both_its_clothes(tmp_path: Path, out: Path, limits: Limits) -> None:
    for name, options in (("a.jp2", {}), ("b.j2k", {"no_jp2": True})):
        scene().save(tmp_path / name, "JPEG2000", quality_mode="dB", quality_layers=[50], **options)
        (out / name).mkdir()
        _alike(tmp_path / name, out / name, limits, scene())


def test_a_profile_in_jpeg_2000_is_respected(tmp_path: Path, out: Path, limits: Limits) -> None:
    body = BytesIO()
    scene().save(body, "JPEG2000", quality_mode="dB", quality_layers=[50])
    (tmp_path / "a.jp2").write_bytes(_with_profile(body.getvalue(), DISPLAY_P3))
    _alike(tmp_path / "a.jp2", out, limits, _seen(scene(), DISPLAY_P3))


def _with_profile(body: bytes, profile: bytes) -> bytes:
    """Pillow writes sRGB's number into `colr`: the profile takes its place."""
    at, header = body.index(b"colr") - 4, body.index(b"jp2h") - 4
    old = int.from_bytes(body[at : at + 4], "big")
    new = b"colr\2\0\0" + profile
    grown = int.from_bytes(body[header : header + 4], "big") - old + len(new) + 4
    whole = body[:at] + (len(new) + 4).to_bytes(4, "big") + new + body[at + old :]
    return whole[:header] + grown.to_bytes(4, "big") + whole[header + 4 :]
