"""A long video is cut, converted side by side and joined: nobody sees or hears where."""

from __future__ import annotations

import itertools
import multiprocessing
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import pytest

from tasks.core.models.media import VideoFacts
from tasks.media import Limits, hls, sandbox, transcoder, video, video_facts, video_plan
from tasks.media.video_plan import Packets

Ffmpeg = Callable[..., None]
SECONDS = 600
SCENE = f"testsrc2=s=128x72:r=2:d={SECONDS}"
BEEPS = f"sine=f=440:beep_factor=4:d={SECONDS}:r=16000"


@pytest.fixture(scope="module")
def ten_minutes(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Ffmpeg) -> Path:
    """Ten minutes at two frames a second, with a keyframe every 3.5 s, so that none falls on a half minute."""
    path = tmp_path_factory.mktemp("long") / "ten.mp4"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        SCENE,
        "-f",
        "lavfi",
        "-i",
        BEEPS,
        "-c:v",
        "mpeg4",
        "-q:v",
        "3",
        "-bf",
        "2",
        "-g",
        "7",
        "-c:a",
        "aac",
        path,
    )
    return path


@pytest.fixture(scope="module")
def joined(ten_minutes: Path, tmp_path_factory: pytest.TempPathFactory) -> video.Joined:
    return video.make_video(ten_minutes, tmp_path_factory.mktemp("joined"), Limits(), 30)


def _run(*arguments: str | Path) -> tuple[str, str]:
    done = subprocess.run(
        [transcoder.find_ffmpeg(), "-nostdin", *map(str, arguments)], check=True, capture_output=True, text=True, timeout=120
    )
    return done.stdout, done.stderr


def _times(path: Path, stream: str) -> list[Fraction]:
    """When each packet of a stream is shown or heard, in seconds, as they stand in the file."""
    said, _ = _run("-v", "error", "-i", path, "-map", stream, "-c", "copy", "-f", "framecrc", "-")
    base = Fraction(re.search(r"#tb 0: (\S+)", said)[1])  # type: ignore[index]
    return [int(line.split(",")[2]) * base for line in said.splitlines() if not line.startswith("#")]


def _likeness(left: Path, right: Path) -> list[float]:
    """SSIM of each frame."""
    said, _ = _run("-v", "error", "-i", left, "-i", right, "-lavfi", "[0:v][1:v]ssim=stats_file=-", "-f", "null", "-")
    return [float(found) for found in re.findall(r"All:([\d.]+)", said)]


def test_ten_minutes_are_twenty_segments_that_begin_on_keyframes(ten_minutes: Path) -> None:
    facts = video_facts.read(ten_minutes)
    plan = video_plan.plan_video(ten_minutes, facts, 30, Limits())
    assert (plan.remux, len(plan.pictures)) == (False, 20)
    assert all(each.seek == pytest.approx(each.start, abs=1e-4) for each in plan.pictures)
    assert all(25 <= each.end - each.start <= 35 for each in plan.pictures)


def test_no_frame_is_doubled_or_lost_and_no_seam_is_seen_or_heard(
    ten_minutes: Path, joined: video.Joined, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out := tmp_path / "whole").mkdir()
    whole = video.make_video(ten_minutes, out, Limits(), SECONDS)
    times, sounds = sorted(_times(joined.video, "0:v:0")), _times(joined.video, "0:a:0")
    seams = _seams(ten_minutes)
    alike = _likeness(joined.video, whole.video)
    at_seams = min(alike[at + near] for at in seams for near in (-1, 0, 1))
    with capsys.disabled():
        print(f"\n{len(times)} frames, {joined.facts.duration} s of {SECONDS} s, sound to {float(sounds[-1]):.3f} s")
        print(f"SSIM to a single run: {min(alike):.4f} at least, {at_seams:.4f} at the {len(seams)} seams")
    assert len(times) == len(alike) == SECONDS * 2
    assert {right - left for left, right in itertools.pairwise(times)} == {Fraction(1, 2)}
    assert abs(joined.facts.duration - SECONDS) <= 0.5
    assert at_seams >= 0.98
    # Sound is encoded once: its packets follow each other without a gap, and it ends with the picture.
    assert max(right - left for left, right in itertools.pairwise(sounds)) <= Fraction(1025, 48000)
    assert abs(float(sounds[-1]) - SECONDS) <= 0.5


def _seams(source: Path) -> list[int]:
    plan = video_plan.plan_video(source, video_facts.read(source), 30, Limits())
    return [round(each.start * 2) for each in plan.pictures[1:]]


