"""How near Greenroom's videos come to the plain ffmpeg command with the same settings: ratios of one run, interleaved.

`python -m tests.benchmarks.bench_video [--rounds 3] [--seconds 10]` makes its clips once and prints medians.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.media import Limits, transcoder, video, video_facts, video_plan
from tasks.media.video_plan import TOP

WORKERS = 40
HOUR = 3600
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

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


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
        segments = [self.folder / f"{segment.index:04d}" / "top.mp4" for segment in self.plan.segments]
        video.assemble(self.source, self.plan, segments, self.facts, self.folder / "video.mp4", Limits())

    def one_by_one(self) -> None:
        for segment in self.plan.segments:
            self.segment(segment.index)
        self.join()

    def side_by_side(self) -> None:
        """Each segment in a process of its own, as many at once as there are cores."""
        with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
            pool.map(self.segment, range(len(self.plan.segments)), chunksize=1)
        self.join()


def greenroom(source: Path, segment_seconds: int, how: str = "one_by_one") -> None:
    with tempfile.TemporaryDirectory() as name:
        getattr(Greenroom(source, Path(name), segment_seconds), how)()


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[Cost, Cost]:
    """Medians of both, taken in turns."""
    pairs = [(cost(ours), cost(theirs)) for _ in range(rounds)]
    first, second = (
        Cost(statistics.median(each.cpu for each in side), statistics.median(each.wall for each in side))
        for side in zip(*pairs, strict=True)
    )
    print(
        f"  {name}: {first.cpu:.2f} CPU s, {first.wall:.2f} s; plain ffmpeg {second.cpu:.2f} CPU s, {second.wall:.2f} s",
        flush=True,
    )
    return first, second


def an_hour_on_many_workers(source: Path, seconds: int, single: Cost) -> tuple[float, float]:
    """Seconds on the clock for an hour like this clip: in one run, and as 40 workers of this machine's size would take it.

    A segment of half a minute takes what was measured for this clip, in proportion; the hour's scan and its join, with its
    sound, are measured on as many copies of the clip as make an hour, or a tenth of one.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work = Greenroom(source, folder, seconds)
        a_segment = cost(lambda: work.segment(0)).wall * 30 / seconds
        part = HOUR // 10
        (folder / "list.txt").write_text("ffconcat version 1.0\n" + f"file {source}\n" * math.ceil(part / seconds))
        _ffmpeg("-f", "concat", "-safe", "0", "-i", folder / "list.txt", "-c", "copy", folder / "long.mp4")
        facts = video_facts.read(folder / "long.mp4")
        scan = cost(lambda: video_plan.cut(facts, video_plan.scan(folder / "long.mp4", facts, Limits()), 30)).wall * 10
        plan = video_plan.plan_video(folder / "long.mp4", facts, 30, Limits())
        pieces = [folder / "0000" / "top.mp4"] * math.ceil(part / seconds)
        join = cost(lambda: video.assemble(folder / "long.mp4", plan, pieces, facts, folder / "joined.mp4", Limits())).wall * 10
    return single.wall * HOUR / seconds, scan + math.ceil(HOUR / 30 / WORKERS) * a_segment + join


def rows(folder: Path, seconds: int, rounds: int) -> list[Row]:
    """Every promise about videos, measured."""
    found = []
    out = folder / "plain.mp4"
    for name in ("1080p30 HEVC", "4K30 HEVC"):
        source = clip(folder, name, seconds)
        ours, theirs = compare(name, lambda: greenroom(source, 30), lambda: plain(source, out), rounds)  # noqa: B023
        found.append(Row(f"{name} to 1080p H.264: CPU", ours.cpu, theirs.cpu, 1.05))
        if name == "1080p30 HEVC":
            single = theirs
            beside, alone = compare(
                f"{name}, two segments at once",
                lambda: greenroom(source, math.ceil(seconds / 2), "side_by_side"),  # noqa: B023
                lambda: greenroom(source, 30),  # noqa: B023
                rounds,
            )
            found.append(Row("segments at once on these cores: wall against a single run", beside.wall, alone.wall, 1.1))
    source = clip(folder, "1080p30 HEVC", seconds)
    hour, spread = an_hour_on_many_workers(source, seconds, single)
    found.append(Row(f"an hour on {WORKERS} workers (simulated): wall against a single run", spread, hour, 1 / 20))
    source = clip(folder, "1080p30 H.264", seconds)
    ours, theirs = compare("1080p30 H.264 remuxed", lambda: greenroom(source, 30), lambda: plain(source, out), rounds)
    found.append(Row("a remux against an encode: CPU", ours.cpu, theirs.cpu, 0.03))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print each ratio beside its limit; returns how many are beyond theirs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--inputs", type=Path, help="where the clips are kept; else they are thrown away")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = asked.inputs or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        found = rows(folder, asked.seconds, asked.rounds)
    print(f"\n{'':72} {'ours':>8} {'theirs':>8} {'ratio':>6} {'limit':>6}")
    for row in found:
        print(f"{row.name:72} {row.ours:8.2f} {row.theirs:8.2f} {row.ratio:6.3f} {row.limit:6.3f}")
    return sum(row.ratio > row.limit for row in found)


if __name__ == "__main__":
    raise SystemExit(main())
