"""A video's sound is encoded beside its pictures, in one piece, and joined to them where it belongs."""

from __future__ import annotations

import array
import itertools
import math
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks import bench_video
from machines.definition import definitions

from tasks.core.errors import InvalidMedia
from tasks.core.models.media import Segment, VideoFacts, VideoPlan
from tasks.media import Limits, transcoder, video, video_facts, video_plan

Ffmpeg = Callable[..., None]
RATE = 48_000
PICTURE = ("-c:v", "mpeg4", "-q:v", "3", "-g", "25")
FITS = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast")


def _scene(seconds: float) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=s=96x64:r=25:d={seconds}")


def _tone(seconds: float, begins: float = 0.0) -> tuple[str, ...]:
    """Silence, and from `begins` on a tone."""
    return ("-f", "lavfi", "-i", f"aevalsrc='0.5*sin(2*PI*1000*t)*gte(t,{begins})':d={seconds}:s={RATE}")


def _made(path: Path, folder: Path, segment_seconds: int = 2) -> video.Joined:
    folder.mkdir()
    return video.make_video(path, folder, Limits(), segment_seconds)


def _heard(path: Path) -> array.array[int]:
    """Every sample of a file's sound, mono, as a player would give it out."""
    command = [transcoder.find_ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a:0"]
    raw = subprocess.run([*command, "-ac", "1", "-f", "s16le", "-"], check=True, capture_output=True, timeout=60).stdout
    return array.array("h", raw)


def _begins(path: Path) -> float:
    """Seconds until something is heard."""
    return next(at for at, sample in enumerate(_heard(path)) if abs(sample) > 1000) / RATE


def _packets(path: Path) -> str:
    """A file's sound as it stands there: times, what a player leaves out at its ends, and checksums."""
    command = [transcoder.find_ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a:0", "-c", "copy"]
    return subprocess.run([*command, "-f", "framecrc", "-"], check=True, capture_output=True, text=True, timeout=60).stdout


# ---- planned ----


def test_the_sound_of_the_whole_is_the_first_segment(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    ffmpeg(*_scene(6), *_tone(6), *PICTURE, tmp_path / "a.mov")
    plan = video_plan.plan_video(tmp_path / "a.mov", video_facts.read(tmp_path / "a.mov"), 2, Limits())
    sound, *pictures = plan.segments
    assert sound == Segment(0, 0.0, 6.0, sound=True)
    assert [each.index for each in pictures] == [1, 2, 3]
    assert plan.pictures == tuple(pictures) and not any(each.sound for each in pictures)


def test_a_silent_clip_and_one_that_fits_have_none(tmp_path: Path, ffmpeg: Ffmpeg, monkeypatch: pytest.MonkeyPatch) -> None:
    ffmpeg(*_scene(4), *PICTURE, tmp_path / "silent.mov")
    ffmpeg(*_scene(4), *_tone(4), *FITS, tmp_path / "fits.mov")

    def plan(name: str) -> tuple[bool, list[bool], tuple[str, ...]]:
        found = video_plan.plan_video(tmp_path / name, video_facts.read(tmp_path / name), 2, Limits())
        return found.remux, [each.sound for each in found.segments], found.smaller or ()

    assert plan("silent.mov") == (False, [False, False], ())
    assert plan("fits.mov") == (True, [], ())
    # A long one that fits is encoded for its smaller sizes alone: its sound goes with the remux.
    monkeypatch.setattr(video_plan, "LADDER_FROM", 1.0)
    monkeypatch.setattr(video_plan, "SMALLER", (video_plan.Rung("48p", 48, 200_000),))
    segments = plan("fits.mov")[1]
    assert (plan("fits.mov")[0], plan("fits.mov")[2]) == (True, ("48p",))
    assert segments and not any(segments)
    made = _made(tmp_path / "fits.mov", tmp_path / "out")
    assert {"sound.mp4", "48p.mp4", "top.mp4"} <= {file.name for file in made.stream}
    assert _packets(made.video) == _packets(tmp_path / "fits.mov")


@pytest.mark.parametrize("codec", [PICTURE, FITS], ids=["segments", "remux"])
@pytest.mark.parametrize("name", ["a.mov", "silent.mov", "later.ts"])
def test_a_plan_from_before_decision_0010_is_completed_to_what_would_be_planned_today(
    tmp_path: Path, ffmpeg: Ffmpeg, monkeypatch: pytest.MonkeyPatch, name: str, codec: tuple[str, ...]
) -> None:
    """It had pictures alone, and which smaller sizes there are was looked up by whoever needed it."""
    monkeypatch.setattr(video_plan, "LADDER_FROM", 1.0)
    monkeypatch.setattr(video_plan, "SMALLER", (video_plan.Rung("48p", 48, 200_000),))
    picture = codec if codec is FITS or name != "later.ts" else ("-c:v", "mpeg2video", "-g", "25")
    sound = {"silent.mov": (), "later.ts": ("-itsoffset", "0.5", *_tone(5))}.get(name, _tone(6))
    ffmpeg(*_scene(6), *sound, *picture, tmp_path / name)
    facts = video_facts.read(tmp_path / name)
    today = video_plan.plan_video(tmp_path / name, facts, 2, Limits())
    assert today.smaller == ("48p",) and today.remux == (codec is FITS)
    pictures = tuple(replace(each, index=number) for number, each in enumerate(today.pictures))
    then = VideoPlan(today.remux, pictures)
    assert video.completed(tmp_path / name, then, facts, Limits()) == today


@pytest.mark.parametrize(
    ("count", "planned"), [(1, 1), (39, 39), (40, 39), (60, 60), (78, 78), (120, 117), (130, 117), (131, 131), (240, 234)]
)
def test_the_last_turn_of_all_workers_is_not_for_a_few_segments_alone(count: int, planned: int) -> None:
    assert video_plan.in_whole_turns(count) == planned


def test_an_hour_is_three_turns_of_the_workers_that_the_sound_leaves() -> None:
    facts = VideoFacts("hevc", 1920, 1080, duration=3600.0, steady=True, audio="aac")
    packets = video_plan.Packets(video_plan.Fraction(1, 30), range(108_000), range(0, 108_000, 30))
    segments = video_plan.with_sound(video_plan.cut(facts, packets, 30))
    assert len(segments) == 3 * 39 + 1
    assert all(29 < each.end - each.start < 33 for each in segments[1:])


def test_a_turn_is_as_many_as_the_machine_runs_at_once() -> None:
    ingest = next(definition for definition in definitions() if definition.name == "ingest")
    assert ingest.states["TranscodeSegments"]["MaxConcurrency"] == video_plan.AT_ONCE + 1


@pytest.mark.parametrize(
    ("parts", "seconds"),
    [
        ([50.0] + [15.0] * 117, 50.0),  # three turns of 39 beside the sound
        ([20.0] + [15.0] * 117, 45.0),
        ([20.0] + [15.0] * 120, 60.0),  # three are left for a fourth turn
        ([15.0] * 120 + [50.0], 95.0),  # the sound at last
    ],
)
def test_the_benchmark_gives_each_part_to_the_worker_that_is_free_first(parts: list[float], seconds: float) -> None:
    assert bench_video.finished(parts, bench_video.WORKERS) == seconds


# ---- joined ----


def test_the_joined_sound_is_the_one_that_was_encoded_sample_by_sample(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """Nothing is heard of a seam: however the picture is cut, the sound is the same piece, and joining copies it."""
    ffmpeg(*_scene(8), *_tone(8), *PICTURE, "-c:a", "pcm_s16le", tmp_path / "a.mov")
    facts, sound = video_facts.read(tmp_path / "a.mov"), Segment(0, 0.0, 8.0, sound=True)
    (alone,) = video.transcode_segment(tmp_path / "a.mov", sound, facts, tmp_path, Limits())
    cut, whole = (_made(tmp_path / "a.mov", tmp_path / f"out{seconds}", seconds).video for seconds in (1, 60))
    assert alone.name == "sound.m4a"
    assert _packets(cut) == _packets(whole) == _packets(alone)
    heard = _heard(cut)
    assert (heard, len(heard)) == (_heard(alone), 8 * RATE)
    steps = [abs(right - left) for left, right in itertools.pairwise(heard[RATE // 2 : -RATE // 2])]
    assert max(steps) < 1.1 * math.tau * 1000 / RATE * max(heard[RATE : 2 * RATE]), "a click: a step that the tone never takes"


@pytest.mark.parametrize("name", ["a.mov", "a.mkv"])
@pytest.mark.parametrize(("late", "begins"), [(0.0, 3.0), (0.7, 2.0)], ids=["together", "later"])
def test_a_tone_is_heard_when_it_was(tmp_path: Path, ffmpeg: Ffmpeg, name: str, late: float, begins: float) -> None:
    """To the millisecond, though the encoder puts samples before the first, and a track may begin after the picture."""
    delay = ("-itsoffset", str(late)) if late else ()
    ffmpeg(*_scene(6), *delay, *_tone(5, begins), *PICTURE, "-c:a", "pcm_s16le", tmp_path / name)
    made = _made(tmp_path / name, tmp_path / "out")
    assert _begins(made.video) == pytest.approx(begins + late, abs=0.001)


def _flashes(path: Path) -> float:
    """Seconds until the picture is bright."""
    command = [transcoder.find_ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-vf", "format=gray,scale=1:1"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=60).stdout
    return next(number for number, grey in enumerate(raw) if grey > 128) / 25


@pytest.mark.parametrize("later", [0.7, 0.0, -0.7], ids=["sound later", "together", "picture later"])
def test_the_tracks_of_a_transport_stream_may_begin_at_different_times(tmp_path: Path, ffmpeg: Ffmpeg, later: float) -> None:
    """Its clock begins anywhere, and each track somewhere else on it: read apart, they must still fit together."""
    flash = "color=black:s=96x64:r=25:d=6,drawbox=c=white:t=fill:enable='between(n,75,80)'"
    picture = ("-itsoffset", str(max(0.0, -later)), "-f", "lavfi", "-i", flash)
    coded = ("-c:v", "mpeg2video", "-bf", "2", "-g", "25", "-c:a", "mp2", "-f", "mpegts")
    ffmpeg(*picture, "-itsoffset", str(max(0.0, later)), *_tone(6, 3.0), *coded, tmp_path / "a.ts")
    made = _made(tmp_path / "a.ts", tmp_path / "out")
    assert (_flashes(made.video), made.facts.duration) == (3.0, 6.0)
    assert _begins(made.video) - 3.0 == pytest.approx(later, abs=0.025), "to a frame of the sound"


@pytest.mark.parametrize(("seconds", "heard"), [(9, 6.0), (4, 4.0)], ids=["longer", "shorter"])
def test_sound_ends_with_the_picture_or_before_it(tmp_path: Path, ffmpeg: Ffmpeg, seconds: int, heard: float) -> None:
    ffmpeg(*_scene(6), *_tone(seconds), *PICTURE, tmp_path / "a.mov")
    made = _made(tmp_path / "a.mov", tmp_path / "out")
    assert len(_heard(made.video)) / RATE == pytest.approx(heard, abs=1024 / RATE)
    assert made.facts.duration == pytest.approx(6.0, abs=0.001)


def test_of_several_tracks_the_default_one_is_encoded(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    tracks = (*_tone(4, 3.0), *_tone(4, 1.0), "-map", "0", "-map", "1", "-map", "2")
    ffmpeg(*_scene(4), *tracks, *PICTURE, "-disposition:a:0", "0", "-disposition:a:1", "default", tmp_path / "a.mp4")
    assert _begins(_made(tmp_path / "a.mp4", tmp_path / "out").video) == pytest.approx(1.0, abs=0.05)


def test_a_track_without_a_sound_in_it_is_no_sound(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    ffmpeg(*_scene(4), *_tone(4), *PICTURE, "-c:a", "aac", "-bsf:a", "noise=drop=1", tmp_path / "a.mkv")
    assert video_facts.read(tmp_path / "a.mkv").audio == "aac"
    made = _made(tmp_path / "a.mkv", tmp_path / "out")
    assert (made.facts.audio, made.facts.duration) == ("", 4.0)


# ---- broken ----


def test_sound_that_breaks_for_a_moment_is_heard_before_and_after(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    noise = ("-bsf:a", "noise=amount='between(n,100,120)*2'")
    ffmpeg(*_scene(6), *_tone(6), *PICTURE, "-c:a", "aac", *noise, tmp_path / "a.mov")
    made = _made(tmp_path / "a.mov", tmp_path / "out")
    heard = _heard(made.video)
    assert len(heard) / RATE == pytest.approx(6, abs=0.05)
    assert min(max(heard[RATE : RATE * 2]), max(heard[RATE * 4 : RATE * 5])) > 10_000


def test_sound_that_cannot_be_decoded_refuses_the_video_in_words(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    ffmpeg(*_scene(4), *_tone(4), *PICTURE, "-c:a", "flac", "-bsf:a", "noise=amount=1", tmp_path / "a.mkv")
    with pytest.raises(InvalidMedia, match="cannot be converted: ") as caught:
        _made(tmp_path / "a.mkv", tmp_path / "out")
    assert not re.search(r"/|Traceback", caught.value.reason)
    facts = replace(video_facts.read(tmp_path / "a.mkv"), audio="")
    (tmp_path / "silent").mkdir()
    pictures = video_plan.cut(facts, video_plan.scan(tmp_path / "a.mkv", facts, Limits()), 30)
    assert video.transcode_segment(tmp_path / "a.mkv", pictures[0], facts, tmp_path / "silent", Limits()), "only its sound is"
