"""Files made to break decoders: each ends as a clean picture or with a reason in words, and nothing else happens."""

from __future__ import annotations

import io
import random
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from camera_samples import CAMERAS
from media_samples import made_of, private_exif, quadrants
from PIL import Image, PngImagePlugin

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, inspect

# A reason is a sentence for a contributor: no path, no traceback, no name of a Python class.
REASON = re.compile(r"[a-zA-Z].{8,300}", re.DOTALL)
UNSAID = ("Traceback", "/tmp", "0x7f", "<class", ".py")


def _written(format: str, **options: Any) -> bytes:
    body = io.BytesIO()
    quadrants(60, 40).save(body, format, **options)
    return body.getvalue()


def _heif() -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return _written("HEIF", exif=private_exif().tobytes())


def _moving(format: str) -> bytes:
    more = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    return _written(format, save_all=True, append_images=more, duration=80)


def _raw() -> bytes:
    preview = _written("JPEG")
    entries = [(254, 4, 1, 1), (271, 2, 4, 0x006C6150), (513, 4, 1, 64), (514, 4, 1, len(preview))]
    rows = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + bytes(4)).ljust(64, b"\0") + preview


SEEDS: dict[str, Callable[[], bytes]] = {
    "jpg": lambda: _written("JPEG", exif=private_exif(), progressive=True),
    "png": lambda: _written("PNG", exif=private_exif()),
    "apng": lambda: _moving("PNG"),
    "gif": lambda: _moving("GIF"),
    "webp": lambda: _moving("WEBP"),
    "heic": _heif,
    "avif": lambda: _written("AVIF", speed=10),
    "tif": lambda: _written("TIFF", compression="tiff_lzw"),
    "bmp": lambda: _written("BMP"),
    "jp2": lambda: _written("JPEG2000"),
    "dng": _raw,
    "avifs": lambda: _moving("AVIF"),
    **{name.replace("a.", ""): made for name, made in CAMERAS.items()},
}


