"""Ten minutes of 1080p on the deployed stack: cut in twenty, one worker killed, joined; every frame and beep is in its place."""

from __future__ import annotations

import itertools
import json
import os
import urllib.request
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import workers
from tape import Tape, likeness, packets, pictures, signals_heard, signals_seen

from tasks.core.models.media import VideoFacts, VideoPlan
from tasks.media import Limits, video, video_facts, video_plan

# Five frames a second say as much of seams and of sound as thirty, in a sixth of the time; `make long` records thirty.
TAPE = Tape(rate=int(os.environ.get("GREENROOM_TAPE_RATE", "5")))
pytestmark = pytest.mark.timeout(3600 if TAPE.rate > 10 else 1200)
FRAME = Fraction(1, TAPE.rate)
SEGMENTS = 20
PATIENCE = 3000.0 if TAPE.rate > 10 else 900.0


@dataclass(frozen=True)
class Shown:
    """What the stack published, beside what was uploaded."""

    source: Path
    facts: VideoFacts
    plan: VideoPlan
    video: Path
    killed: int  # the index of the segment whose worker was killed
    calls: dict[str, int]  # of TranscodeSegment, for pictures and sound, as the functions' host counts them


@pytest.fixture(scope="module")
def shown(town: Any, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("ten-minutes")
    source = TAPE.record(folder / "Concert.mov")
    facts = video_facts.read(source)
    plan = video_plan.plan_video(source, facts, 30, Limits())
    town.greenroom("upload", source, "--album", "Long", "--by", "Ada")
    item = town.item_of(source.name)["id"]
    killed = kill_a_worker(town, item, plan)
    town.becomes(item, "PENDING", PATIENCE)
    calls = town_calls(town, "TranscodeSegment")
    town.decide_by_mail(item, "approve")
    town.becomes(item, "PUBLISHED")
    files = town.published_files(item)
    (folder / "published.mp4").write_bytes(next(data for key, data in files.items() if key.endswith("-video.mp4")))
    return Shown(source, facts, plan, folder / "published.mp4", killed, calls)


def kill_a_worker(town: Any, item: str, plan: VideoPlan) -> int:
    """Once seven segments are there, kill the worker of one that is being encoded; its index."""
    deployed = town.stack.deployed()
    folder = f"items/{item}/segments/"

    def at_work() -> workers.Encoder | None:
        done = [key for key in deployed.store.keys(deployed.settings.work_bucket, folder) if key.endswith("/top.mp4")]
        found = workers.encoders(town.stack.pid) if len(done) >= SEGMENTS // 3 else ()
        return next((each for each in found if each.seek and each.written()), None)

    encoder = town.until("a worker in the middle of a segment", at_work, PATIENCE)
    encoder.kill_its_worker()
    town.until("the end of the encoder whose worker was killed", lambda: not encoder.runs())
    return min(plan.pictures, key=lambda segment: abs(segment.seek - encoder.seek)).index


def town_calls(town: Any, function: str) -> dict[str, int]:
    with urllib.request.urlopen(f"http://127.0.0.1:{town.stack.host_port}/", timeout=10) as answer:
        functions = json.loads(answer.read())["functions"]
    found = next(count for name, count in functions.items() if name.endswith(f"-{function}"))
    return {"calls": found["calls"], "errors": found["errors"]}


def test_it_is_cut_in_twenty_beside_the_sound_and_what_the_killed_worker_had_is_made_again(shown: Shown) -> None:
    assert (shown.plan.remux, len(shown.plan.pictures), len(shown.plan.segments)) == (False, SEGMENTS, SEGMENTS + 1)
    assert shown.calls == {"calls": SEGMENTS + 1 + 1, "errors": 1}


def test_no_frame_is_missing_doubled_or_late(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    times = sorted(time for time, _ in packets(shown.video, "0:v:0"))
    duration = video_facts.read(shown.video).duration
    with capsys.disabled():
        print(
            f"\n{len(times)} of {TAPE.frames} frames, {duration} of {TAPE.seconds} s; segment {shown.killed}'s worker was killed"
        )
    assert len(times) == TAPE.frames
    assert {after - before for before, after in itertools.pairwise(times)} == {FRAME}
    assert abs(duration - TAPE.seconds) <= FRAME


def test_the_sound_stays_where_the_picture_is(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    seen, heard = signals_seen(shown.video, TAPE), signals_heard(shown.video, TAPE)
    offsets = [sound - picture for picture, sound in zip(seen, heard, strict=True)]
    with capsys.disabled():
        print("\nsound after picture, ms: " + " ".join(f"{offset * 1000:+.0f}" for offset in offsets))
    assert seen == pytest.approx(TAPE.signals, abs=0.01)
    assert max(map(abs, offsets)) <= 0.03
    sounds = [time for time, _ in packets(shown.video, "0:a:0")]
    assert max(after - before for before, after in itertools.pairwise(sounds)) <= Fraction(1025, 48_000), "a gap can be heard"
    assert abs(sounds[-1] - TAPE.seconds) <= FRAME


def test_no_seam_can_be_seen(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    seams = [round(segment.start * TAPE.rate) for segment in shown.plan.pictures[1:]]
    found = [likeness(shown.video, shown.source, seam, TAPE.rate) for seam in seams]
    with capsys.disabled():
        print("\nSSIM at the seams: " + " ".join(f"{same:.4f}" for same, _ in found))
        print("one frame off:     " + " ".join(f"{late:.4f}" for _, late in found))
    assert len(found) == SEGMENTS - 1
    assert min(same for same, _ in found) >= 0.98
    assert all(same > late for same, late in found)


def test_the_killed_worker_changed_nothing(shown: Shown, tmp_path: Path) -> None:
    """Its segment, encoded once more without any disturbance, has the very pictures that were published."""
    segment = shown.plan.segments[shown.killed]
    top, *_ = video.transcode_segment(shown.source, segment, shown.facts, tmp_path, Limits())
    published = pictures(shown.video, round(segment.start * TAPE.rate), segment.frames, TAPE.rate)
    assert len(published) == segment.frames
    assert published == pictures(top, 0, segment.frames, TAPE.rate)
