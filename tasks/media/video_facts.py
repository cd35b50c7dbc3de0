"""Reads what a video says of itself with libmediainfo, in the sandbox: streams, size as shown, rate, colours, time, camera."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from tasks.core.errors import InvalidMedia
from tasks.media import metadata, sandbox
from tasks.media.sandbox import Bounds

BOUNDS = Bounds(cpu_seconds=60, wall_seconds=120)
# What may be decoded, by libmediainfo's name: ours, and the decoders of ffmpeg that we allow for it.
VIDEO_CODECS = {
    "AVC": ("h264", ("h264",)),
    "HEVC": ("hevc", ("hevc",)),
    "AV1": ("av1", ("libdav1d", "av1")),
    "VP9": ("vp9", ("vp9",)),
    "VP8": ("vp8", ("vp8",)),
    "MPEG-4 Visual": ("mpeg4", ("mpeg4",)),
    "H.263": ("h263", ("h263",)),
    "ProRes": ("prores", ("prores",)),
    "JPEG": ("mjpeg", ("mjpeg",)),
}
AUDIO_DECODERS = (
    *("aac", "mp3float", "mp3", "ac3", "eac3", "alac", "flac", "opus", "libopus", "vorbis", "amrnb", "amrwb"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_u8", "pcm_mulaw", "pcm_alaw"),
)
# Rates that exist; one that varies is brought to the next that drops no frame.
RATES = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60"))
FASTEST = 60
EPOCHS = ("1904-01-01", "1970-01-01")  # what a camera without a clock writes


@dataclass(frozen=True)
class VideoFacts:
    """Lengths in pixels as shown (upright, square pixels), durations in seconds, rates in bits a second."""

    codec: str = ""  # "" when there is no picture
    width: int = 0
    height: int = 0
    rotation: int = 0  # degrees; the stream itself lies on its side
    duration: float = 0.0
    rate: str = "30"  # frames a second that a conversion is made at, as a fraction
    bit_rate: int = 0
    bits: int = 8
    chroma: str = "4:2:0"
    transfer: str = ""  # "PQ" or "HLG" when the brightness needs mapping
    interlaced: bool = False
    square: bool = True  # pixels are as wide as high
    audio: str = ""
    audio_channels: int = 0
    taken_at: str = ""
    camera: str = ""

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(self.rate)


def read(path: Path) -> VideoFacts:
    """The facts of the video at `path`; `codec` is "" when it holds sound alone. Raises InvalidMedia."""
    import pymediainfo  # noqa: F401  (warm for the child)

    with sandbox.workspace() as folder:
        (folder / "input").symlink_to(path.resolve())
        tracks = sandbox.run(_tracks, directory=folder, bounds=BOUNDS)
    return facts_of(tracks)


def _tracks() -> list[dict[str, Any]]:
    """In the child: what libmediainfo finds in the file called `input`; never in files that it names or that lie beside it."""
    from pymediainfo import MediaInfo

    options = {"File_TestContinuousFileNames": "0", "File_TestDirectory": "0", "File_FollowReferences": "0"}
    tracks = MediaInfo.parse("input", mediainfo_options=options).tracks
    return [{key: value for key, value in track.to_data().items() if not key.startswith("other_")} for track in tracks[:32]]


def facts_of(tracks: list[dict[str, Any]]) -> VideoFacts:
    """What Greenroom needs to know of libmediainfo's tracks. Raises InvalidMedia."""
    kinds = {kind: [track for track in tracks if track.get("track_type") == kind] for kind in ("General", "Video", "Audio")}
    general = (kinds["General"] or [{}])[0]
    if general.get("istruncated") == "Yes":
        raise InvalidMedia("the video is cut off: its end is missing; copy it from the camera again")
    audio = (kinds["Audio"] or [{}])[0]
    if not kinds["Video"]:
        if not audio:
            raise InvalidMedia("it is laid out like a video, but holds neither picture nor sound")
        return VideoFacts(audio=_audio_name(audio))
    return _with_picture(general, kinds["Video"][0], audio)


