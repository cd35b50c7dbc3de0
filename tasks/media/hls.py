"""Offers a long video in several sizes: a folder of fragmented MP4s, one a size and one for the sound, and their playlists."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tasks.core.errors import InvalidMedia
from tasks.media import sandbox, transcoder, video_facts
from tasks.media.limits import Limits
from tasks.media.transcoder import concatenated

PIECE_SECONDS = 6
MAIN = "main.m3u8"
# One file a size, of which the playlist names byte ranges: nine files for an hour of video instead of 2,400.
OPTIONS = {
    "f": "hls",
    "hls_time": PIECE_SECONDS,
    "hls_playlist_type": "vod",
    "hls_segment_type": "fmp4",
    "hls_flags": "single_file+independent_segments",
}
Fetch = Callable[[str], AbstractContextManager[list[Path]]]
AAC_LC = "mp4a.40.2"


@dataclass(frozen=True)
class _Size:
    name: str
    width: int
    height: int
    codec: str
    rate: float
    peak: int  # bits a second
    mean: int


def make_stream(program: str, video: Path, smaller: Sequence[str], fetch: Fetch, out: Path, limits: Limits) -> list[Path]:
    """Write `main.m3u8` and what it names into the folder `out`, which exists; returns every file.

    `video` is the finished MP4, the top size; `smaller` names the others, whose segments are fetched one size after the
    other. Raises InvalidMedia.
    """
    _pack(program, transcoder.source("input", limits.pixels)["v:0"], {"input": video}, "top", out)
    for name in smaller:
        with fetch(name) as segments, concatenated(segments, limits) as (picture, files):
            _pack(program, picture["v:0"], files, name, out)
    sound = video_facts.read(video).audio
    if sound:
        _pack(program, transcoder.source("input", limits.pixels)["a:0"], {"input": video}, "sound", out)
    sizes = [_size(out, name) for name in ("top", *smaller)]
    (out / MAIN).write_text(_main(sizes, _bits(out / "sound.m3u8") if sound else None))
    return sorted(out.iterdir())


def _pack(program: str, stream: object, files: dict[str, Path], name: str, out: Path) -> None:
    import ffmpeg

    names = {"hls_segment_filename": f"{name}.mp4", "c": "copy"}
    clean = {key: value for key, value in transcoder.CLEAN.items() if key != "movflags"}
    graph = ffmpeg.output(stream, f"{name}.m3u8", **OPTIONS, **names, **clean)
    with sandbox.workspace() as folder:
        transcoder.run(program, graph, files, folder)
        for made in (f"{name}.m3u8", f"{name}.mp4"):
            if not (folder / made).exists():
                raise InvalidMedia("the video cannot be offered in several sizes: a size of it is empty")
            shutil.move(folder / made, out / made)


def _size(out: Path, name: str) -> _Size:
    facts = video_facts.read(out / f"{name}.mp4")
    peak, mean = _bits(out / f"{name}.m3u8")
    return _Size(name, facts.width, facts.height, _codec(out / f"{name}.mp4"), float(facts.frame_rate), peak, mean)


def _codec(path: Path) -> str:
    """H.264's profile, constraints and level, as RFC 6381 names them."""
    with path.open("rb") as file:
        head = file.read(4096)
    at = head.index(b"avcC") + 5
    return f"avc1.{head[at : at + 3].hex()}"


def _bits(playlist: Path) -> tuple[int, int]:
    """The most and the mean bits a second of a playlist's pieces."""
    text = playlist.read_text()
    seconds = [float(found) for found in re.findall(r"#EXTINF:([\d.]+)", text)]
    sizes = [int(found) * 8 for found in re.findall(r"#EXT-X-BYTERANGE:(\d+)", text)]
    whole = [size / second for size, second in zip(sizes, seconds, strict=True) if second >= PIECE_SECONDS / 2]
    mean = sum(sizes) / max(0.001, sum(seconds))
    return int(max(whole, default=mean)), int(mean)


def _main(sizes: list[_Size], sound: tuple[int, int] | None) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if sound:
        lines.append('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="sound",DEFAULT=YES,AUTOSELECT=YES,URI="sound.m3u8"')
    for size in sizes:
        codecs = f"{size.codec},{AAC_LC}" if sound else size.codec
        more, mean = sound or (0, 0)
        facts = (
            f"BANDWIDTH={size.peak + more},AVERAGE-BANDWIDTH={size.mean + mean},RESOLUTION={size.width}x{size.height},"
            f'FRAME-RATE={size.rate:.3f},CODECS="{codecs}"'
        )
        lines += [f"#EXT-X-STREAM-INF:{facts}" + (',AUDIO="sound"' if sound else ""), f"{size.name}.m3u8"]
    return "\n".join(lines) + "\n"
