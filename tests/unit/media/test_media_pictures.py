"""Pictures: looked at, turned upright, reduced, and stripped of all that is private."""

from __future__ import annotations

import base64
import io
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from media_samples import corners, made_of, private_exif, quadrants
from PIL import Image, ImageCms

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, convert_image, inspect, make_renditions, still
from tasks.media.renditions import sizes


def _save(path: Path, picture: Image.Image, **options: Any) -> Path:
    if path.suffix in (".heic", ".heif"):
        import pillow_heif

        pillow_heif.register_heif_opener()
    picture.save(path, **options)
    return path


def _refused(path: Path, limits: Limits, name: str = "") -> str:
    with pytest.raises(InvalidMedia) as caught:
        inspect(path, name or path.name, limits)
    return caught.value.reason


# ---- facts ----


@pytest.mark.parametrize(
    ("name", "format", "convert"),
    [
        ("a.jpg", "jpeg", False),
        ("a.png", "png", False),
        ("a.webp", "webp", False),
        ("a.gif", "gif", False),
        ("a.heic", "heic", True),
        ("a.avif", "avif", True),
        ("a.tif", "tiff", True),
        ("a.bmp", "bmp", True),
        ("a.jp2", "jp2", True),
    ],
)
def test_every_format_goes_the_whole_way(
    tmp_path: Path, out: Path, limits: Limits, name: str, format: str, convert: bool
) -> None:
    path = _save(tmp_path / name, quadrants())
    media, master, made = made_of(path, out, limits)
    assert (media.verdict, media.kind, media.format, media.convert) == ("accepted", "image", format, convert)
    assert (media.width, media.height, media.bytes) == (96, 64, path.stat().st_size)
    assert len(made.phash) == 16
    assert (master is not None) == convert
    if master:
        assert (corners(Image.open(master.path)), master.width, master.height) == ("RGBW", 96, 64)
    assert [(file.name, file.format, file.width, file.height) for file in made.files] == [
        ("320w", "webp", 96, 64),
        ("320w", "jpeg", 96, 64),
    ]
    assert all(corners(Image.open(file.path)) == "RGBW" for file in made.files)


def test_the_camera_says_when_with_its_offset_and_which_it_was(tmp_path: Path, limits: Limits) -> None:
    media = inspect(_save(tmp_path / "a.jpg", quadrants(), exif=private_exif()), "a.jpg", limits)
    assert (media.taken_at, media.camera) == ("2024-05-04T10:11:12+02:00", "Greencam 3")


def test_a_picture_without_facts_has_no_time_rather_than_a_wrong_one(tmp_path: Path, limits: Limits) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "0000:00:00 00:00:00"
    media = inspect(_save(tmp_path / "a.jpg", quadrants(), exif=exif), "a.jpg", limits)
    assert (media.taken_at, media.camera) == ("", "")


