"""Turns a video into one MP4 that every browser plays: a remux where its streams fit, else segments that are joined unseen."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from tasks.core.errors import InvalidMedia
from tasks.core.models import Segment, VideoPlan
from tasks.media import sandbox, transcoder, video_facts
from tasks.media.limits import Limits
from tasks.media.video_facts import VideoFacts

LONG_SIDE = 1920
SHORT_SIDE = 1080
# Streams up to this rate are taken as they are; more than that stalls on a phone's connection.
REMUX_BITS = 12_000_000
# The knee: a quarter of `medium`'s cost at the smallest size. A keyframe every 60 frames lets a player seek.
H264 = {"vcodec": "libx264", "preset": "veryfast", "crf": 23, "g": 60, "pix_fmt": "yuv420p"}
AAC = {"acodec": "aac", "audio_bitrate": "128k", "ac": 2, "ar": 48000}
PREVIEW_SECONDS = 5.0
PREVIEW_WIDTH = 480
POSTER_AT = (0.2, 0.5, 0.8, 0.0)  # of the duration, until a frame that is not black is found
POSTER_WINDOW = 3.0
BLACK = {"amount": 0, "threshold": 40}
# HDR as phones film it (BT.2020), said outright: streams don't always tag themselves fully.
TONE_MAP = (
    "zscale=tin={transfer}:pin=bt2020:min=bt2020nc:t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
    "tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv"
)
TRANSFERS = {"PQ": "smpte2084", "HLG": "arib-std-b67"}


@dataclass(frozen=True)
class Joined:
    """The finished files, and the facts of the video as it is shown."""

    video: Path
    poster: Path
    preview: Path
    facts: VideoFacts


def fits(facts: VideoFacts) -> bool:
    """Whether browsers play the picture as it is. A rotation is kept in the container, which they all honour."""
    return (
        facts.codec == "h264"
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


def plan_video(facts: VideoFacts, segment_seconds: int) -> VideoPlan:
    """A remux where the streams fit, else equal segments of about `segment_seconds`, cut on whole frames."""
    if fits(facts):
        return VideoPlan(remux=True)
    rate = facts.frame_rate
    frames = max(1, round(Fraction(facts.duration) * rate))
    count = max(1, round(facts.duration / max(1, segment_seconds)))
    each = math.ceil(frames / count)
    starts = [float(first / rate) for first in range(0, frames, each)]
    ends = [*starts[1:], facts.duration]
    return VideoPlan(
        remux=False,
        segments=tuple(
            Segment(index, round(start, 6), round(end, 6)) for index, (start, end) in enumerate(zip(starts, ends, strict=True))
        ),
    )


def transcode_segment(source: Path, segment: Segment, facts: VideoFacts, out: Path, limits: Limits, ffmpeg: str = "") -> None:
    """Write one segment's picture, without sound, as H.264 to `out`. Raises InvalidMedia.

    Frames are those of one constant-rate run over the whole video: numbered from its beginning, each belongs to exactly
    one segment, so that none is doubled or lost where they meet.
    """
    program = transcoder.find_ffmpeg(ffmpeg)
    rate = facts.frame_rate
    first = round(Fraction(segment.start) * rate)
    # Decoding starts at the keyframe before: the frame shown at the cut may have begun earlier. Times stay the video's own.
    seek: dict[str, Any] = {"ss": f"{max(0.0, float((first - 2) / rate)):.6f}", "noaccurate_seek": None} if first else {}
    picture = transcoder.source("input", limits.pixels, **seek, copyts=None, start_at_zero=None).video
    picture = picture.filter("fps", fps=str(rate), start_time=f"{float(first / rate):.9f}", round="near")
    if segment.end < facts.duration - float(Fraction(1, 2) / rate):  # the last one ends where the video does
        picture = picture.filter("trim", end_frame=round(Fraction(segment.end) * rate) - first)
    picture = _shown(picture.filter("setpts", f"N/({rate})/TB"), facts, program)
    options = {**H264, **transcoder.CLEAN, "an": None, "video_track_timescale": _timescale(rate), "r": str(rate)}
    with sandbox.workspace() as folder:
        transcoder.run(program, picture.output("output.mp4", **options), {"input": source}, folder)
        _must_have_picture(folder / "output.mp4")
        shutil.move(folder / "output.mp4", out)


def _timescale(rate: Fraction) -> int:
    """Ticks a second in which every frame begins on a whole tick."""
    return rate.numerator * max(1, 10_000 // rate.numerator)


def _shown(picture: Any, facts: VideoFacts, program: str) -> Any:
    """Progressive, at most 1080p, even sides, square pixels, standard brightness. Fewer pixels first, then their colours."""
    if facts.interlaced:
        picture = picture.filter("bwdif", mode="send_frame")
    width, height = shown_size(facts.width, facts.height)
    picture = picture.filter("scale", width, height).filter("setsar", "1")
    if facts.transfer and transcoder.has_filter(program, "zscale"):
        for step in TONE_MAP.format(transfer=TRANSFERS[facts.transfer]).split(","):
            name, _, arguments = step.partition("=")
            picture = picture.filter(name, **_named(name, arguments))
    return picture.filter("format", "yuv420p")


def _named(name: str, arguments: str) -> dict[str, str]:
    if "=" not in arguments:
        return {"pix_fmts": arguments} if name == "format" else {}
    return dict(pair.split("=", 1) for pair in arguments.split(":"))


def shown_size(width: int, height: int) -> tuple[int, int]:
    """At most 1920 by 1080, or 1080 by 1920 upright; even, as 4:2:0 wants it; never larger than the source."""
    ratio = min(1.0, LONG_SIDE / max(width, height), SHORT_SIDE / min(width, height))
    return max(2, int(width * ratio / 2 + 0.25) * 2), max(2, int(height * ratio / 2 + 0.25) * 2)


def preview_size(width: int, height: int) -> tuple[int, int]:
    """480 wide, or as wide as the video where that is less; even."""
    narrow = max(2, min(PREVIEW_WIDTH, width) // 2 * 2)
    return narrow, max(2, round(height * narrow / width / 2) * 2)


def _must_have_picture(path: Path) -> None:
    if not path.exists() or not video_facts.read(path).codec:
        raise InvalidMedia("the video cannot be converted: no frame of it could be decoded")


def make_video(source: Path, out: Path, limits: Limits, segment_seconds: int, ffmpeg: str = "") -> Joined:
    """All of it in one process: plan, segments and join, into the existing folder `out`. Raises InvalidMedia."""
    facts = video_facts.read(source)
    plan = plan_video(facts, segment_seconds)
    segments = []
    with sandbox.workspace() as folder:
        for segment in plan.segments:
            segments.append(folder / f"{segment.index:04d}.mp4")
            transcode_segment(source, segment, facts, segments[-1], limits, ffmpeg)
        return join_video(source, plan, segments, facts, out, limits, ffmpeg)


def join_video(
    source: Path, plan: VideoPlan, segments: list[Path], facts: VideoFacts, out: Path, limits: Limits, ffmpeg: str = ""
) -> Joined:
    """Write `video.mp4`, `poster.jpg` and `preview.mp4` into `out`, which exists. Segments in order. Raises InvalidMedia."""
    program = transcoder.find_ffmpeg(ffmpeg)
    joined = Joined(out / "video.mp4", out / "poster.jpg", out / "preview.mp4", facts)
    with sandbox.workspace() as folder:
        if plan.remux:
            _remux(program, source, facts, folder, limits)
        else:
            _concatenate(program, source, segments, facts, folder, limits)
        shutil.move(folder / "output.mp4", joined.video)
    final = video_facts.read(joined.video)
    if not final.codec:
        raise InvalidMedia("the video cannot be converted: no frame of it could be decoded")
    _poster(program, joined.video, final, joined.poster, limits)
    _preview(program, joined.video, final, joined.preview, limits)
    return Joined(joined.video, joined.poster, joined.preview, final)


def _remux(program: str, source: Path, facts: VideoFacts, folder: Path, limits: Limits) -> None:
    """The picture as it is; sound too where browsers play it."""
    whole = transcoder.source("input", limits.pixels)
    audio = {"acodec": "copy"} if facts.audio == "aac" and facts.audio_channels <= 2 else AAC
    streams = [whole["v:0"], whole["a:0"]] if facts.audio else [whole["v:0"]]
    graph = _output(streams, "output.mp4", vcodec="copy", **(audio if facts.audio else {}), **transcoder.CLEAN)
    transcoder.run(program, graph, {"input": source}, folder)


def _concatenate(program: str, source: Path, segments: list[Path], facts: VideoFacts, folder: Path, limits: Limits) -> None:
    """The segments' pictures as they are, and the sound of the whole encoded once, so that nothing clicks at a seam."""
    names = [f"segment{index}.mp4" for index in range(len(segments))]
    (folder / "list.txt").write_text("ffconcat version 1.0\n" + "".join(f"file {name}\n" for name in names))
    picture = transcoder.source("list.txt", limits.pixels, demuxers="concat,mov", format="concat", safe=1)
    files = dict(zip(names, segments, strict=True))
    streams, audio = [picture["v:0"]], {}
    if facts.audio:
        sound = transcoder.source("input", limits.pixels).audio.filter("aresample", **{"async": 1, "first_pts": 0})
        streams.append(sound)
        audio = {**AAC, "t": facts.duration}
        files["input"] = source
    scale = _timescale(facts.frame_rate)
    graph = _output(streams, "output.mp4", vcodec="copy", video_track_timescale=scale, **audio, **transcoder.CLEAN)
    transcoder.run(program, graph, files, folder)


