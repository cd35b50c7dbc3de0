"""Recordings stay documents to download; what stands for them is a picture of how loud they are."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from media_samples import CANARY
from PIL import Image, ImageStat

from infra.cli.try_files import try_files
from tasks.core.errors import InvalidMedia
from tasks.media import Limits, inspect, mpeg_audio, sound, transcoder

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


SECRET = CANARY.encode()
TOLD = tuple(word for name in ("title", "artist", "comment") for word in ("-metadata", f"{name}={CANARY}"))


@pytest.mark.parametrize(
    ("name", "options", "content_type"),
    [
        ("a.wav", ("-write_bext", "1"), "audio/wav"),
        ("a.flac", (), "audio/flac"),
        ("a.mp3", ("-write_apetag", "1", "-write_id3v1", "1"), "audio/mpeg"),
        ("a.ogg", ("-c:a", "libvorbis"), "audio/ogg"),
        ("f.ogg", ("-c:a", "flac"), "audio/ogg"),
        ("a.opus", ("-c:a", "libopus"), "audio/ogg"),
        ("a.m4a", ("-c:a", "aac"), "audio/mp4"),
        ("l.m4a", ("-c:a", "alac"), "audio/mp4"),
        ("a.aac", ("-c:a", "aac", "-write_id3v2", "1"), "audio/aac"),
        ("a.mp4", ("-c:a", "aac"), "audio/mp4"),
        ("a.webm", ("-c:a", "libopus"), "audio/webm"),
        ("a.mka", ("-c:a", "flac"), "audio/x-matroska"),
        ("a.3gp", ("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"), "audio/3gpp"),
    ],
)
def test_what_is_published_sounds_the_same_and_has_no_tags(
    tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, name: str, options: tuple[str, ...], content_type: str
) -> None:
    path, plain = tmp_path / name, tmp_path / "plain"
    ffmpeg("-f", "lavfi", "-i", TONE, *options, *TOLD, path)
    made = sound.without_tags(path, inspect(path, name, limits).format, plain, limits)
    assert made.content_type == content_type
    assert SECRET in path.read_bytes() and SECRET not in plain.read_bytes()
    assert _samples(path, tmp_path) == _samples(plain, tmp_path)


def test_a_cover_and_what_stands_behind_the_last_frame_stay_behind(tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits) -> None:
    cover = ("-f", "lavfi", "-i", "color=red:s=64x64:d=1:r=1")
    ffmpeg("-f", "lavfi", "-i", TONE, *cover, "-c:v", "mjpeg", "-disposition:v", "attached_pic", *TOLD, tmp_path / "a.mp3")
    lyrics = b"LYRICSBEGIN" + SECRET + b"LYRICS200"
    with (tmp_path / "a.mp3").open("ab") as file:
        file.write(lyrics)
    sound.without_tags(tmp_path / "a.mp3", "mp3", tmp_path / "plain", limits)
    published = (tmp_path / "plain").read_bytes()
    assert SECRET not in published and b"JFIF" not in published


def test_only_whole_frames_are_frames(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    for number, options in enumerate([("-ar", "44100"), ("-ar", "22050"), ("-ar", "11025"), ("-f", "mp2"), ("-q:a", "2")]):
        path = tmp_path / f"{number}.mp3"
        ffmpeg("-f", "lavfi", "-i", TONE, "-id3v2_version", "0", "-write_xing", "0", "-f", "mp3", *options, path)
        data = path.read_bytes()
        found = list(mpeg_audio.frames(data))
        assert found[0][0] == 0 and found[-1][1] == len(data)
        assert all(left[1] == right[0] for left, right in itertools.pairwise(found))
        noisy = b"\xff\xfb\x90" + data + b"\xff\xfb\x90\0 and words"
        assert b"".join(noisy[begin:end] for begin, end in mpeg_audio.frames(noisy)) == data
    (tmp_path / "empty.mp3").touch()
    assert mpeg_audio.keep_frames(tmp_path / "empty.mp3", tmp_path / "none") == 0


def _samples(path: Path, folder: Path) -> str:
    """The digest of what is heard."""
    out = folder / f"{path.name}.md5"
    command = [transcoder.find_ffmpeg(), "-v", "error", "-y", "-i", str(path), "-map", "0:a:0", "-f", "md5", str(out)]
    subprocess.run(command, check=True, timeout=60)
    return out.read_text()


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