def test_the_sound_stays_where_the_picture_is(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """A white flash and a tone at 7 s, three seams before it: both come out within a frame of it."""
    scene = "color=black:s=64x36:r=25:d=10,drawbox=c=white:t=fill:enable='between(t,7,7.5)'"
    tone = "sine=f=1000:d=10,volume='between(t,7,7.5)':eval=frame"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        scene,
        "-f",
        "lavfi",
        "-i",
        tone,
        "-c:v",
        "mpeg4",
        "-g",
        "25",
        "-c:a",
        "pcm_s16le",
        tmp_path / "a.mkv",
    )
    (out := tmp_path / "out").mkdir()
    made = video.make_video(tmp_path / "a.mkv", out, Limits(), 2).video
    _, seen = _run("-v", "info", "-i", made, "-vf", "blackdetect=d=0.1:pix_th=0.3", "-an", "-f", "null", "-")
    _, heard = _run("-v", "info", "-i", made, "-af", "silencedetect=n=-40dB:d=0.3", "-vn", "-f", "null", "-")
    flash = float(re.search(r"black_end:([\d.]+)", seen)[1])  # type: ignore[index]
    sound = float(re.search(r"silence_end: ([\d.]+)", heard)[1])  # type: ignore[index]
    assert (flash, sound) == (pytest.approx(7, abs=0.04), pytest.approx(7, abs=0.04))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.ts", ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "12", "-f", "mpegts")),
        ("a.mkv", ("-c:v", "libx264", "-pix_fmt", "yuv422p", "-g", "40", "-x264opts", "open-gop=1:bframes=3")),
        (
            "a.mov",
            ("-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=error:keyint=30:open-gop=1:bframes=4"),
        ),
        ("a.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "2")),
        ("a.webm", ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime", "-g", "30")),
        ("i.ts", ("-c:v", "mpeg2video", "-q:v", "2", "-g", "12", "-flags", "+ildct+ilme", "-f", "mpegts")),
    ],
)
def test_every_container_is_cut_between_the_same_frames(
    tmp_path: Path, ffmpeg: Ffmpeg, name: str, options: tuple[str, ...]
) -> None:
    field = ("-vf", "setfield=tff") if name == "i.ts" else ()
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=8", "-f", "lavfi", "-i", "sine=d=8", *field, *options, tmp_path / name)
    made = []
    for seconds in (60, 2):
        (out := tmp_path / str(seconds)).mkdir()
        made.append(video.make_video(tmp_path / name, out, Limits(), seconds).video)
    assert len(video_plan.plan_video(tmp_path / name, video_facts.read(tmp_path / name), 2, Limits()).pictures) == 4
    whole, cut = made
    assert sorted(_times(whole, "0:v:0")) == sorted(_times(cut, "0:v:0"))
    assert min(_likeness(whole, cut)) > 0.95


# ---- in the house ----


def test_each_segment_works_in_an_empty_directory_of_its_own(
    ten_minutes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Path, list[str]]] = []
    original = transcoder.run

    def watching(program: str, graph: object, files: dict[str, Path], directory: Path, *more: object) -> None:
        seen.append((directory, [each.name for each in directory.iterdir()]))
        original(program, graph, files, directory, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(transcoder, "run", watching)
    facts = video_facts.read(ten_minutes)
    sound, first, second, *_ = video_plan.plan_video(ten_minutes, facts, 30, Limits()).segments
    for segment in sound, first, second:
        (out := tmp_path / str(segment.index)).mkdir()
        video.transcode_segment(ten_minutes, segment, facts, out, Limits())
    assert len({directory for directory, _ in seen}) == len(seen) == 4
    assert all(not names for _, names in seen)
    assert not any(directory.exists() for directory, _ in seen)


@pytest.mark.parametrize("number", [0, 7], ids=["the sound", "a picture"])
def test_an_encoder_that_is_killed_in_the_middle_is_the_machines_fault_and_changes_nothing(
    ten_minutes: Path, tmp_path: Path, number: int
) -> None:
    """Not the upload's: the task fails, and Step Functions asks for the same segment again."""
    killed = _program(tmp_path, "head -c 5000 /dev/zero | tee sound.m4a > top.mp4; kill -9 $$")
    facts = video_facts.read(ten_minutes)
    segment = video_plan.plan_video(ten_minutes, facts, 30, Limits()).segments[number]
    folders = [tmp_path / name for name in ("once", "again")]
    for folder in folders:
        folder.mkdir()
    with pytest.raises(sandbox.SandboxFault, match="ended from outside"):
        video.transcode_segment(ten_minutes, segment, facts, folders[0], Limits(), killed)
    assert list(folders[0].iterdir()) == []
    once, again = (video.transcode_segment(ten_minutes, segment, facts, folder, Limits()) for folder in folders)
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]


def test_an_encoder_ends_with_its_worker(ten_minutes: Path, tmp_path: Path) -> None:
    slow = _program(tmp_path, f"echo $$ > {tmp_path}/pid.part; mv {tmp_path}/pid.part {tmp_path}/pid; exec sleep 60")
    facts = video_facts.read(ten_minutes)
    segment = video_plan.cut(facts, Packets(Fraction(1, 2), tuple(range(1200)), (0,)), 30)[0]
    worker = multiprocessing.get_context("fork").Process(
        target=video.transcode_segment, args=(ten_minutes, segment, facts, tmp_path, Limits(), slow)
    )
    worker.start()
    _until((tmp_path / "pid").exists)
    worker.kill()
    worker.join()
    encoder = int((tmp_path / "pid").read_text())
    _until(lambda: not _runs(encoder))


