"""Draws sound as a picture: what stands for a recording in the gallery."""

from __future__ import annotations

from pathlib import Path

from tasks.core.errors import InvalidMedia
from tasks.media import poster, transcoder
from tasks.media.formats import by_name
from tasks.media.limits import Limits

WIDTH, HEIGHT = 1280, 320
INK, PAPER = "0x2f6b52", "0xf6f4ee"
# The filter keeps every sample until it draws: two hours of these are 115 MB.
SAMPLES_A_SECOND = 8000


def waveform(source: Path, format: str, out: Path, limits: Limits, ffmpeg: str = "") -> None:
    """Write a JPEG of the loudness of the recording at `source`, whose format is a registry name. Raises InvalidMedia."""
    import ffmpeg as graphs

    program = transcoder.find_ffmpeg(ffmpeg)
    size = f"{WIDTH}x{HEIGHT}"
    sound = transcoder.source("input", limits.pixels, demuxers=by_name(format).demuxer, t=limits.seconds)["a:0"]
    plain = sound.filter("aresample", SAMPLES_A_SECOND).filter("aformat", sample_fmts="s16", channel_layouts="mono")
    drawn = plain.filter("showwavespic", s=size, colors=INK, scale="sqrt", draw="full")
    paper = graphs.input(f"color={PAPER}:s={size}:r=1:d=1", f="lavfi")
    if not poster.one_frame(program, paper.overlay(drawn), {"input": source}, out):
        raise InvalidMedia("its sound cannot be drawn: none of it could be decoded")


def is_sound(format: str) -> bool:
    """Whether a document of this registry name can be drawn."""
    row = by_name(format)
    return row.kind == "document" and bool(row.demuxer)