def _with_picture(general: dict[str, Any], video: dict[str, Any], audio: dict[str, Any]) -> VideoFacts:
    spoken = str(video.get("format", "an unknown codec"))
    if spoken not in VIDEO_CODECS:
        raise InvalidMedia(
            f"its picture is coded as {metadata.words(spoken)}, which cannot be converted; export it as H.264 or HEVC"
        )
    width, height = _shown_size(video)
    duration = _number(video.get("duration") or general.get("duration")) / 1000
    if width < 1 or height < 1 or duration <= 0:
        raise InvalidMedia("its video track is empty")
    return VideoFacts(
        codec=VIDEO_CODECS[spoken][0],
        width=width,
        height=height,
        rotation=int(_number(video.get("rotation"))) % 360,
        duration=round(duration, 3),
        rate=str(_rate(video)),
        bit_rate=int(_number(video.get("bit_rate") or general.get("overall_bit_rate"))),
        bits=int(_number(video.get("bit_depth")) or 8),
        chroma=str(video.get("chroma_subsampling", "4:2:0")),
        transfer=_transfer(video),
        interlaced=video.get("scan_type", "Progressive") not in ("Progressive",),
        square=abs(_number(video.get("pixel_aspect_ratio"), 1.0) - 1) < 0.001,
        audio=_audio_name(audio) if audio else "",
        audio_channels=int(_number(audio.get("channel_s"))),
        taken_at=_taken_at(general, video),
        camera=_camera(general),
    )


def _number(value: Any, default: float = 0.0) -> float:
    try:
        return float(str(value).split("/")[0])
    except ValueError:
        return default


def _shown_size(video: dict[str, Any]) -> tuple[int, int]:
    """Square pixels, upright."""
    width = round(_number(video.get("width")) * (_number(video.get("pixel_aspect_ratio"), 1.0) or 1.0))
    height = int(_number(video.get("height")))
    return (height, width) if int(_number(video.get("rotation"))) % 180 == 90 else (width, height)


def _rate(video: dict[str, Any]) -> Fraction:
    """Frames a second: the stream's own where it is constant, else the next of those that exist, at most 60."""
    top, bottom = int(_number(video.get("framerate_num"))), int(_number(video.get("framerate_den")))
    stated = Fraction(top, bottom) if top and bottom else Fraction(_number(video.get("frame_rate"), 30.0)).limit_denominator(1001)
    if not 1 <= stated <= 1000:
        return Fraction(30)
    if video.get("frame_rate_mode") == "CFR" and stated <= FASTEST:
        return stated
    return next((rate for rate in RATES if rate >= stated * Fraction(99, 100)), RATES[-1])


def _transfer(video: dict[str, Any]) -> str:
    name = str(video.get("transfer_characteristics", ""))
    return next((known for known in ("PQ", "HLG") if known in name), "")


def _audio_name(audio: dict[str, Any]) -> str:
    return metadata.words(audio.get("format")).lower().replace(" ", "-") or "unknown"


def _taken_at(general: dict[str, Any], video: dict[str, Any]) -> str:
    """QuickTime's own time has the camera's offset; the container's is UTC."""
    stated = metadata.words(general.get("comapplequicktimecreationdate"))
    stamp = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", stated)
    try:
        return datetime.fromisoformat(stamp).isoformat()
    except ValueError:
        return _container_time(metadata.words(general.get("encoded_date") or video.get("encoded_date")))


def _container_time(stamp: str) -> str:
    found = re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", stamp)
    if not found or found[0].startswith(EPOCHS):
        return ""
    try:
        return datetime.fromisoformat(found[0]).replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return ""


def _camera(general: dict[str, Any]) -> str:
    pairs = (
        ("comapplequicktimemake", "comapplequicktimemodel"),
        ("comandroidmanufacturer", "comandroidmodel"),
        ("performer_make", "performer_model"),
    )
    found = (metadata.camera(general.get(make), general.get(model)) for make, model in pairs)
    return next((name for name in found if name), "")
