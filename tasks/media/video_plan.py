"""Decides how a video becomes its MP4: taken as it is, or cut into stretches that begin where decoding can begin."""

from __future__ import annotations

import itertools
import re
import statistics
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from tasks.core.errors import InvalidMedia
from tasks.core.models.media import Segment, VideoFacts, VideoPlan
from tasks.media import sandbox, transcoder, video_facts
from tasks.media.limits import MOST_FRAMES_A_SECOND, Limits
from tasks.media.sandbox import MEGABYTE, Bounds

LONG_SIDE = 1920
SHORT_SIDE = 1080
# Streams up to this rate are taken as they are; more than that stalls on a phone's connection.
REMUX_BITS = 12_000_000
# AVI knows no time of showing: its H.264 is encoded anew.
REMUX_FROM = ("mov", "matroska", "mpegts")
CLOCKED = ("mpegts",)  # its time does not begin at zero, nor with any of its tracks
LADDER_FROM = 300.0  # seconds from which a video is offered in several sizes
# One line a frame of at most two hours.
SCAN_BOUNDS = Bounds(cpu_seconds=240, wall_seconds=270, file_bytes=192 * MEGABYTE)
# Stretches that follow one another in another order than they were decoded in would be listed at times made up to rise.
AS_SHOWN = {"bsf:v": "setts=pts=PTS:dts=N-1000000000"}
NOT_SHOWN = 0x4  # of a packet's flags: an edit list leaves it out
SHORTEST = 0.25  # of a segment's usual length
# Pictures that the Map TranscodeSegments encodes at once: one of its forty workers has the sound.
AT_ONCE = 39


@dataclass(frozen=True)
class Rung:
    """One size of a video: pixels on the short side, and the most bits a second at up to 30 frames."""

    name: str
    short: int
    bits: int


TOP = Rung("top", SHORT_SIDE, 8_000_000)
SMALLER = (Rung("720p", 720, 3_500_000), Rung("360p", 360, 900_000))


@dataclass(frozen=True)
class Packets:
    """When each frame is shown, and those where decoding can begin: ticks of `base` seconds from the beginning, in order.

    `first` is the time of the frame that comes first in the file.
    """

    base: Fraction
    times: Sequence[int]
    keys: Sequence[int]
    first: int = 0


def fits(facts: VideoFacts) -> bool:
    """Whether browsers play the picture as it is, and are to see all of it: a remux copies hidden frames too.

    A rotation is kept in the container, which they all honour.
    """
    return (
        facts.codec == "h264"
        and facts.demuxer in REMUX_FROM
        and not facts.hidden
        and facts.bits == 8
        and facts.chroma == "4:2:0"
        and not facts.interlaced
        and not facts.transfer
        and facts.square
        and max(facts.width, facts.height) <= LONG_SIDE
        and min(facts.width, facts.height) <= SHORT_SIDE
        and facts.bit_rate <= REMUX_BITS
        and facts.frame_rate <= video_facts.FASTEST
    )


def shown_size(width: int, height: int, short: int = SHORT_SIDE) -> tuple[int, int]:
    """At most `short` pixels on the short side and 16 by 9 of that on the long one; even, as 4:2:0 wants it; never larger
    than the source."""
    ratio = min(1.0, LONG_SIDE * short / SHORT_SIDE / max(width, height), short / min(width, height))
    return max(2, int(width * ratio / 2 + 0.25) * 2), max(2, int(height * ratio / 2 + 0.25) * 2)


def rungs(facts: VideoFacts) -> tuple[Rung, ...]:
    """The sizes that its segments are made in: the top one unless it fits as it is, the smaller ones of a long one."""
    top = () if fits(facts) else (TOP,)
    shown = shown_size(facts.width, facts.height)
    smaller = [rung for rung in SMALLER if shown_size(facts.width, facts.height, rung.short) != shown]
    return (*top, *smaller) if wants_ladder(facts) else top


def wants_ladder(facts: VideoFacts) -> bool:
    """Whether it is long enough to be watched at a size that follows the connection."""
    return facts.duration > LADDER_FROM