def _program(folder: Path, script: str) -> str:
    path = folder / "ffmpeg"
    path.write_text(f'#!/bin/sh\n[ "$1" = -version ] && exec echo "ffmpeg version 9.0.2"\n{script}\n')
    path.chmod(0o755)
    return str(path)


def _runs(pid: int) -> bool:
    try:
        return "sleep" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


# ---- several sizes ----


class Watched(video.AtHand):
    """Tells what is needed at the same time."""

    seen: ClassVar[list[str]] = []

    @contextmanager
    def source(self) -> Iterator[Path]:
        self.seen.append("source")
        yield self.upload
        self.seen.append("source is gone")

    @contextmanager
    def segments(self, size: str) -> Iterator[list[Path]]:
        self.seen.append(size)
        with super().segments(size) as found:
            yield found
        self.seen.append(f"{size} is gone")

    @contextmanager
    def sound(self) -> Iterator[Path | None]:
        self.seen.append("sound")
        with super().sound() as found:
            yield found
        self.seen.append("sound is gone")


def test_a_long_video_is_offered_as_hls_in_several_sizes(tmp_path: Path, ffmpeg: Ffmpeg, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    scene = "testsrc2=s=640x480:r=1:d=310"
    ffmpeg(
        "-f", "lavfi", "-i", scene, "-f", "lavfi", "-i", "sine=d=310:r=16000", "-c:v", "mpeg4", "-g", "10", "-c:a", "aac", path
    )
    (out := tmp_path / "out").mkdir()
    monkeypatch.setattr(video, "AtHand", Watched)
    Watched.seen.clear()
    made = video.make_video(path, out, Limits(), 60)
    expected = ["top", "sound", "sound is gone", "top is gone", "360p", "360p is gone"]
    assert Watched.seen == expected, "a worker's disk is small, and the upload is not needed"
    assert {each.name for each in made.stream} == {
        *("main.m3u8", "top.m3u8", "top.mp4", "360p.m3u8", "360p.mp4", "sound.m3u8", "sound.mp4"),
    }
    main = (out / "stream" / hls.MAIN).read_text()
    assert re.findall(r"RESOLUTION=(\d+x\d+)", main) == ["640x480", "480x360"]
    assert len(set(re.findall(r"avc1\.[0-9a-f]{6}", main))) == 2 and "mp4a.40.2" in main
    for name, stream, count in ("top", "v", 310), ("360p", "v", 310), ("sound", "a", None):
        playlist = (out / "stream" / f"{name}.m3u8").read_text()
        assert playlist.rstrip().endswith("#EXT-X-ENDLIST") and "EXT-X-MAP" in playlist
        assert "http" not in playlist and set(re.findall(r"^\w.*$", playlist, re.M)) == {f"{name}.mp4"}
        assert sum(map(float, re.findall(r"#EXTINF:([\d.]+)", playlist))) == pytest.approx(310, abs=1)
        if count:
            assert len(_times(out / "stream" / f"{name}.mp4", f"0:{stream}:0")) == count
    # A player reads it as one: the whole of it decodes.
    _run("-v", "error", "-xerror", "-allowed_extensions", "ALL", "-i", out / "stream" / hls.MAIN, "-f", "null", "-")


def test_nothing_made_of_a_video_is_larger_than_an_upload_may_be() -> None:
    limits, top, small = Limits(), video_plan.TOP, video_plan.SMALLER[1]
    film = VideoFacts("hevc", 1920, 1080)
    for minutes, bits in ((5, 8_000_000), (30, 8_000_000), (60, 4_000_000), (120, 2_000_000)):
        facts = replace(film, duration=minutes * 60.0)
        assert video.most_bits(top, facts, Fraction(30), limits) == bits
        assert video.most_bits(small, facts, Fraction(30), limits) == bits * small.bits // top.bits
        assert bits * facts.duration / 8 < limits.video_bytes
    assert video.most_bits(top, replace(film, duration=60.0), Fraction(60), limits) == 12_000_000


def test_a_long_video_that_fits_is_taken_as_it_is_and_made_smaller_beside(tmp_path: Path) -> None:
    fits = VideoFacts("h264", 1920, 1080, duration=400.0, bit_rate=8_000_000, audio="aac", audio_channels=2)
    assert [rung.name for rung in video_plan.rungs(fits)] == ["720p", "360p"]
    assert video_plan.rungs(replace(fits, duration=200.0)) == ()
    assert video_plan.rungs(replace(fits, width=640, height=360)) == ()
    assert [rung.name for rung in video_plan.rungs(replace(fits, codec="hevc", duration=200.0))] == ["top"]
    assert [rung.name for rung in video_plan.rungs(replace(fits, codec="hevc", width=1080, height=1920))] == [
        "top",
        "720p",
        "360p",
    ]
    assert video_plan.shown_size(1080, 1920, 360) == (360, 640)
