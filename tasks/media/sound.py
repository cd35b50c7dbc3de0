"""What a recording is shown and heard as: a picture of how loud it is, and its sound without the tags around it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.core.errors import InvalidMedia
from tasks.media import edits, mpeg_audio, poster, sandbox, transcoder
from tasks.media.edits import Hidden
from tasks.media.formats import by_name
from tasks.media.limits import Limits
from tasks.media.sandbox import MEGABYTE, Bounds

WIDTH, HEIGHT = 1280, 320
INK, PAPER = "0x2f6b52", "0xf6f4ee"
# The filter keeps every sample until it draws: two hours of these are 115 MB.
SAMPLES_A_SECOND = 8000
# Drawing and copying have five minutes together, the download included.
BOUNDS = Bounds(cpu_seconds=240, wall_seconds=120, memory_bytes=2048 * MEGABYTE, file_bytes=4096 * MEGABYTE)
CLEAN = {"c": "copy", "map_metadata": -1, "map_chapters": -1, "fflags": "+bitexact", "flags:a": "+bitexact"}
# Containers that the sound may be put into, tried in this order, and what a browser is told that they are.
CONTAINERS = {
    "mp3": (("mp3", "audio/mpeg"), ("adts", "audio/aac")),
    "m4a": (("ipod", "audio/mp4"), ("3gp", "audio/3gpp")),
    "aac": (("adts", "audio/aac"),),
    "wav": (("wav", "audio/wav"),),
    "flac": (("flac", "audio/flac"),),
    "ogg": (("ogg", "audio/ogg"),),
    "mka": (("webm", "audio/webm"), ("matroska", "audio/x-matroska")),
}
ANEW = {"c": "aac", "b:a": "192k"}
BARE = ("mp3", "adts")  # frames without a container, among which ffmpeg leaves whatever it finds
MORE: dict[str, dict[str, Any]] = {"ipod": {"movflags": "+faststart"}, "mp3": {"id3v2_version": 0}}


@dataclass(frozen=True)
class Plain:
    """A recording without its tags: the same sound, bit by bit, or encoded anew where an edit hides a part of it."""

    path: Path
    content_type: str


def waveform(source: Path, format: str, out: Path, limits: Limits, ffmpeg: str = "") -> None:
    """Write a JPEG of the loudness of the recording at `source`, whose format is a registry name. Raises InvalidMedia."""
    import ffmpeg as graphs

    program = transcoder.find_ffmpeg(ffmpeg)
    size = f"{WIDTH}x{HEIGHT}"
    heard = _heard(format, edits.hidden_in(source, by_name(format)), limits, t=limits.seconds)
    plain = heard.filter("aresample", SAMPLES_A_SECOND).filter("aformat", sample_fmts="s16", channel_layouts="mono")
    drawn = plain.filter("showwavespic", s=size, colors=INK, scale="sqrt", draw="full")
    paper = graphs.input(f"color={PAPER}:s={size}:r=1:d=1", f="lavfi")
    if not poster.one_frame(program, paper.overlay(drawn), {"input": source}, out, BOUNDS):
        raise InvalidMedia("its sound cannot be drawn: none of it could be decoded")


def without_tags(source: Path, format: str, out: Path, limits: Limits, ffmpeg: str = "") -> Plain:
    """Write the sound of the recording at `source` to `out`: no title, place, comment, chapter or cover goes along.

    Raises InvalidMedia when no container takes it as it is.
    """
    program, why = transcoder.find_ffmpeg(ffmpeg), InvalidMedia("no container is known for its sound")
    hidden = edits.hidden_in(source, by_name(format))
    if hidden.sound:
        return _what_is_heard(program, source, format, hidden, out, limits)
    for muxer, content_type in CONTAINERS.get(format, ()):
        sound = transcoder.source("input", limits.pixels, demuxers=by_name(format).demuxer)["a:0"]
        graph = sound.output("plain", f=muxer, **CLEAN, **MORE.get(muxer, {}))
        try:
            with sandbox.workspace() as folder:
                transcoder.run(program, graph, {"input": source}, folder, BOUNDS)
                if muxer in BARE:
                    _keep_frames(folder / "plain", out)
                else:
                    shutil.move(folder / "plain", out)
        except InvalidMedia as bad:
            why = bad
        else:
            return Plain(out, content_type)
    raise why


def _heard(format: str, hidden: Hidden, limits: Limits, **options: Any) -> Any:
    """The sound as a player gives it out, as the start of a graph."""
    clock = {"copyts": None} if hidden.early else {}
    sound = transcoder.source("input", limits.pixels, demuxers=by_name(format).demuxer, **clock, **options)["a:0"]
    return sound.filter("aresample", **{"async": 1, "first_pts": 0}) if hidden.early else sound


def _what_is_heard(program: str, source: Path, format: str, hidden: Hidden, out: Path, limits: Limits) -> Plain:
    """A copy would hold all of it: this is encoded anew."""
    muxer, content_type = CONTAINERS["m4a"][0]
    graph = _heard(format, hidden, limits).output("plain", f=muxer, **{**CLEAN, **MORE[muxer], **ANEW})
    with sandbox.workspace() as folder:
        transcoder.run(program, graph, {"input": source}, folder, BOUNDS)
        shutil.move(folder / "plain", out)
    return Plain(out, content_type)


def _keep_frames(plain: Path, out: Path) -> None:
    if not mpeg_audio.keep_frames(plain, out):
        raise InvalidMedia("its sound has no frames that could be told apart")


def is_sound(format: str) -> bool:
    """Whether a document of this registry name can be drawn."""
    row = by_name(format)
    return row.kind == "document" and bool(row.demuxer)