def plan_video(source: Path, facts: VideoFacts, segment_seconds: int, limits: Limits, ffmpeg: str = "") -> VideoPlan:
    """How the video at `source` becomes its MP4. One that fits has segments only for the smaller sizes of a long one.

    Raises InvalidMedia when it holds no picture, or more frames than its seconds could show.
    """
    if not facts.codec:
        raise InvalidMedia("it holds no picture that could be shown as a video")
    if not rungs(facts):
        return VideoPlan(remux=True)
    packets = scan(source, facts, limits, ffmpeg)
    pictures = cut(facts, packets, segment_seconds)
    smaller = tuple(rung.name for rung in rungs(facts) if rung is not TOP)
    if fits(facts):
        return VideoPlan(remux=True, segments=pictures, smaller=smaller)
    if not facts.audio:
        return VideoPlan(remux=False, segments=pictures, smaller=smaller)
    begins = clock(source, facts, packets, limits, ffmpeg) if facts.demuxer in CLOCKED else 0.0
    return VideoPlan(remux=False, segments=with_sound(pictures, begins), smaller=smaller)


def with_sound(pictures: tuple[Segment, ...], begins: float = 0.0) -> tuple[Segment, ...]:
    """The sound of the whole before its pictures: nothing else takes as long in one piece, so that it has to begin first."""
    sound = Segment(0, 0.0, pictures[-1].end, seek=begins, sound=True)
    return (sound, *(replace(each, index=each.index + 1) for each in pictures))


def scan(source: Path, facts: VideoFacts, limits: Limits, ffmpeg: str = "") -> Packets:
    """Read, without decoding, when each frame of the picture is shown. Raises InvalidMedia."""
    packets = _listed(source, facts, limits, ffmpeg, **from_zero(facts))
    if facts.early:
        packets = replace(packets, times=array("q", (time for time in packets.times if time >= 0)))
    if not packets.times:
        raise InvalidMedia("the video cannot be converted: no frame of it could be found")
    most = limits.seconds * MOST_FRAMES_A_SECOND
    if len(packets.times) > most:
        raise InvalidMedia(f"too many frames: {len(packets.times):,}, the limit is {most:,}")
    limits.check_seconds(float(packets.times[-1] * packets.base))
    return packets


def from_zero(facts: VideoFacts) -> dict[str, Any]:
    """ffmpeg's option to count from a file's first frame; not where frames before zero are to be left out."""
    return {} if facts.early else {"start_at_zero": None}


def clock(source: Path, facts: VideoFacts, packets: Packets, limits: Limits, ffmpeg: str = "") -> float:
    """Seconds on the file's own clock at which its picture begins. Raises InvalidMedia.

    Of a container whose clock runs on and on, ffmpeg takes for the beginning that of the tracks it was asked for: pictures and
    sound, read apart, would each have their own.
    """
    first = _listed(source, facts, limits, ffmpeg, frames=1)
    return round(float(first.first * first.base - packets.first * packets.base), 6)


def _listed(source: Path, facts: VideoFacts, limits: Limits, ffmpeg: str, frames: int = 0, **options: Any) -> Packets:
    """The picture's packets as they stand in the file, all or the first ones; by its own clock but for `options`."""
    whole = transcoder.source("input", limits.pixels, demuxers=facts.demuxer, copyts=None, **options)
    few = {"frames:v": frames} if frames else {}
    times = AS_SHOWN if facts.hidden else {}
    graph = whole["V:0"].output("packets.txt", vcodec="copy", f="framecrc", **few, **times)
    with sandbox.workspace() as folder:
        transcoder.run(transcoder.find_ffmpeg(ffmpeg), graph, {"input": source}, folder, SCAN_BOUNDS)
        with (folder / "packets.txt").open() as listing:
            return read_packets(listing)


def read_packets(listing: Iterable[str]) -> Packets:
    """ffmpeg's `framecrc`: stream, time of decoding, time of showing, length, bytes, checksum, flags but for a keyframe's."""
    base, times, keys, first = Fraction(1, 1000), array("q"), array("q"), None
    for line in listing:
        if line.startswith("#tb 0:"):
            base = Fraction(line[6:].strip())
        elif line.strip() and not line.startswith("#"):
            found = re.search(r"F=0x([0-9A-Fa-f]+)", line)
            flags = int(found[1], 16) if found else 1
            shown = int(line.split(",", 3)[2])
            first = shown if first is None else first
            if not flags & NOT_SHOWN:
                times.append(shown)
            if flags & 1:
                keys.append(shown)
    return Packets(base, array("q", sorted(times)), array("q", sorted(keys)), first or 0)


