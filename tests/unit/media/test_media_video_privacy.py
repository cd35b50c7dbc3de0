"""What a video says of where, when and by whom it was made is in none of the bytes that are published."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from media_samples import CANARY

from tasks.media import Limits, transcoder, video, video_facts, video_plan

Ffmpeg = Callable[..., None]
PLACE = "+48.1372+011.5755/"
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
NOTE = "086f3693-b7b3-4f2c-9653-21492feee5b8"  # which SEI message follows
SEI = f"h264_metadata=sei_user_data={NOTE}+{CANARY}"
FITS = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bsf:v", SEI)
LARGE = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p", "-bsf:v", SEI)
AAC = ("-c:a", "aac", "-flags:a", "+bitexact")
KEYS = (
    *("title", "comment", "artist", "copyright", "description", "encoder", "location", "location-eng", "keywords"),
    *("com.apple.quicktime.location.ISO6709", "com.apple.quicktime.model", "com.apple.quicktime.content.identifier"),
)
SECRETS = (CANARY.encode(), CANARY.encode("utf-16-le"), b"48.1372", b"011.5755", XMP)
# Names of boxes that have no business in what is published; ffmpeg's own `udta` and `ilst` are there, and empty.
BOXES = (b"\xa9xyz", b"loci", b"tmcd", b"tx3g", b"gpmd", b"mebx", b"chap", b"uuid", b"Exif", b"keys")
ENCODERS = (b"x264", b"Lavf", b"Lavc")


def _marks(*kinds: str) -> list[str]:
    keys = [part for key in KEYS for part in ("-metadata", f"{key}={CANARY}{PLACE}")]
    streams = [part for kind in kinds for part in (f"-metadata:s:{kind}", f"handler_name={CANARY}")]
    return [*keys, *streams]


@pytest.fixture
def inputs(tmp_path: Path) -> list[str | Path]:
    """A picture, a sound, subtitles and chapters."""
    (tmp_path / "words.srt").write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{CANARY} {PLACE}\n")
    (tmp_path / "chapters.txt").write_text(f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle={CANARY}\n")
    scene = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=10:d=2", "-f", "lavfi", "-i", "sine=d=2")
    more = ("-i", tmp_path / "words.srt", "-i", tmp_path / "chapters.txt")
    return [*scene, *more, "-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3"]


def _marked(path: Path, inputs: list[str | Path], codec: tuple[str, ...], ffmpeg: Ffmpeg) -> None:
    """Every place that a phone, a camera or an editor writes to."""
    if path.suffix == ".mkv":
        (path.parent / "note.txt").write_text(CANARY)
        attached = ("-attach", path.parent / "note.txt", "-metadata:s:t", "mimetype=text/plain")
        ffmpeg(*inputs, *codec, *AAC, "-c:s", "srt", *attached, *_marks("v", "a", "s"), path)
        return
    flags = ("-movflags", "use_metadata_tags") if path.suffix == ".mov" else ()
    ffmpeg(*inputs, *codec, *AAC, "-c:s", "mov_text", "-timecode", "01:02:03:04", *_marks("v", "a", "s"), *flags, path)
    body = path.read_bytes().replace(b"tx3g", b"gpmd").replace(b"sbtl", b"meta")  # a track of places, as action cameras write
    packet = f"<x:xmpmeta>{CANARY}{PLACE}</x:xmpmeta>".encode()
    path.write_bytes(body + (24 + len(packet)).to_bytes(4, "big") + b"uuid" + XMP + packet)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
@pytest.mark.parametrize("codec", [FITS, LARGE], ids=["remuxed", "encoded"])
def test_no_private_byte_is_published(
    tmp_path: Path, inputs: list[str | Path], ffmpeg: Ffmpeg, name: str, codec: tuple[str, ...]
) -> None:
    path = tmp_path / name
    _marked(path, inputs, codec, ffmpeg)
    facts = video_facts.read(path)
    assert path.read_bytes().count(CANARY.encode()) > 10, "the fixture holds no canary: this would prove nothing"
    assert video_plan.fits(facts) == (codec is FITS)
    (out := tmp_path / "out").mkdir()
    made = video.make_video(path, out, Limits(), 1)
    for file in (made.video, made.poster, made.preview):
        body = file.read_bytes()
        assert not [secret for secret in (*SECRETS, *BOXES, *ENCODERS) if secret in body], file.name
        assert b"ilst" not in body or b"\0\0\0\x08ilst" in body


def test_the_notes_between_a_streams_pictures_are_gone_and_the_pictures_are_the_same(
    tmp_path: Path, inputs: list[str | Path], ffmpeg: Ffmpeg
) -> None:
    path = tmp_path / "a.mp4"
    _marked(path, inputs, FITS, ffmpeg)
    (out := tmp_path / "out").mkdir()
    made = video.make_video(path, out, Limits(), 30).video
    note = bytes.fromhex(NOTE.replace("-", ""))
    assert note in path.read_bytes() and note not in made.read_bytes()
    assert _pictures(made) == _pictures(path)


def _pictures(path: Path) -> str:
    command = [transcoder.find_ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:v:0", "-f", "md5", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_files_of_a_stream_hold_nothing_private(
    tmp_path: Path, inputs: list[str | Path], ffmpeg: Ffmpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_plan, "LADDER_FROM", 1.0)
    monkeypatch.setattr(video_plan, "SMALLER", (video_plan.Rung("48p", 48, 200_000),))
    path = tmp_path / "a.mp4"
    _marked(path, inputs, FITS, ffmpeg)
    (out := tmp_path / "out").mkdir()
    made = video.make_video(path, out, Limits(), 1)
    assert {file.name for file in made.stream} >= {"main.m3u8", "48p.mp4", "top.mp4", "sound.mp4"}
    for file in made.stream:
        assert not [secret for secret in (*SECRETS, *BOXES, *ENCODERS) if secret in file.read_bytes()], file.name


@pytest.mark.parametrize("key", ["location", "com.apple.quicktime.location.ISO6709"])
def test_where_it_was_filmed_is_no_fact(tmp_path: Path, ffmpeg: Ffmpeg, key: str) -> None:
    scene = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=10:d=1")
    flags = ("-movflags", "use_metadata_tags") if key.startswith("com") else ()
    ffmpeg(*scene, *FITS, "-metadata", f"{key}={PLACE}", *flags, tmp_path / "a.mov")
    assert "48.1372" not in repr(video_facts.read(tmp_path / "a.mov"))
    assert video_facts.place(tmp_path / "a.mov") == "48.137200,11.575500", "asked for, it is known"
