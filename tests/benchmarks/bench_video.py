"""How near Greenroom's videos come to the plain ffmpeg command with the same settings: ratios of one run, interleaved.

`python -m tests.benchmarks.bench_video [--rounds 3] [--seconds 10]` makes its clips once and prints medians.
"""

from __future__ import annotations

import argparse
import heapq
import math
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.core.aws.s3 import Store
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.core.models.media import Media, SegmentResult
from tasks.core.settings import Settings
from tasks.media import Limits, hls, poster, transcoder, video, video_facts, video_plan
from tasks.media.video_plan import TOP

ROOT = Path(__file__).parents[2]
WORKERS = 40
HOUR = 3600
MOST_MEGABYTES = 500
SCENE = "testsrc2=s={size}:r=30:d={seconds},noise=alls=6:allf=t"  # moves, and has the grain that a camera has
CLIPS = {
    "1080p30 HEVC": ("1920x1080", "libx265"),
    "4K30 HEVC": ("3840x2160", "libx265"),
    "1080p30 H.264": ("1920x1080", "libx264"),
}


@dataclass(frozen=True)
class Cost:
    """Seconds of processor and on the clock."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Row:
    """One comparison: what Greenroom took, what the other took, and the most that their ratio may be."""

    name: str
    ours: float
    theirs: float
    limit: float
    ratio: float

    @property
    def verdict(self) -> str:
        return "met" if self.ratio <= self.limit else "MISSED"


Pairs = list[tuple[Cost, Cost]]


def cost(work: Callable[[], object]) -> Cost:
    """What `work` takes, with all the processes that it starts."""
    before, started = _used(), time.monotonic()
    work()
    return Cost(_used() - before, time.monotonic() - started)


def _used() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))


def clip(folder: Path, name: str, seconds: int) -> Path:
    """A clip as a phone films it: a keyframe a second, sound."""
    size, codec = CLIPS[name]
    path = folder / f"{name.replace(' ', '-')}-{seconds}.mp4"
    if not path.exists():
        quiet = ("-x265-params", "log-level=error") if codec == "libx265" else ()
        scene = ("-f", "lavfi", "-i", SCENE.format(size=size, seconds=seconds), "-f", "lavfi", "-i", f"sine=d={seconds}")
        rate = ("-b:v", "8M", "-maxrate", "9M", "-bufsize", "9M") if codec == "libx264" else ("-crf", "28")
        _ffmpeg(
            *scene, "-c:v", codec, "-preset", "ultrafast", *quiet, *rate, "-g", "30", "-pix_fmt", "yuv420p", "-c:a", "aac", path
        )
    return path


def _ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([transcoder.find_ffmpeg(), "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def plain(source: Path, out: Path) -> None:
    """What a user would type, with our settings."""
    facts = video_facts.read(source)
    width, height = video_plan.shown_size(facts.width, facts.height)
    rate = ("-maxrate", str(TOP.bits), "-bufsize", str(2 * TOP.bits))
    picture = ("-vf", f"scale={width}:{height}", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", *rate, "-g", "60")
    sound = ("-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000")
    _ffmpeg(
        "-i", source, "-map", "0:v:0", "-map", "0:a:0?", *picture, *sound, "-map_metadata", "-1", "-movflags", "+faststart", out
    )


class Greenroom:
    """Plan, segments and the joined MP4 of one clip: the same work as the plain command's, without poster and preview."""

    def __init__(self, source: Path, folder: Path, segment_seconds: int) -> None:
        self.source, self.folder, self.facts = source, folder, video_facts.read(source)
        self.plan = video_plan.plan_video(source, self.facts, segment_seconds, Limits())
        self.times: dict[str, float] = {}

    def segment(self, index: int) -> None:
        (part := self.folder / f"{index:04d}").mkdir()
        video.transcode_segment(self.source, self.plan.segments[index], self.facts, part, Limits())

    def join(self) -> None:
        folders = tuple(self.folder / f"{segment.index:04d}" for segment in self.plan.segments)
        material = video.AtHand(self.source, self.plan, folders)
        video.assemble(material, self.plan, self.folder / "video.mp4", Limits(), facts=self.facts)

    def one_by_one(self) -> None:
        for segment in self.plan.segments:
            self.segment(segment.index)
        self.join()

    def side_by_side(self) -> None:
        """Each segment, and the sound, in a process of its own, as many at once as there are cores."""
        with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
            pool.map(self.segment, range(len(self.plan.segments)), chunksize=1)
        self.join()


