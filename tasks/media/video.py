"""Turns a video into one MP4 that every browser plays: a remux where its streams fit, else segments that are joined unseen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from tasks.core.errors import InvalidMedia
from tasks.core.models.media import Segment, VideoFacts, VideoPlan
from tasks.media import hls, poster, sandbox, transcoder, video_facts
from tasks.media.limits import Limits
from tasks.media.video_plan import CLOCKED, TOP, Rung, clock, from_zero, plan_video, rungs, scan, shown_size, with_sound

# The knee: a quarter of `medium`'s cost at the smallest size. A keyframe every 60 frames lets a player seek.
H264 = {"vcodec": "libx264", "preset": "veryfast", "crf": 23, "g": 60, "pix_fmt": "yuv420p", "a53cc": 0, **transcoder.NAMELESS}
AAC = {"acodec": "aac", "audio_bitrate": "128k", "ac": 2, "ar": 48000, "flags:a": "+bitexact"}
QUICK = 30  # frames a second above which a stream may have half as many bits again
# HDR as phones film it (BT.2020), said outright: streams don't always tag themselves fully.
TONE_MAP = (
    "zscale=tin={transfer}:pin=bt2020:min=bt2020nc:t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
    "tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv"
)
TRANSFERS = {"PQ": "smpte2084", "HLG": "arib-std-b67"}
SOUND = "sound.m4a"
JUST_AFTER = 0.001  # seconds: seeking to a keyframe finds it, whatever its time is rounded to
SHARE = 0.9  # of the most bytes that an upload may have: the largest size of a video; sound and container come on top
# Transport streams have no index: seeking there is by guess, so that it begins well before.
GUESSED = {"mpegts": 2.0}


@dataclass(frozen=True)
class Joined:
    """The finished files, and the facts of the video as it is shown. `stream` is a long one's folder of sizes and playlists."""

    video: Path
    poster: Path
    preview: Path
    facts: VideoFacts
    stream: tuple[Path, ...] = ()


class Material(Protocol):
    """What a video is joined of. Each is asked for once, and may be gone after its block: a worker's disk is small."""

    def source(self) -> AbstractContextManager[Path]:
        """The upload; only a remux asks for it."""
        ...

    def segments(self, size: str) -> AbstractContextManager[list[Path]]:
        """The picture's segments in one size, in order."""
        ...

    def sound(self) -> AbstractContextManager[Path | None]:
        """The sound of the whole, None where the plan has none."""
        ...


@dataclass(frozen=True)
class AtHand:
    """Material that lies on this disk, and stays: the upload, and for each of the plan's segments transcode_segment's folder."""

    upload: Path
    plan: VideoPlan
    folders: tuple[Path, ...]

    @contextmanager
    def source(self) -> Iterator[Path]:
        yield self.upload

    @contextmanager
    def segments(self, size: str) -> Iterator[list[Path]]:
        yield [self.folders[each.index] / f"{size}.mp4" for each in self.plan.pictures]

    @contextmanager
    def sound(self) -> Iterator[Path | None]:
        yield next((self.folders[each.index] / SOUND for each in self.plan.segments if each.sound), None)


def transcode_segment(
    source: Path, segment: Segment, facts: VideoFacts, out: Path, limits: Limits, ffmpeg: str = ""
) -> tuple[Path, ...]:
    """Write one segment into the folder `out`: its picture as H.264 (`top.mp4`, and a long video's smaller sizes), or the sound
    of the whole as AAC (`sound.m4a`). Raises InvalidMedia.

    Frames are those of one constant-rate run over the whole video: numbered from its beginning, each belongs to exactly
    one segment, so that none is doubled or lost where they meet. Sound has no such seams, so that it stays in one piece.
    """
    program = transcoder.find_ffmpeg(ffmpeg)
    if segment.sound:
        return (_sound(source, segment, facts, out, limits, program),)
    return _pictures(source, segment, facts, out, limits, program)


def _sound(source: Path, segment: Segment, facts: VideoFacts, out: Path, limits: Limits, program: str) -> Path:
    """Sound that begins with the picture, whenever the upload's does, and ends no later."""
    by_its_clock = {"copyts": None} if facts.demuxer in CLOCKED or facts.early else {}
    whole = transcoder.source("input", limits.pixels, demuxers=facts.demuxer, **by_its_clock)
    heard = whole[f"a:{facts.audio_track}"]
    if facts.demuxer in CLOCKED:
        heard = heard.filter("asetpts", f"PTS-{segment.seek:.6f}/TB")
    heard = heard.filter("aresample", **{"async": 1, "first_pts": 0})
    # MP4 says which samples the encoder put before the first: players leave them out, and a copy says so too.
    graph = _output([heard], SOUND, f="mp4", t=segment.end, **AAC, **transcoder.CLEAN)
    with sandbox.workspace() as folder:
        transcoder.run(program, graph, {"input": source}, folder)
        shutil.move(folder / SOUND, out / SOUND)
    return out / SOUND