def _output(streams: list[Any], filename: str, **options: Any) -> Any:
    import ffmpeg

    return ffmpeg.output(*streams, filename, **options)


def _poster(program: str, video: Path, facts: VideoFacts, out: Path, limits: Limits) -> None:
    """A JPEG of the frame most like its neighbours, somewhere that is not black; the first frame when all is black."""
    for part in POSTER_AT:
        picture = transcoder.source("input", limits.pixels, ss=f"{facts.duration * part:.3f}", t=POSTER_WINDOW).video
        picture = picture.filter("blackframe", **BLACK)
        picture = picture.filter("metadata", "select", key="lavfi.blackframe.pblack", value=90, function="less")
        if _one_frame(program, picture.filter("thumbnail", n=50), video, out):
            return
    if not _one_frame(program, transcoder.source("input", limits.pixels).video, video, out):
        raise InvalidMedia("the video cannot be shown: no frame of it could be decoded")


def _one_frame(program: str, picture: Any, video: Path, out: Path) -> bool:
    """Write the first frame that comes; False when none does."""
    picture = picture.filter("scale", out_range="pc").filter("format", "yuvj420p")
    options = {"frames:v": 1, "q:v": 3, "f": "image2", "update": 1, "map_metadata": -1, "fflags": "+bitexact", "an": None}
    with sandbox.workspace() as folder:
        transcoder.run(program, picture.output("poster.jpg", **options), {"input": video}, folder)
        made = folder / "poster.jpg"
        if not made.exists() or not made.stat().st_size:
            return False
        shutil.move(made, out)
    return True


def _preview(program: str, video: Path, facts: VideoFacts, out: Path, limits: Limits) -> None:
    """A few seconds without sound, small enough to move under a pointer."""
    start = min(facts.duration * 0.1, max(0.0, facts.duration - PREVIEW_SECONDS))
    picture = transcoder.source("input", limits.pixels, ss=f"{start:.3f}", t=PREVIEW_SECONDS).video
    picture = picture.filter("scale", *preview_size(facts.width, facts.height)).filter("setsar", "1")
    options = {**H264, "crf": 28, "r": str(min(facts.frame_rate, 30)), "an": None, **transcoder.CLEAN}
    with sandbox.workspace() as folder:
        transcoder.run(program, picture.output("preview.mp4", **options), {"input": video}, folder)
        _must_have_picture(folder / "preview.mp4")
        shutil.move(folder / "preview.mp4", out)