def test_broken_facts_cost_the_facts_not_the_picture(tmp_path: Path, limits: Limits) -> None:
    media = inspect(_save(tmp_path / "a.jpg", quadrants(), exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"), "a.jpg", limits)
    assert (media.verdict, media.width, media.taken_at) == ("accepted", 96, "")


def test_the_name_may_be_wrong_about_which_picture_it_is(tmp_path: Path, limits: Limits) -> None:
    path = _save(tmp_path / "a", quadrants(), format="PNG")
    assert inspect(path, "IMG_1.HEIC", limits).format == "png"


def test_near_duplicates_have_near_fingerprints_and_others_do_not(tmp_path: Path, out: Path, limits: Limits) -> None:
    def fingerprint(picture: Image.Image, name: str, **options: Any) -> int:
        return int(made_of(_save(tmp_path / name, picture, **options), out, limits)[2].phash, 16)

    scene = Image.effect_mandelbrot((320, 240), (-2.2, -1.2, 0.8, 1.2), 60).convert("RGB")
    first = fingerprint(scene, "a.jpg", quality=95)
    smaller = fingerprint(scene.resize((160, 120)), "b.tif")
    turned = fingerprint(scene.rotate(90, expand=True), "c.jpg", exif=_turned(6), quality=95)
    other = fingerprint(scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "d.jpg")
    assert (first ^ smaller).bit_count() <= 6
    assert (first ^ turned).bit_count() <= 6
    assert (first ^ other).bit_count() > 12


def _turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


# ---- upright ----

# What a camera stores for an upright scene when it says each orientation: the turn that undoes it.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "heic", "avif"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_is_applied_once(tmp_path: Path, out: Path, limits: Limits, orientation: int, ending: str) -> None:
    turn = STORED[orientation]
    stored = quadrants() if turn is None else quadrants().transpose(turn)
    # As bytes, for pillow-heif then turns the picture by `irot` and `imir` too, as phones do.
    path = _save(tmp_path / f"a.{ending}", stored, exif=_turned(orientation).tobytes())
    media, master, made = made_of(path, out, limits)
    assert (media.width, media.height) == (96, 64)
    for file in (*made.files, *([master] if master else [])):
        with Image.open(file.path) as picture:
            assert (picture.size, corners(picture), picture.getexif().get(0x0112)) == ((96, 64), "RGBW", None)


# ---- sizes ----


@pytest.mark.parametrize(
    ("long_side", "expected"),
    [
        (4032, [("2048w", 2048), ("1280w", 1280), ("640w", 640), ("320w", 320)]),
        (2048, [("2048w", 2048), ("1280w", 1280), ("640w", 640), ("320w", 320)]),
        (1800, [("2048w", 1800), ("1280w", 1280), ("640w", 640), ("320w", 320)]),
        (1300, [("1280w", 1280), ("640w", 640), ("320w", 320)]),
        (1000, [("1280w", 1000), ("640w", 640), ("320w", 320)]),
        (320, [("320w", 320)]),
        (1, [("320w", 1)]),
    ],
)
def test_sizes_are_those_that_a_picture_fills(long_side: int, expected: list[tuple[str, int]]) -> None:
    assert sizes(long_side) == expected


def test_a_large_picture_has_four_sizes_in_two_formats_and_a_tiny_placeholder(tmp_path: Path, out: Path, limits: Limits) -> None:
    path = _save(tmp_path / "a.jpg", quadrants(2400, 3200))
    made = make_renditions(path, "jpeg", out, limits)
    heights = [2048, 2048, 1280, 1280, 640, 640, 320, 320]
    assert [file.height for file in made.files] == heights
    assert [file.width for file in made.files] == [height * 3 // 4 for height in heights]
    for file in made.files:
        with Image.open(file.path) as shown:
            assert shown.size == (file.width, file.height)
            assert {"WEBP": "webp", "JPEG": "jpeg"}[shown.format or ""] == file.format
        assert file.path.stat().st_size == file.bytes
    kind, _, body = made.placeholder.partition(",")
    with Image.open(io.BytesIO(base64.b64decode(body))) as blur:
        assert (kind, blur.format, max(blur.size)) == ("data:image/webp;base64", "WEBP", 24)
    assert len(made.placeholder) <= 1024


def test_every_size_has_the_whole_pictures_shape(tmp_path: Path, out: Path, limits: Limits) -> None:
    made = make_renditions(_save(tmp_path / "a.jpg", quadrants(1800, 1200)), "jpeg", out, limits)
    assert [(file.width, file.height) for file in made.files[::2]] == [(1800, 1200), (1280, 853), (640, 427), (320, 213)]


def test_a_very_long_picture_keeps_at_least_one_pixel_of_height(tmp_path: Path, out: Path, limits: Limits) -> None:
    path = _save(tmp_path / "a.png", Image.new("RGB", (5000, 1), "red"))
    assert {file.height for file in make_renditions(path, "png", out, limits).files} == {1}


def test_a_still_for_recognition_is_a_small_upright_jpeg(tmp_path: Path, limits: Limits) -> None:
    path = _save(tmp_path / "a.jpg", quadrants(2000, 3000).transpose(Image.Transpose.ROTATE_90), exif=_turned(6))
    made = still(path, "jpeg", tmp_path / "still.jpg", limits)
    with Image.open(made.path) as shown:
        assert (shown.format, max(shown.size), corners(shown)) == ("JPEG", 1280, "RGBW")


# ---- colours, alpha, animation ----


def test_alpha_stays_in_webp_and_is_white_in_jpeg(tmp_path: Path, out: Path, limits: Limits) -> None:
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 32, 64))
    made = make_renditions(_save(tmp_path / "a.png", picture), "png", out, limits)
    webp, jpeg = (Image.open(file.path) for file in made.files)
    assert webp.mode == "RGBA" and webp.getpixel((60, 30))[3] == 0 and webp.getpixel((4, 30))[3] == 255
    assert jpeg.mode == "RGB" and min(jpeg.getpixel((60, 30))) > 250


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK", "LAB"])
def test_every_kind_of_pixel_is_shown(tmp_path: Path, limits: Limits, mode: str) -> None:
    picture = Image.new("L", (40, 30), 200)
    stored = picture.point(lambda value: value * 257, "I").convert("I;16") if mode == "I;16" else None
    if mode == "LAB":
        stored = ImageCms.profileToProfile(
            picture.convert("RGB"), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    path = _save(tmp_path / "a.tif", stored or picture.convert(mode))
    master = convert_image(path, "tiff", tmp_path / "master.jpg", limits)
    level = Image.open(master.file.path).convert("L").getpixel((20, 15))
    assert abs(level - (255 if mode == "1" else 200)) <= 3


def test_an_icc_profiles_wide_gamut_is_brought_to_srgb(tmp_path: Path, out: Path, limits: Limits) -> None:
    green = Image.new("RGB", (64, 64), (60, 200, 80))
    path = _save(tmp_path / "a.jpg", green, icc_profile=_swapped_profile(), quality=95)
    for file in make_renditions(path, "jpeg", out, limits).files:
        with Image.open(file.path) as shown:
            assert "icc_profile" not in shown.info
            red, _, blue = shown.convert("RGB").getpixel((32, 32))
            assert red > 150 and blue < 130


def _swapped_profile() -> bytes:
    """An sRGB profile whose red and green are exchanged: what ignores it shows green, what follows it shows red."""
    body = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(body[128:132], "big")
    rows = {bytes(body[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, green = rows[b"rXYZ"], rows[b"gXYZ"]
    body[red + 4 : red + 12], body[green + 4 : green + 12] = body[green + 4 : green + 12], body[red + 4 : red + 12]
    return bytes(body).replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))


def test_a_broken_icc_profile_costs_the_profile_not_the_picture(tmp_path: Path, out: Path, limits: Limits) -> None:
    path = _save(tmp_path / "a.jpg", quadrants(), icc_profile=b"no profile at all")
    assert inspect(path, "a.jpg", limits).verdict == "accepted"
    assert all(corners(Image.open(file.path)) == "RGBW" for file in make_renditions(path, "jpeg", out, limits).files)


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_what_moves_still_moves_and_has_a_still(tmp_path: Path, out: Path, limits: Limits, ending: str) -> None:
    frames = [Image.new("RGB", (400, 300), colour) for colour in ("red", "lime", "blue")]
    path = _save(tmp_path / f"a.{ending}", frames[0], save_all=True, append_images=frames[1:], duration=80, loop=0)
    media = inspect(path, path.name, limits)
    assert media.animated
    made = make_renditions(path, media.format, out, limits)
    assert [(file.name, file.format, file.width) for file in made.files] == [
        ("640w", "webp", 400),
        ("640w", "jpeg", 400),
        ("320w", "webp", 320),
        ("320w", "jpeg", 320),
    ]
    for file in made.files:
        with Image.open(file.path) as shown:
            assert (shown.format == "WEBP") == (getattr(shown, "n_frames", 1) == 3)
            assert corners(shown) == "RRRR"
            if shown.format == "WEBP":
                shown.seek(2)
                assert (corners(shown), shown.info["duration"], shown.info["loop"]) == ("BBBB", 80, 0)


def _moving_avif(path: Path) -> Path:
    frames = [Image.new("RGB", (400, 300), colour) for colour in ("red", "lime", "blue")]
    return _save(path, frames[0], save_all=True, append_images=frames[1:], duration=[40, 80, 200], speed=10, quality=90)


def test_an_avif_that_moves_goes_on_moving_without_end(tmp_path: Path, out: Path, limits: Limits) -> None:
    path = _moving_avif(tmp_path / "a.avif")
    media = inspect(path, path.name, limits)
    assert (media.format, media.animated, media.convert, media.note) == ("avif", True, False, "")
    made = make_renditions(path, media.format, out, limits)
    with Image.open(made.files[0].path) as shown:
        assert (shown.format, getattr(shown, "n_frames", 1), shown.info["loop"]) == ("WEBP", 3, 0)
        seen = []
        for number in range(3):
            shown.seek(number)
            seen.append((corners(shown), shown.info["duration"]))
    assert seen == [("RRRR", 40), ("GGGG", 80), ("BBBB", 200)]
    with Image.open(made.files[1].path) as first:
        assert (first.format, corners(first)) == ("JPEG", "RRRR")


def test_an_avif_of_too_many_frames_is_refused(tmp_path: Path, limits: Limits) -> None:
    path = _moving_avif(tmp_path / "a.avif")
    assert _refused(path, replace(limits, frames=2)) == "too many frames: 3, the limit is 2"


@pytest.mark.parametrize("ending", ["png", "webp"])
@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_what_moves_is_upright_too(tmp_path: Path, out: Path, limits: Limits, ending: str, orientation: int) -> None:
    turn = STORED[orientation]
    stored = [quadrants().transpose(turn), Image.new("RGB", (64, 96) if orientation > 4 else (96, 64), "blue")]
    path = tmp_path / f"a.{ending}"
    stored[0].save(path, save_all=True, append_images=stored[1:], duration=80, exif=_turned(orientation))
    media = inspect(path, path.name, limits)
    assert (media.width, media.height, media.animated) == (96, 64, True)
    for file in make_renditions(path, media.format, out, limits).files:
        with Image.open(file.path) as shown:
            assert (shown.size, corners(shown)) == ((96, 64), "RGBW")


# ---- bad input ----


def test_an_empty_file_is_refused(tmp_path: Path, limits: Limits) -> None:
    (tmp_path / "a.jpg").touch()
    assert _refused(tmp_path / "a.jpg", limits) == "the file is empty"


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG", "a.heic", "a.mp4", "a.mov", "a.png"])
def test_text_named_like_a_picture_is_refused_with_what_it_holds(tmp_path: Path, limits: Limits, name: str) -> None:
    (tmp_path / name).write_text("Dear diary")
    assert f"is named .{name.split('.')[1].lower()} but holds text" in _refused(tmp_path / name, limits)


def test_a_drawing_with_a_script_is_a_document_of_plain_bytes(tmp_path: Path, limits: Limits) -> None:
    (tmp_path / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    media = inspect(tmp_path / "a.svg", "a.svg", limits)
    assert (media.verdict, media.kind, media.content_type) == ("accepted", "document", "application/octet-stream")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "heic", "tif"])
@pytest.mark.parametrize("part", [0.4, 0.9, 0.999])
def test_a_file_that_is_cut_off_never_becomes_a_picture(
    tmp_path: Path, out: Path, limits: Limits, ending: str, part: float
) -> None:
    scene = Image.effect_mandelbrot((320, 240), (-2.2, -1.2, 0.8, 1.2), 60).convert("RGB")
    body = _save(tmp_path / f"whole.{ending}", scene).read_bytes()
    path = tmp_path / f"a.{ending}"
    path.write_bytes(body[: int(len(body) * part)])
    with pytest.raises(InvalidMedia) as caught:
        made_of(path, out, limits)
    assert "cut off" in caught.value.reason or "broken" in caught.value.reason


def test_a_picture_with_something_after_its_end_is_whole(tmp_path: Path, limits: Limits) -> None:
    path = _save(tmp_path / "a.jpg", quadrants())
    path.write_bytes(path.read_bytes() + b"a clip that a phone appended" * 100)
    assert inspect(path, "a.jpg", limits).verdict == "accepted"


def test_a_small_file_that_unfolds_to_a_huge_picture_is_refused(tmp_path: Path, limits: Limits) -> None:
    (tmp_path / "a.png").write_bytes(_huge_png(30_000, 30_000))
    assert _refused(tmp_path / "a.png", limits) == "too many pixels: 900 MP, the limit is 120 MP"


def _huge_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"pixels": 6_000}, "too many pixels: 0.0 MP, the limit is 0.0 MP"),
        ({"image_bytes": 100}, "too large: 754 bytes, the limit is 100 bytes"),
    ],
)
def test_limits_are_the_operators(tmp_path: Path, limits: Limits, limit: dict[str, int], words: str) -> None:
    path = _save(tmp_path / "a.jpg", quadrants())
    assert _refused(path, replace(limits, **limit)) == words


def test_an_animation_without_end_is_refused(tmp_path: Path, limits: Limits) -> None:
    frames = [Image.new("L", (8, 8), number * 20) for number in range(12)]
    path = _save(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert _refused(path, replace(limits, frames=5)) == "too many frames: 12, the limit is 5"


def test_a_picture_that_breaks_while_it_is_reduced_is_refused(tmp_path: Path, out: Path, limits: Limits) -> None:
    path = _save(tmp_path / "a.png", quadrants())
    body = bytearray(path.read_bytes())
    body[-30:-12] = bytes(18)
    path.write_bytes(body)
    with pytest.raises(InvalidMedia):
        make_renditions(path, "png", out, limits)