def _pictures(source: Path, segment: Segment, facts: VideoFacts, out: Path, limits: Limits, program: str) -> tuple[Path, ...]:
    """The segment's picture in every size, from one decoding."""
    import ffmpeg as graphs

    rate = Fraction(segment.rate) if segment.rate else facts.frame_rate
    wanted = rungs(facts)
    copies = _frames(segment, facts, rate, limits, program).filter_multi_output("split", len(wanted))
    outputs = [_encoded(copies[number], rung, facts, rate, limits) for number, rung in enumerate(wanted)]
    with sandbox.workspace() as folder:
        transcoder.run(program, graphs.merge_outputs(*outputs), {"input": source}, folder)
        for rung in wanted:
            poster.must_have_picture(folder / f"{rung.name}.mp4")
            shutil.move(folder / f"{rung.name}.mp4", out / f"{rung.name}.mp4")
    return tuple(out / f"{rung.name}.mp4" for rung in wanted)


def _frames(segment: Segment, facts: VideoFacts, rate: Fraction, limits: Limits, program: str) -> Any:
    """The segment's own frames, as they are shown at most 1080p high."""
    first = round(Fraction(segment.start) * rate)
    begin = max(0.0, segment.seek + JUST_AFTER - GUESSED.get(facts.demuxer, 0.0))
    # Times stay the video's own: what is decoded before the cut is known as such, and left out.
    seek: dict[str, Any] = {"ss": f"{begin:.6f}", "noaccurate_seek": None} if segment.seek else {}
    whole = transcoder.source("input", limits.pixels, demuxers=facts.demuxer, **seek, copyts=None, **from_zero(facts))
    picture = whole["V:0"]
    if facts.interlaced:
        picture = picture.filter("bwdif", mode="send_frame")
    # A single frame may be shown for no time at all, and would be left out.
    at_the_end = "pass" if segment.frames == 1 else "round"
    start = f"{float(first / rate):.9f}"
    picture = picture.filter("fps", fps=str(rate), start_time=start, round="near", eof_action=at_the_end)
    if segment.frames:
        picture = picture.filter("trim", end_frame=segment.frames)
    return _shown(picture.filter("setpts", f"N/({rate})/TB"), facts, program)


def _shown(picture: Any, facts: VideoFacts, program: str) -> Any:
    """At most 1080p, even sides, square pixels, standard brightness. Fewer pixels first, then their colours."""
    width, height = shown_size(facts.width, facts.height)
    picture = picture.filter("scale", width, height, out_range="tv").filter("setsar", "1")
    if facts.transfer and transcoder.has_filter(program, "zscale"):
        for step in TONE_MAP.format(transfer=TRANSFERS[facts.transfer]).split(","):
            name, _, arguments = step.partition("=")
            picture = picture.filter(name, **_named(name, arguments))
    return picture.filter("format", "yuv420p")


def _named(name: str, arguments: str) -> dict[str, str]:
    if "=" not in arguments:
        return {"pix_fmts": arguments} if name == "format" else {}
    return dict(pair.split("=", 1) for pair in arguments.split(":"))


def _encoded(picture: Any, rung: Rung, facts: VideoFacts, rate: Fraction, limits: Limits) -> Any:
    if rung is not TOP:
        picture = picture.filter("scale", *shown_size(facts.width, facts.height, rung.short))
    bits = most_bits(rung, facts, rate, limits)
    limit = {"maxrate": bits, "bufsize": 2 * bits}
    options = {**H264, **limit, **transcoder.CLEAN, "an": None, "video_track_timescale": _timescale(rate), "r": str(rate)}
    return picture.output(f"{rung.name}.mp4", **options, **{"bsf:v": transcoder.NO_NOTES})


def most_bits(rung: Rung, facts: VideoFacts, rate: Fraction, limits: Limits) -> int:
    """A second. A long video has fewer, so that nothing made of an upload is larger than an upload may be."""
    most = TOP.bits * 3 // 2 if rate > QUICK else TOP.bits
    room = int(limits.video_bytes * 8 * SHARE / max(1.0, facts.duration))
    return min(most, room) * rung.bits // TOP.bits


def completed(source: Path, plan: VideoPlan, facts: VideoFacts, limits: Limits, ffmpeg: str = "") -> VideoPlan:
    """A plan from before decision 0010 with what it did not say: the smaller sizes, and the sound as a segment of its own.

    Raises InvalidMedia.
    """
    smaller = tuple(rung.name for rung in rungs(facts) if rung is not TOP)
    if plan.remux or not facts.audio:
        return replace(plan, smaller=smaller)
    packets = scan(source, facts, limits, ffmpeg) if facts.demuxer in CLOCKED else None
    begins = clock(source, facts, packets, limits, ffmpeg) if packets else 0.0
    return replace(plan, segments=with_sound(plan.segments, begins), smaller=smaller)