def frame_rate(facts: VideoFacts, packets: Packets) -> Fraction:
    """Frames a second of the result: as the container says, else as most frames are apart, else the next that drops none."""
    if facts.steady:
        return facts.frame_rate
    steps = [right - left for left, right in itertools.pairwise(packets.times) if right > left]
    if not steps:
        return facts.frame_rate
    usual = statistics.median(steps)
    alike = sum(abs(step - usual) <= usual / 10 for step in steps)
    mean = len(steps) / ((packets.times[-1] - packets.times[0]) * packets.base)
    near = min(video_facts.RATES, key=lambda rate: abs(rate - mean))
    return near if alike >= 0.9 * len(steps) and abs(near - mean) <= near / 100 else facts.frame_rate


def cut(facts: VideoFacts, packets: Packets, segment_seconds: int) -> tuple[Segment, ...]:
    """Stretches of about `segment_seconds` that begin on a keyframe where one is near, and always on a whole frame.

    The last has no number of frames: it ends where the video does.
    """
    rate = frame_rate(facts, packets)
    end = float((packets.times[-1] * packets.base) + 1 / rate)
    if not facts.hidden:  # else the container may count what is not shown
        end = max(facts.duration, end)
    count = in_whole_turns(max(1, round(end / max(1, segment_seconds))))
    each = end / count
    firsts = [0]
    for number in range(1, count):
        first = _frame_near(number * each, each / 2, packets, rate)
        if first - firsts[-1] >= each * SHORTEST * rate and (end - first / rate) >= each * SHORTEST:
            firsts.append(first)
    ends = [*firsts[1:], 1 if len(packets.times) == 1 else 0]
    return tuple(
        Segment(
            index=index,
            start=round(float(first / rate), 6),
            end=round(float(last / rate), 6) if last and index + 1 < len(firsts) else end,
            frames=last - first if last else 0,
            seek=0.0 if facts.spliced else _where_decoding_begins(first, packets, rate, neighbours=facts.interlaced),
            rate=str(rate),
        )
        for index, (first, last) in enumerate(zip(firsts, ends, strict=True))
    )


def in_whole_turns(count: int) -> int:
    """As many segments, or up to a tenth fewer where the last turn of all workers would be for those few alone."""
    few = count % AT_ONCE
    return count - few if count > AT_ONCE and few <= count // 10 else count


def _frame_near(seconds: float, reach: float, packets: Packets, rate: Fraction) -> int:
    """The number of the keyframe nearest to a moment, or of the moment's own frame when none is within reach."""
    at = bisect_right(packets.keys, seconds / packets.base)
    near = min(packets.keys[max(0, at - 1) : at + 1], key=lambda key: abs(key * packets.base - Fraction(seconds)), default=None)
    if near is None or abs(near * packets.base - Fraction(seconds)) > reach:
        return round(seconds * rate)
    return _number(near, packets, rate)


def _number(tick: int, packets: Packets, rate: Fraction) -> int:
    """Which frame of the result one that is shown at `tick` becomes: the nearest."""
    return int(tick * packets.base * rate + Fraction(1, 2))


def _where_decoding_begins(first: int, packets: Packets, rate: Fraction, *, neighbours: bool) -> float:
    """Seconds of the last keyframe from which frame `first` can be decoded, with those before it that shape it."""
    if not first:
        return 0.0
    at = bisect_right(packets.keys, (first + 1) / rate / packets.base)
    exact = next((key for key in packets.keys[max(0, at - 4) : at] if _number(key, packets, rate) == first), None)
    if exact is not None and not neighbours:
        return round(float(exact * packets.base), 6)
    # The frame shown at the cut may have begun earlier; taking interlaced lines apart looks at the frames beside.
    before = (first - 3) / rate / packets.base
    at = bisect_right(packets.keys, before)
    return round(float(packets.keys[at - 1] * packets.base), 6) if at else 0.0
