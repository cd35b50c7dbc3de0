"""Dolby Vision: with a picture for other players it is mapped like that picture; without one it is refused in words."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, inspect, video, video_facts

Ffmpeg = Callable[..., None]
PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def configured(data: bytes, profile: int, compatible: int, entry: bytes) -> bytes:
    """An MP4 whose index stands at its end, with a Dolby Vision configuration in its video track's sample entry."""
    facts = bytes([1, 0]) + struct.pack(">H", profile << 9 | 6 << 3 | 0b101) + bytes([compatible << 4]) + bytes(19)
    box = struct.pack(">I4s", 8 + len(facts), b"dvcC" if profile < 8 else b"dvvC") + facts
    return _with(data, box, entry)


def _with(data: bytes, box: bytes, entry: bytes) -> bytes:
    out, at = b"", 0
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + size]
        if kind in PARENTS:
            body = _with(body, box, entry)
        elif kind == b"stsd":
            length = struct.unpack(">I", body[8:12])[0]
            body = body[:8] + struct.pack(">I4s", length + len(box), entry) + body[16 : 8 + length] + box + body[8 + length :]
        out += struct.pack(">I4s", len(body) + 8, kind) + body
        at += size
    return out


@pytest.fixture
def filmed(tmp_path: Path, ffmpeg: Ffmpeg) -> Callable[..., Path]:
    """A grey second of HEVC: `filmed("arib-std-b67", 8, 4)`; the curve "" leaves the stream untagged."""

    def film(curve: str, profile: int, compatible: int, entry: bytes = b"hvc1") -> Path:
        colours = f":colorprim=bt2020:transfer={curve}:colormatrix=bt2020nc" if curve else ""
        grey = ("-f", "lavfi", "-i", "color=0x808080:s=128x96:r=10:d=1")
        codec = ("-c:v", "libx265", "-x265-params", f"log-level=error{colours}", "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1")
        ffmpeg(*grey, *codec, tmp_path / "plain.mp4")
        path = tmp_path / "dolby.mp4"
        path.write_bytes(configured((tmp_path / "plain.mp4").read_bytes(), profile, compatible, entry))
        return path

    return film


@pytest.mark.parametrize(
    ("curve", "compatible", "transfer"),
    [("arib-std-b67", 4, "HLG"), ("smpte2084", 1, "PQ"), ("bt709", 2, ""), ("", 4, "HLG")],
)
def test_the_picture_for_other_players_says_how_bright_it_is(
    filmed: Callable[..., Path], curve: str, compatible: int, transfer: str
) -> None:
    assert video_facts.read(filmed(curve, 8, compatible)).transfer == transfer


def test_it_is_mapped_like_the_same_clip_without_dolby(filmed: Callable[..., Path], tmp_path: Path) -> None:
    clips = {"dolby": filmed("arib-std-b67", 8, 4), "plain": tmp_path / "plain.mp4"}
    grey = {}
    for name, path in clips.items():
        (out := tmp_path / name).mkdir()
        with Image.open(video.make_video(path, out, Limits(), 30).poster) as poster:
            grey[name] = ImageStat.Stat(poster.convert("RGB")).mean
    assert grey["dolby"] == pytest.approx(grey["plain"], abs=1)
    assert max(grey["dolby"]) - min(grey["dolby"]) < 4, "grey stays grey"


@pytest.mark.parametrize("entry", [b"dvh1", b"dvhe", b"hvc1"])
def test_without_such_a_picture_it_is_refused(filmed: Callable[..., Path], entry: bytes) -> None:
    with pytest.raises(InvalidMedia, match=r"Dolby Vision's own.*profile 5.*export it as HDR10, HLG or SDR"):
        inspect(filmed("", 5, 0, entry), "dolby.mp4", Limits())
