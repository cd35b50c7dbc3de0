"""Recordings stay documents to download; what stands for them is a picture of how loud they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from infra.try_files import try_files
from tasks.core.errors import InvalidMedia
from tasks.media import Limits, inspect, sound

Ffmpeg = Callable[..., None]
# Loud in its second half only.
TONE = "sine=f=440:d=2,volume='if(lt(t,1),0,1)':eval=frame"


@pytest.mark.parametrize(
    ("name", "options", "format"),
    [
        ("a.wav", (), "wav"),
        ("a.flac", (), "flac"),
        ("a.mp3", ("-metadata", "title=x"), "mp3"),
        ("bare.mp3", ("-id3v2_version", "0", "-write_xing", "0"), "mp3"),
        ("a.ogg", ("-c:a", "libvorbis"), "ogg"),
        ("a.opus", ("-c:a", "libopus"), "ogg"),
        ("a.m4a", ("-c:a", "aac"), "m4a"),
        ("a.aac", ("-c:a", "aac"), "aac"),
        ("a.mp4", ("-c:a", "aac"), "m4a"),
        ("a.webm", ("-c:a", "libopus"), "mka"),
        ("a.3gp", ("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"), "m4a"),
    ],
)
def test_every_recording_is_drawn(
    tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, name: str, options: tuple[str, ...], format: str
) -> None:
    path = tmp_path / name
    ffmpeg("-f", "lavfi", "-i", TONE, *options, path)
    media = inspect(path, name, limits)
    assert (media.kind, media.format) == ("document", format)
    assert media.content_type.startswith("audio/")
    sound.waveform(path, media.format, tmp_path / "drawn.jpg", limits)
    with Image.open(tmp_path / "drawn.jpg") as drawn:
        assert (drawn.format, drawn.size) == ("JPEG", (sound.WIDTH, sound.HEIGHT))
        quiet, loud = (_ink(drawn.crop((left, 0, left + sound.WIDTH // 3, sound.HEIGHT))) for left in (20, sound.WIDTH * 3 // 5))
    assert loud > quiet + 20


def _ink(picture: Image.Image) -> float:
    return 255 - ImageStat.Stat(picture.convert("L")).mean[0]


def test_try_shows_the_drawing(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    ffmpeg("-f", "lavfi", "-i", TONE, tmp_path / "a.flac")
    (row,) = try_files([tmp_path / "a.flac"], tmp_path / "out", Limits())
    assert (row["verdict"], row["kind"]) == ("accepted", "document")
    assert {made["name"] for made in row["renditions"]} == {"1280w", "640w", "320w"}


def test_noise_that_only_begins_like_sound_says_so(tmp_path: Path, limits: Limits) -> None:
    (tmp_path / "a.flac").write_bytes(b"fLaC" + bytes(range(256)) * 20)
    with pytest.raises(InvalidMedia):
        sound.waveform(tmp_path / "a.flac", "flac", tmp_path / "drawn.jpg", limits)


def test_other_documents_are_not_drawn() -> None:
    assert [name for name in ("pdf", "zip", "text", "unknown", "mp4") if sound.is_sound(name)] == []