def _timescale(rate: Fraction) -> int:
    """Ticks a second in which every frame begins on a whole tick."""
    return rate.numerator * max(1, 10_000 // rate.numerator)


def make_video(source: Path, out: Path, limits: Limits, segment_seconds: int, ffmpeg: str = "") -> Joined:
    """All of it in one process: plan, segments and join, into the existing folder `out`. Raises InvalidMedia."""
    facts = video_facts.read(source)
    plan = plan_video(source, facts, segment_seconds, limits, ffmpeg)
    with sandbox.workspace() as folder:
        for segment in plan.segments:
            (part := folder / f"{segment.index:04d}").mkdir()
            transcode_segment(source, segment, facts, part, limits, ffmpeg)
        folders = tuple(folder / f"{segment.index:04d}" for segment in plan.segments)
        return join_video(AtHand(source, plan, folders), plan, out, limits, ffmpeg, facts)


def join_video(
    material: Material, plan: VideoPlan, out: Path, limits: Limits, ffmpeg: str = "", facts: VideoFacts | None = None
) -> Joined:
    """Write `video.mp4`, `poster.jpg` and `preview.mp4` into the folder `out`, and a long video's `stream/`. Raises InvalidMedia.

    `facts` are the upload's, of which a remux needs some: whoever knows them spares a look at it.
    """
    program = transcoder.find_ffmpeg(ffmpeg)
    joined, still, preview = out / "video.mp4", out / "poster.jpg", out / "preview.mp4"
    assemble(material, plan, joined, limits, ffmpeg, facts)
    final = video_facts.read(joined)
    if not final.codec:
        raise InvalidMedia("the video cannot be converted: no frame of it could be decoded")
    poster.make_poster(program, joined, final, still, limits)
    poster.make_preview(program, joined, final, preview, limits)
    stream: list[Path] = []
    if plan.smaller:
        (out / "stream").mkdir()
        stream = hls.make_stream(program, joined, plan.smaller, material.segments, out / "stream", limits)
    return Joined(joined, still, preview, final, tuple(stream))


def assemble(
    material: Material, plan: VideoPlan, out: Path, limits: Limits, ffmpeg: str = "", facts: VideoFacts | None = None
) -> None:
    """Write the MP4 itself to `out`: the upload remuxed, or its pictures and its sound as they were encoded.

    Raises InvalidMedia.
    """
    program = transcoder.find_ffmpeg(ffmpeg)
    with sandbox.workspace() as folder:
        if plan.remux:
            with material.source() as source:
                _remux(program, source, facts or video_facts.read(source), folder, limits)
        else:
            with material.segments(TOP.name) as pictures, material.sound() as sound:
                _concatenate(program, pictures, sound, Fraction(plan.segments[-1].rate), folder, limits)
        shutil.move(folder / "output.mp4", out)


def _remux(program: str, source: Path, facts: VideoFacts, folder: Path, limits: Limits) -> None:
    """The picture as it is; sound too where browsers play it and are to hear all of it."""
    whole = transcoder.source("input", limits.pixels, demuxers=facts.demuxer)
    as_it_is = facts.audio == "aac" and facts.audio_channels <= 2 and not facts.audio_hidden
    audio = {"acodec": "copy"} if as_it_is else AAC
    streams = [whole["V:0"], whole[f"a:{facts.audio_track}"]] if facts.audio else [whole["V:0"]]
    options = {"vcodec": "copy", "bsf:v": transcoder.NO_NOTES, **(audio if facts.audio else {}), **transcoder.CLEAN}
    transcoder.run(program, _output(streams, "output.mp4", **options), {"input": source}, folder)


def _concatenate(program: str, pictures: list[Path], sound: Path | None, rate: Fraction, folder: Path, limits: Limits) -> None:
    """The segments' pictures one after the other, and the sound beside them; nothing is encoded."""
    with transcoder.concatenated(pictures, limits) as (picture, files):
        streams = [picture["v:0"]]
        if sound:
            # A track without a sound in it becomes a file without a track.
            streams.append(transcoder.source("sound", limits.pixels)["a:0?"])
            files = {**files, "sound": sound}
        graph = _output(streams, "output.mp4", c="copy", video_track_timescale=_timescale(rate), **transcoder.CLEAN)
        transcoder.run(program, graph, files, folder)


def _output(streams: list[Any], filename: str, **options: Any) -> Any:
    import ffmpeg

    return ffmpeg.output(*streams, filename, **options)