def greenroom(source: Path, segment_seconds: int, how: str = "one_by_one") -> None:
    with tempfile.TemporaryDirectory() as name:
        getattr(Greenroom(source, Path(name), segment_seconds), how)()


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Pairs:
    """Both, taken in turns; says the medians."""
    pairs = [(cost(ours), cost(theirs)) for _ in range(rounds)]
    first, second = (median(side) for side in zip(*pairs, strict=True))
    print(
        f"  {name}: {first.cpu:.2f} CPU s, {first.wall:.2f} s; the other {second.cpu:.2f} CPU s, {second.wall:.2f} s",
        flush=True,
    )
    return pairs


def median(costs: Iterable[Cost]) -> Cost:
    found = list(costs)
    return Cost(statistics.median(each.cpu for each in found), statistics.median(each.wall for each in found))


def beside(name: str, pairs: Pairs, kind: str, limit: float) -> Row:
    """The median of the rounds' own ratios: what else the machine did strikes both halves of a round."""
    first, second = (getattr(median(side), kind) for side in zip(*pairs, strict=True))
    ratio = statistics.median(getattr(ours, kind) / getattr(theirs, kind) for ours, theirs in pairs)
    return Row(name, first, second, limit, ratio)


@dataclass(frozen=True)
class Parts:
    """Seconds on the clock that each part of converting a video takes, alone on this machine; `picture` is one of `pictures`."""

    scan: float
    sound: float
    picture: float
    pictures: int
    join: float

    def one_after_the_other(self) -> float:
        """By a single worker, which plans nothing."""
        return self.sound + self.pictures * self.picture + self.join

    def side_by_side(self) -> float:
        """By PlanVideo, then as many workers at once as the Map has, the sound's being one of them, then JoinVideo."""
        return self.scan + finished([self.sound, *[self.picture] * self.pictures], WORKERS) + self.join


def finished(parts: Iterable[float], workers: int) -> float:
    """When the last part ends: each in its turn goes to the worker that is free first, as a Map does it."""
    free = [0.0] * workers
    for part in parts:
        heapq.heapreplace(free, free[0] + part)
    return max(free)


def an_hour_on_many_workers(source: Path, seconds: int, single: Cost) -> Iterator[Row]:
    """An hour like this clip: its MP4 against the plain command's, and all that is made of it against one worker alone."""
    hour = single.wall * HOUR / seconds
    for whole in (False, True):
        parts = parts_of_an_hour(source, seconds, whole)
        print(f"  an hour{', all of it' if whole else ''}: {parts}", flush=True)
        spread, alone = parts.side_by_side(), parts.one_after_the_other() if whole else hour
        name = "the same with its smaller sizes, poster, preview and stream" if whole else "an hour"
        yield Row(f"{name} on {WORKERS} workers (simulated): wall", spread, alone, 1 / 20, spread / alone)