def verdict(path: Path, out: Path, limits: Limits) -> str:
    """The reason why a file is refused, "" when it becomes a picture. Anything else that is raised fails the test."""
    try:
        if inspect(path, path.name, limits).kind == "image":
            assert made_of(path, out, limits)[2].files
    except InvalidMedia as bad:
        return bad.reason
    return ""


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, and now and then a stretch cut out, doubled or filled."""
    body = bytearray(seed)
    for _ in range(chance.choice((1, 2, 8, 30))):
        body[chance.randrange(len(body))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    if chance.random() < 0.3:
        start, length = chance.randrange(len(body)), chance.randrange(1, 64)
        body[start : start + length] = chance.choice((b"", bytes(body[start : start + length]) * 2, b"\xff" * length))
    return bytes(body)


@pytest.mark.parametrize("ending", SEEDS)
def test_whatever_happens_to_its_bytes_a_file_gets_a_verdict(tmp_path: Path, out: Path, limits: Limits, ending: str) -> None:
    chance = random.Random(ending)
    seed = SEEDS[ending]()
    path = tmp_path / f"a.{ending}"
    path.write_bytes(seed)
    assert verdict(path, out, limits) == ""
    for _ in range(12):
        path.write_bytes(mutated(seed, chance))
        reason = verdict(path, out, limits)
        assert not reason or (REASON.fullmatch(reason) and not any(word in reason for word in UNSAID)), reason


def _refused(tmp_path: Path, name: str, body: bytes, limits: Limits) -> str:
    (tmp_path / name).write_bytes(body)
    (tmp_path / "out").mkdir(exist_ok=True)
    reason = verdict(tmp_path / name, tmp_path / "out", limits)
    assert reason, f"{name} was accepted"
    return reason


HUGE = 30_000


def _jp2_bomb() -> bytes:
    body = _written("JPEG2000")
    at, code = body.index(b"ihdr") + 4, body.index(b"\xff\x51") + 6
    body = body[:at] + struct.pack(">II", HUGE, HUGE) + body[at + 8 :]
    return body[:code] + struct.pack(">IIIIII", HUGE, HUGE, 0, 0, HUGE, HUGE) + body[code + 24 :]


def _gif_bomb() -> bytes:
    body = _written("GIF")
    return body[:6] + struct.pack("<HH", HUGE, HUGE) + body[10:]


def _webp_bomb() -> bytes:
    body = bytearray(_written("WEBP", exif=private_exif()))
    at = body.index(b"VP8X") + 12
    body[at : at + 6] = (HUGE - 1).to_bytes(3, "little") * 2
    return bytes(body)


def _bmp_bomb() -> bytes:
    body = _written("BMP")
    return body[:18] + struct.pack("<ii", HUGE, HUGE) + body[26:]


def _tiff_bomb() -> bytes:
    body = bytearray(_written("TIFF"))
    for tag in (256, 257):
        at = min(found for kind in (3, 4) if (found := body.find(struct.pack("<HHI", tag, kind, 1))) >= 0)
        body[at : at + 12] = struct.pack("<HHII", tag, 4, 1, HUGE)
    return bytes(body)


def _jpeg_bomb() -> bytes:
    body = _written("JPEG")
    at = body.index(b"\xff\xc0") + 5
    return body[:at] + struct.pack(">HH", HUGE, HUGE) + body[at + 4 :]


@pytest.mark.parametrize(
    ("name", "bomb"),
    [
        ("a.jp2", _jp2_bomb),
        ("a.gif", _gif_bomb),
        ("a.bmp", _bmp_bomb),
        ("a.webp", _webp_bomb),
        ("a.tif", _tiff_bomb),
        ("a.jpg", _jpeg_bomb),
    ],
)
def test_a_picture_that_unfolds_without_measure_is_refused_by_its_pixels(
    tmp_path: Path, limits: Limits, name: str, bomb: Callable[[], bytes]
) -> None:
    assert _refused(tmp_path, name, bomb(), limits) == "too many pixels: 900 MP, the limit is 120 MP"


def test_an_animation_of_thousands_of_tiny_frames_is_refused(tmp_path: Path, limits: Limits) -> None:
    body = _written("GIF")
    frame = body[body.index(b",") : -1]
    whole = body[: body.index(b",")] + frame * 1_200 + b";"
    assert _refused(tmp_path, "a.gif", whole, limits) == "too many frames: 1,200, the limit is 1,000"


def test_an_animation_whose_frames_together_have_no_measure_is_refused(tmp_path: Path, limits: Limits) -> None:
    words = _refused(tmp_path, "a.gif", _moving("GIF"), replace(limits, pixels=300))
    assert words.startswith("too many pixels: 0.0 MP")
    body = _moving("GIF")
    frame = body[body.rindex(b"!\xf9") : -1]
    words = _refused(tmp_path, "a.gif", body[:-1] + frame * 100 + b";", replace(limits, pixels=2_400))
    assert words.startswith("too many pixels in all its frames: 0.2 MP, the limit is 0.0 MP")


def test_facts_that_unfold_without_measure_cost_the_facts_or_the_file(tmp_path: Path, out: Path, limits: Limits) -> None:
    """50 MB of zeros in a compressed comment, a compressed profile, and EXIF."""
    words = PngImagePlugin.PngInfo()
    folded = zlib.compress(bytes(50_000_000), 9)
    words.add(b"zTXt", b"Comment\0\0" + folded)
    words.add(b"iCCP", b"icc\0\0" + folded)
    (tmp_path / "a.png").write_bytes(_written("PNG", pnginfo=words))
    reason = verdict(tmp_path / "a.png", out, replace(limits, pixels=10_000))
    assert not reason or REASON.fullmatch(reason)


def test_endless_exif_costs_the_exif_not_the_picture(tmp_path: Path, out: Path, limits: Limits) -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 60_000
    for name in ("a.jpg", "a.webp", "a.png"):
        quadrants().save(tmp_path / name, exif=exif)
        assert verdict(tmp_path / name, out, limits) == ""
    looped = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"
    quadrants().save(tmp_path / "b.jpg", exif=looped)
    assert verdict(tmp_path / "b.jpg", out, limits) == ""


def test_a_hostile_xmp_packet_is_read_as_text_alone(tmp_path: Path, out: Path, limits: Limits) -> None:
    laughs = b"<!DOCTYPE x [<!ENTITY a 'ha'>" + b"".join(b"<!ENTITY b%d '&a;&a;&a;'>" % n for n in range(500)) + b"]>"
    tricks = (laughs + b"<dc:creator>&b1;</dc:creator>", b"<dc:creator " * 5_000, b'xmp:CreateDate="' + b"2" * 60_000)
    for number, packet in enumerate(tricks):
        quadrants().save(tmp_path / f"{number}.webp", xmp=packet)
        assert verdict(tmp_path / f"{number}.webp", out, limits) == ""


@pytest.mark.parametrize("size", [0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF])
def test_boxes_that_lie_about_their_size_are_refused_or_passed_over(tmp_path: Path, out: Path, limits: Limits, size: int) -> None:
    for ending, seed in (("heic", _heif()), ("avif", SEEDS["avif"]()), ("jp2", SEEDS["jp2"]())):
        for kind in (b"meta", b"iloc", b"iprp", b"jp2h", b"colr"):
            at = seed.find(kind) - 4
            if at >= 0:
                path = tmp_path / f"a.{ending}"
                path.write_bytes(seed[:at] + size.to_bytes(4, "big") + seed[at + 4 :])
                reason = verdict(path, out, limits)
                assert not reason or REASON.fullmatch(reason)


def test_pages_that_follow_each_other_in_a_circle_end(tmp_path: Path, out: Path, limits: Limits) -> None:
    body = bytearray(_written("TIFF"))
    (at,) = struct.unpack_from("<I", body, 4)
    (count,) = struct.unpack_from("<H", body, at)
    struct.pack_into("<I", body, at + 2 + 12 * count, at)
    (tmp_path / "a.tif").write_bytes(body)
    assert verdict(tmp_path / "a.tif", out, limits) == ""


def test_a_file_of_nothing_but_tiny_parts_is_refused(tmp_path: Path, limits: Limits) -> None:
    assert "more than 100,000 parts" in _refused(tmp_path, "a.heic", _heif() + b"\0\0\0\x08free" * 100_001, limits)


def test_nothing_between_the_segments_is_skipped_at_once(tmp_path: Path, out: Path, limits: Limits) -> None:
    body = _written("JPEG")
    (tmp_path / "a.jpg").write_bytes(body[:2] + b"\xff" * 50 + body[2:])
    assert verdict(tmp_path / "a.jpg", out, limits) == ""
    assert "cut off" in _refused(tmp_path, "b.jpg", body[:3] + bytes(30_000_000), limits)
