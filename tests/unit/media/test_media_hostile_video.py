"""Videos that lie, break off or unfold without end: each gets its reason in words, and nothing crashes or hangs."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tasks.core.errors import InvalidMedia
from tasks.core.models.media import Segment, VideoFacts
from tasks.media import Limits, inspect, transcoder, video, video_facts, video_plan
from tasks.media.formats.boxes import boxes
from tasks.media.sandbox import Bounds

Ffmpeg = Callable[..., None]
PICTURE = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "3")


def _verdict(path: Path, name: str, folder: Path) -> str:
    """`accepted`, or the reason."""
    (out := folder / "out").mkdir(exist_ok=True)
    try:
        if inspect(path, name, Limits()).kind == "document":
            return "accepted"
        video.make_video(path, out, Limits(), 30)
    except InvalidMedia as bad:
        return bad.reason
    return "accepted"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", MPEG4), ("a.mkv", MPEG4), ("a.avi", MPEG4), ("a.webm", ("-c:v", "libvpx")), ("a.mts", ("-c:v", "mpeg2video"))],
)
def test_bytes_that_were_turned_around_end_in_a_video_or_in_words(
    tmp_path: Path, ffmpeg: Ffmpeg, name: str, codec: tuple[str, ...], seed: int
) -> None:
    path, chance = tmp_path / name, random.Random(f"{name}{seed}")
    ffmpeg(*PICTURE, *codec, *(("-f", "mpegts") if name == "a.mts" else ()), path)
    body = bytearray(path.read_bytes())
    for _ in range(40 if seed % 2 else 400):
        body[chance.randrange(200 if seed > 1 else 16, len(body))] = chance.randrange(256)
    path.write_bytes(body)
    reason = _verdict(path, name, tmp_path)
    assert reason == "accepted" or (
        10 < len(reason) < 300 and "/" not in reason.replace("MPEG/", "") and "Traceback" not in reason
    )


def test_an_index_that_is_cut_off_says_so(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    ffmpeg(*PICTURE, *MPEG4, tmp_path / "a.mp4")
    body = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(body[: body.rindex(b"moov") + 200])
    assert "cut off" in _verdict(tmp_path / "a.mp4", "a.mp4", tmp_path)


def test_an_index_that_is_missing_says_so(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """A camera whose battery died: pictures without an index."""
    ffmpeg(*PICTURE, *MPEG4, tmp_path / "a.mp4")
    at = next(at for kind, at, _ in boxes(tmp_path / "a.mp4") if kind == b"moov")
    body = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(body[:at])
    assert _verdict(tmp_path / "a.mp4", "a.mp4", tmp_path) != "accepted"


@pytest.mark.parametrize("duration", [0, 1, 0xFFFFFFFF])
def test_a_duration_that_is_a_lie_is_harmless(tmp_path: Path, ffmpeg: Ffmpeg, duration: int) -> None:
    ffmpeg(*PICTURE, *MPEG4, tmp_path / "a.mp4")
    body = bytearray((tmp_path / "a.mp4").read_bytes())
    for kind in (b"mvhd", b"mdhd"):
        at = -1
        while (at := body.find(kind, at + 1)) >= 0:
            body[at + 20 : at + 24] = duration.to_bytes(4, "big")
    (tmp_path / "a.mp4").write_bytes(body)
    reason = _verdict(tmp_path / "a.mp4", "a.mp4", tmp_path)
    assert reason == "accepted" or "too long" in reason or "empty" in reason


def test_frames_larger_than_the_container_says_are_not_decoded(tmp_path: Path, ffmpeg: Ffmpeg, out: Path, limits: Limits) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=640x480:r=5:d=1", *MPEG4, tmp_path / "a.mp4")
    facts = replace(video_facts.read(tmp_path / "a.mp4"), width=64, height=48)
    with pytest.raises(InvalidMedia, match="cannot be converted"):
        video.transcode_segment(tmp_path / "a.mp4", Segment(0, 0.0, 1.0), facts, out, replace(limits, pixels=64 * 48))


def test_more_frames_than_its_seconds_could_show_are_too_many(tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits) -> None:
    facts = replace(VideoFacts("mpeg4", 1920, 1080, duration=1.0), frames=10**9)
    with pytest.raises(InvalidMedia, match="too many frames: 1,000,000,000, the limit is 1,728,000"):
        limits.check_video_frames(facts.frames)
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=32x32:r=500:d=1", *MPEG4, tmp_path / "a.mkv")
    with pytest.raises(InvalidMedia, match="too many frames: 500, the limit is 240"):
        video_plan.scan(tmp_path / "a.mkv", video_facts.read(tmp_path / "a.mkv"), replace(limits, seconds=1))


def test_slow_motion_is_brought_to_sixty_frames_a_second(tmp_path: Path, ffmpeg: Ffmpeg, out: Path, limits: Limits) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=32x32:r=240:d=1", *MPEG4, tmp_path / "a.mov")
    made = video.make_video(tmp_path / "a.mov", out, limits, 30)
    assert (made.facts.frame_rate, made.facts.frames) == (Fraction(60), 60)


def test_what_takes_too_long_is_ended(tmp_path: Path, ffmpeg: Ffmpeg, out: Path, limits: Limits) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=8", "-c:v", "mpeg4", "-g", "300", tmp_path / "a.mp4")
    graph = transcoder.source("input", limits.pixels).output("out.mp4", vcodec="libx264", preset="placebo")
    with pytest.raises(InvalidMedia, match="takes longer than 1 s"):
        transcoder.run(transcoder.find_ffmpeg(), graph, {"input": tmp_path / "a.mp4"}, out, Bounds(wall_seconds=1.0))
    with pytest.raises(InvalidMedia, match="more than 1 s of processor time"):
        transcoder.run(transcoder.find_ffmpeg(), graph, {"input": tmp_path / "a.mp4"}, out, Bounds(cpu_seconds=1))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
        ("a.mov", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        ("a.avi", b"[playlist]\nFile1=http://127.0.0.1/\n"),
        ("a.mkv", b'<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1/</BaseURL></MPD>'),
        ("a.webm", b"\x89PNG\r\n\x1a\n"),
        ("a.mts", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n"),
    ],
)
def test_a_playlist_is_no_video_whatever_it_is_called(tmp_path: Path, name: str, body: bytes) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(InvalidMedia):
        inspect(tmp_path / name, name, Limits())


def test_the_only_list_that_ffmpeg_reads_is_our_own() -> None:
    """No demuxer that opens other files is in the registry."""
    from tasks.media.formats import FORMATS

    assert {name for row in FORMATS if row.demuxer for name in row.demuxer.split(",")} == {
        *("mov", "matroska", "avi", "mpegts", "wav", "mp3", "flac", "ogg", "aac"),
    }