def parts_of_an_hour(source: Path, seconds: int, whole: bool) -> Parts:
    """Measured: a segment on this clip, in proportion; scan, sound and join on copies of it that make a tenth of an hour, ten
    times. `whole` is with what JoinVideo makes beside the MP4, and with the smaller sizes that segments of an hour have.
    """
    tenth, limits = HOUR // 10, Limits()
    count = video_plan.in_whole_turns(HOUR // 30)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        facts = replace(video_facts.read(source), duration=float(HOUR if whole else seconds))
        (piece,) = video_plan.cut(facts, video_plan.scan(source, facts, limits), HOUR)
        picture = cost(lambda: video.transcode_segment(source, piece, facts, folder, limits)).wall * HOUR / count / seconds
        (folder / "list.txt").write_text("ffconcat version 1.0\n" + f"file {source.resolve()}\n" * math.ceil(tenth / seconds))
        _ffmpeg("-f", "concat", "-safe", "0", "-i", folder / "list.txt", "-c", "copy", long := folder / "long.mp4")
        facts = video_facts.read(long)
        scan = cost(lambda: video_plan.cut(facts, video_plan.scan(long, facts, limits), 30)).wall * 10
        plan = video_plan.plan_video(long, facts, 30, limits)
        pieces = tuple(replace(piece, index=index, end=tenth) for index in range(math.ceil(tenth / seconds)))
        plan = replace(plan, segments=video_plan.with_sound(pieces))
        sound = cost(lambda: video.transcode_segment(long, plan.segments[0], facts, folder, limits)).wall * 10
        join = join_of_an_hour(video.AtHand(long, plan, (folder,) * len(plan.segments)), folder, whole)
    return Parts(scan, sound, picture, count, join)


def join_of_an_hour(material: video.AtHand, folder: Path, whole: bool) -> float:
    """Seconds, of a tenth's material: what grows with the video ten times, poster and preview once."""
    limits, program, joined = Limits(), transcoder.find_ffmpeg(), folder / "video.mp4"
    growing = cost(lambda: video.assemble(material, material.plan, joined, limits)).wall
    if not whole:
        return growing * 10
    final = video_facts.read(joined)
    (stream := folder / "stream").mkdir()
    still = cost(lambda: poster.make_poster(program, joined, final, folder / "poster.jpg", limits)).wall
    still += cost(lambda: poster.make_preview(program, joined, final, folder / "preview.mp4", limits)).wall
    growing += cost(lambda: hls.make_stream(program, joined, material.plan.smaller, material.segments, stream, limits)).wall
    return growing * 10 + still


class Shelf(Store):
    """S3 as a folder, so that what is measured is the tasks' own memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def download(self, location: Location, path: Path) -> str:
        path.symlink_to((self.folder / location.key).resolve())
        return ""

    def upload(self, path: Path, bucket: str, key: str, content_type: str) -> None:
        (self.folder / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self.folder / key)


def tasks_memory(source: Path, most_segments: int) -> tuple[float, float]:
    """MB that a worker's own process takes at its peak for the whole of PlanVideo, TranscodeSegment and JoinVideo, and that
    the largest process it starts takes. Of a long video's picture the first segments stand for all."""
    call = f"from tests.benchmarks.bench_video import *; print(*in_a_worker(Path({str(source.resolve())!r}), {most_segments}))"
    done = subprocess.run([sys.executable, "-c", call], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    own, largest = map(float, done.stdout.split())
    return own, largest


def in_a_worker(source: Path, most_segments: int) -> tuple[float, float]:
    import boto3

    from tasks.join_video import JoinVideoRequest, join_video
    from tasks.plan_video import PlanVideoRequest, plan_video
    from tasks.transcode_segment import TranscodeSegmentRequest, transcode_segment

    boto3.client("s3", region_name="us-east-1")  # every worker has one
    settings = Settings(
        **dict.fromkeys(("inbox_bucket", "work_bucket", "site_bucket", "audit_bucket"), "shelf"),
        catalog_table="",
        reviews_table="",
        site_url_parameter="",
    )
    item = Item("bench", 1, "shelf", "original", "", "", 0, "", "", "", "")
    media = Media("accepted", kind="video", format="mp4")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "original").symlink_to(source)
        store = Shelf(Path(name))
        plan = plan_video(PlanVideoRequest(item, media), store=store, settings=settings)
        sound = [segment for segment in plan.segments if segment.sound]
        requests = [TranscodeSegmentRequest(item, media, segment) for segment in (*sound, *plan.pictures[:most_segments])]
        made = [transcode_segment(request, store=store, settings=settings) for request in requests]
        keys = [each.key for each in made if not each.sound]
        pictures = [SegmentResult(segment.index, keys[segment.index % len(keys)]) for segment in plan.pictures]
        done = (*(each for each in made if each.sound), *pictures)
        joined = join_video(JoinVideoRequest(item, media, plan, done), store=store, settings=settings)
    assert joined.verdict == "accepted", joined.reason
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    own, largest = (resource.getrusage(kind).ru_maxrss / 1024 for kind in kinds)
    return own, largest


def an_hour(folder: Path) -> Path:
    """An hour at 60 frames a second, small: as many frames to know of as a phone's film has."""
    path, part = folder / "an-hour.mp4", folder / "a-minute.mp4"
    if not path.exists():
        scene = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=60:d=60", "-f", "lavfi", "-i", "sine=d=60")
        _ffmpeg(*scene, "-c:v", "mpeg4", "-q:v", "5", "-g", "60", "-c:a", "aac", part)
        _ffmpeg("-stream_loop", str(HOUR // 60 - 1), "-i", part, "-c", "copy", path)
    return path


def memory_rows(folder: Path, seconds: int) -> Iterator[Row]:
    for name, source, segments in (
        ("an hour at 60 frames", an_hour(folder), 2),
        ("4K30 HEVC", clip(folder, "4K30 HEVC", seconds), 1),
    ):
        own, largest = tasks_memory(source, segments)
        print(f"  {name}: {own:.0f} MB of our own, {largest:.0f} MB of the largest process beside it (the encoder)", flush=True)
        yield Row(f"{name}: MB of our own process, beside what is allowed", own, MOST_MEGABYTES, 1.0, own / MOST_MEGABYTES)


def rows(folder: Path, seconds: int, rounds: int) -> list[Row]:
    """Every promise about videos, measured."""
    found = list(memory_rows(folder, seconds))
    out = folder / "plain.mp4"
    source = clip(folder, "1080p30 HEVC", seconds)
    pairs = compare("1080p30 HEVC", lambda: greenroom(source, 30), lambda: plain(source, out), rounds)
    found.append(beside("1080p30 HEVC to 1080p H.264: CPU", pairs, "cpu", 1.05))
    single = median(theirs for _, theirs in pairs)
    half = math.ceil(seconds / 2)
    pairs = compare(
        "two segments at once", lambda: greenroom(source, half, "side_by_side"), lambda: greenroom(source, 30), rounds
    )
    found.append(beside("segments at once on these cores: wall against a single run", pairs, "wall", 1.1))
    found += an_hour_on_many_workers(source, seconds, single)
    large = clip(folder, "4K30 HEVC", seconds)
    pairs = compare("4K30 HEVC", lambda: greenroom(large, 30), lambda: plain(large, out), rounds)
    found.append(beside("4K30 HEVC to 1080p H.264: CPU", pairs, "cpu", 1.05))
    fits = clip(folder, "1080p30 H.264", seconds)
    pairs = compare("1080p30 H.264 remuxed", lambda: greenroom(fits, 30), lambda: plain(fits, out), rounds)
    found.append(beside("a remux against an encode: CPU", pairs, "cpu", 0.03))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print each ratio beside its limit; returns how many are beyond theirs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--inputs", type=Path, help="where the clips are kept; else they are thrown away")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = asked.inputs or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        found = rows(folder, asked.seconds, asked.rounds)
    print(f"\n{'':72} {'ours':>8} {'theirs':>8} {'ratio':>6} {'aim':>6}")
    for row in found:
        print(f"{row.name:72} {row.ours:8.2f} {row.theirs:8.2f} {row.ratio:6.3f} {row.limit:6.3f}  {row.verdict}")
    return sum(row.ratio > row.limit for row in found)


if __name__ == "__main__":
    raise SystemExit(main())
