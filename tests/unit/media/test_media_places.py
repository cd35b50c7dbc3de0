"""Where a film says it was made: in each of the places that phones write it to."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from camera_samples import box

from tasks.media import Limits, inspect, place

Ffmpeg = Callable[..., None]
SCENE = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=10:d=1", "-c:v", "mpeg4", "-map_metadata", "-1", "-fflags", "+bitexact")
HERE, THERE = "+48.1372+011.5755+519.0/", "-33.8500-070.5000/"


def _xyz(text: str) -> bytes:
    """As Android and QuickTime write it."""
    return box(b"\xa9xyz", len(text).to_bytes(2, "big"), b"\x15\xc7", text.encode())


def _loci(latitude: float, longitude: float, name: bytes = b"\0") -> bytes:
    """As 3GPP has it: a name, a role, and three numbers of 16 bits before the point and 16 after it."""
    numbers = struct.pack(">iii", round(longitude * 65_536), round(latitude * 65_536), 0)
    return box(b"loci", bytes(4), b"\x15\xc7", name, b"\0", numbers, b"earth\0\0")


def _film(path: Path, ffmpeg: Ffmpeg, user_data: bytes) -> Path:
    """A film with these boxes as its user data, whatever ffmpeg wrote there."""
    ffmpeg(*SCENE, path)
    body = path.read_bytes()
    at = body.index(b"moov") - 4
    size = int.from_bytes(body[at : at + 4], "big")
    movie = body[at + 8 : at + size].replace(b"udta", b"free")
    path.write_bytes(body[:at] + box(b"moov", movie, box(b"udta", user_data)) + body[at + size :])
    return path


@pytest.mark.parametrize(
    ("name", "user_data", "expected"),
    [
        ("a.mp4", _xyz(HERE), "48.137200,11.575500"),
        ("a.mov", _xyz(THERE), "-33.850000,-70.500000"),
        ("a.3gp", _loci(48.1372, 11.5755, b"Munich\0"), "48.137207,11.575500"),
        ("b.3gp", _loci(-33.85, -70.5), "-33.850006,-70.500000"),
        ("a.mp4", _loci(48.1372, 11.5755, b"\xfe\xff" + "M\u00fcnchen".encode("utf-16-be") + b"\0\0"), "48.137207,11.575500"),
        ("a.mp4", _xyz("+00.0000+000.0000/"), ""),
        ("a.mp4", _xyz("+98.0000+011.0000/"), ""),
        ("a.mp4", _xyz("somewhere"), ""),
        ("a.3gp", _loci(0, 0), ""),
        ("a.3gp", _loci(120, 11), ""),
        ("a.3gp", box(b"loci", bytes(6), b"a name that never ends"), ""),
        ("a.3gp", box(b"loci", bytes(6), b"\xfe\xff" + b"ab" * 700), ""),
        ("a.3gp", box(b"loci"), ""),
    ],
)
def test_each_way_to_say_where_is_understood(
    tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, name: str, user_data: bytes, expected: str
) -> None:
    path = _film(tmp_path / name, ffmpeg, user_data)
    media = inspect(path, name, limits)
    assert media.kind == "video" and "48.1" not in repr(media) and "33.8" not in repr(media)
    assert place(path, media.format, limits) == expected


def test_an_iphones_place_and_its_time_with_the_offset(tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits) -> None:
    keys = {"location.ISO6709": HERE, "creationdate": "2024-05-04T10:11:12-0330"}
    said = [word for key, value in keys.items() for word in ("-metadata", f"com.apple.quicktime.{key}={value}")]
    ffmpeg(*SCENE[:-4], "-movflags", "use_metadata_tags", *said, tmp_path / "a.mov")
    assert place(tmp_path / "a.mov", "mov", limits) == "48.137200,11.575500"
    assert inspect(tmp_path / "a.mov", "a.mov", limits).taken_at == "2024-05-04T10:11:12-03:30"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, ""), (2_082_844_800, ""), (3_797_662_272, "2024-05-04T10:11:12Z"), (0xFFFFFFFF, "2040-02-06T06:28:15Z")],
)
def test_a_clock_that_never_was_set_says_nothing(
    tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, seconds: int, expected: str
) -> None:
    """Seconds since 1904 in the movie's header and its tracks'; 1904 and 1970 are where clocks begin."""
    ffmpeg(*SCENE, tmp_path / "a.mp4")
    body = bytearray((tmp_path / "a.mp4").read_bytes())
    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        at = body.index(kind)
        body[at + 8 : at + 16] = seconds.to_bytes(4, "big") * 2
    (tmp_path / "a.mp4").write_bytes(body)
    assert inspect(tmp_path / "a.mp4", "a.mp4", limits).taken_at == expected
