"""Reads what a video says of itself with libmediainfo, in the sandbox: streams, size as shown, rate, colours, time, camera."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from tasks.core.errors import InvalidMedia
from tasks.core.models.media import VideoFacts
from tasks.media import edits, live_photo, loci, metadata, sandbox
from tasks.media.formats import HEAD, UNKNOWN, ebml, sniff
from tasks.media.sandbox import Bounds

BOUNDS = Bounds(cpu_seconds=60, wall_seconds=120)
PCM = "u8 s8 s16le s16be s24le s24be s32le s32be f32le f32be f64le f64be mulaw alaw bluray dvd"
# What may be decoded, by libmediainfo's name: ours, and the decoders of ffmpeg that we allow for it.
VIDEO_CODECS = {
    "AVC": ("h264", ("h264",)),
    "HEVC": ("hevc", ("hevc",)),
    "AV1": ("av1", ("libdav1d", "av1")),
    "VP9": ("vp9", ("vp9",)),
    "VP8": ("vp8", ("vp8",)),
    "DV": ("dv", ("dvvideo",)),
    "MPEG Video": ("mpeg2", ("mpeg2video", "mpeg1video")),
    "MPEG-4 Visual": ("mpeg4", ("mpeg4",)),
    "H.263": ("h263", ("h263",)),
    "ProRes": ("prores", ("prores",)),
    "JPEG": ("mjpeg", ("mjpeg",)),
    "V_MJPEG": ("mjpeg", ("mjpeg",)),
}
# The same for sound. What is not here (a phone's spatial track, say) is left out where there is another track.
AUDIO_CODECS = {
    "AAC": ("aac", ("aac", "aac_latm")),
    "MPEG Audio": ("mpeg-audio", ("mp3float", "mp3", "mp2float", "mp2")),
    "AC-3": ("ac-3", ("ac3",)),
    "E-AC-3": ("e-ac-3", ("eac3",)),
    "ALAC": ("alac", ("alac",)),
    "FLAC": ("flac", ("flac",)),
    "Opus": ("opus", ("opus", "libopus")),
    "Vorbis": ("vorbis", ("vorbis",)),
    "AMR": ("amr", ("amrnb", "amrwb")),
    "PCM": ("pcm", tuple(f"pcm_{name}" for name in PCM.split())),
    "ADPCM": ("adpcm", ("adpcm_ima_wav", "adpcm_ima_qt", "adpcm_ms")),
}
AUDIO_DECODERS = tuple(name for _, names in AUDIO_CODECS.values() for name in names)
# Rates that exist; one that varies is brought to the next that drops no frame.
RATES = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60"))
FASTEST = 60
CURVES = {"PQ": "PQ", "HDR10": "PQ", "HLG": "HLG"}
PLACES = ("comapplequicktimelocationiso6709", "xyz", "recorded_location", "location")
ISO_6709 = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)")
QUICK, WHOLE = 0.5, 1.0  # how much of a file libmediainfo reads
EPOCHS = ("1904-01-01", "1970-01-01")  # what a camera without a clock writes


@dataclass(frozen=True)
class Footage(VideoFacts):
    """A video's facts, and when and with what it says it was filmed."""

    taken_at: str = ""
    camera: str = ""
    lens: str = ""
    pair: str = ""  # what the film of a Live Photo has in common with its picture

    @property
    def facts(self) -> VideoFacts:
        """What those need who decode it, and nothing else."""
        return VideoFacts(**{each.name: getattr(self, each.name) for each in fields(VideoFacts)})


def read(path: Path) -> Footage:
    """The facts of the video at `path`; `codec` is "" when it holds sound alone. Raises InvalidMedia."""
    import pymediainfo  # noqa: F401  (warm for the child)

    with path.open("rb") as file:
        row = sniff(file.read(HEAD)) or UNKNOWN
    if not row.demuxer:
        raise InvalidMedia(f"it holds {row.words}, no video")
    look = _looked_at(path, _tracks_and_edits, QUICK, row.demuxer)
    tracks = look["tracks"]
    if _says_too_little(tracks):
        tracks = _looked_at(path, _tracks, WHOLE)
    if row.demuxer == "matroska":
        tracks = _of_matroska(tracks, ebml.rotation(path))
    facts = facts_of(tracks)
    mean = round(path.stat().st_size * 8 / facts.duration) if facts.duration else 0
    hidden = edits.Hidden(**look["hidden"])
    facts = replace(facts, hidden=hidden.picture, audio_hidden=hidden.sound, early=hidden.early, spliced=hidden.spliced)
    return replace(facts, demuxer=row.demuxer, bit_rate=facts.bit_rate or mean)


def _of_matroska(tracks: list[dict[str, Any]], rotation: int) -> list[dict[str, Any]]:
    """With the turn, which libmediainfo passes over. Its row looks at its end: a browser's recording has none, and is whole."""
    turned = [{**track, "rotation": rotation} if track.get("track_type") == "Video" else track for track in tracks]
    return [{key: value for key, value in track.items() if key != "istruncated"} for track in turned]


def place(path: Path) -> str:
    """Where the video at `path` says it was filmed, `latitude,longitude` in degrees; "" when it does not. Raises InvalidMedia.

    Apart from `read`, for nobody is told unless the operator asks.
    """
    tracks: list[dict[str, Any]] = _looked_at(path, _tracks, QUICK)
    general = next((track for track in tracks if track.get("track_type") == "General"), {})
    stated = next((str(general[key]) for key in PLACES if general.get(key)), "")
    found = ISO_6709.match(stated)
    with sandbox.workspace() as folder:
        where = (found[1], found[2]) if found else sandbox.run(loci.place, path.resolve(), directory=folder, bounds=BOUNDS)
    return metadata.degrees(*map(float, where)) if where else ""


def _looked_at(path: Path, look: Callable[..., Any], *how: Any) -> Any:
    """What a look at the file, in a child, finds."""
    with sandbox.workspace() as folder:
        (folder / "input").symlink_to(path.resolve())
        return sandbox.run(look, *how, directory=folder, bounds=BOUNDS)


def _tracks_and_edits(speed: float, demuxer: str) -> dict[str, Any]:
    """In the child: libmediainfo's tracks, and what is left out of them."""
    return {"tracks": _tracks(speed), "hidden": edits.found(Path("input"), demuxer)}


def _tracks(speed: float) -> list[dict[str, Any]]:
    """In the child: libmediainfo's tracks of the file called `input`, never of files that it names or that lie beside it."""
    from pymediainfo import MediaInfo

    options = {"File_TestContinuousFileNames": "0", "File_TestDirectory": "0", "File_FollowReferences": "0"}
    tracks = MediaInfo.parse("input", mediainfo_options=options, parse_speed=speed).tracks
    return [{key: value for key, value in track.to_data().items() if not key.startswith("other_")} for track in tracks[:32]]


def _says_too_little(tracks: list[dict[str, Any]]) -> bool:
    """A recording that never was finished by its recorder says how long it is only to who reads all of it."""
    return any(track.get("track_type") == "Video" and not track.get("duration") for track in tracks) and not any(
        track.get("track_type") == "General" and track.get("duration") for track in tracks
    )


def facts_of(tracks: list[dict[str, Any]]) -> Footage:
    """What Greenroom needs to know of libmediainfo's tracks. Raises InvalidMedia."""
    kinds = {kind: [track for track in tracks if track.get("track_type") == kind] for kind in ("General", "Video", "Audio")}
    general = (kinds["General"] or [{}])[0]
    if general.get("istruncated") == "Yes":
        raise InvalidMedia("the video is cut off: its end is missing; copy it from the camera again")
    if not kinds["Video"]:
        if not kinds["Audio"]:
            raise InvalidMedia("it is laid out like a video, but holds neither picture nor sound")
        sound = kinds["Audio"][0]
        seconds = _number(general.get("duration") or sound.get("duration")) / 1000
        return Footage(audio=_audio_name(sound), duration=round(seconds, 3))
    track = _heard(kinds["Audio"])
    facts = _with_picture(general, kinds["Video"][0], kinds["Audio"][track] if track >= 0 else {})
    return replace(facts, audio_track=max(0, track))


def _heard(tracks: list[dict[str, Any]]) -> int:
    """The first default track of those that can be decoded, else the first of them; -1 when there is none."""
    known = [number for number, track in enumerate(tracks) if str(track.get("format")) in AUDIO_CODECS]
    return next((number for number in known if tracks[number].get("default") == "Yes"), known[0] if known else -1)


def _with_picture(general: dict[str, Any], video: dict[str, Any], audio: dict[str, Any]) -> Footage:
    if _is_dolby_alone(video):
        raise InvalidMedia(
            "its colours are Dolby Vision's own, without a picture for other players (profile 5); export it as HDR10, HLG or SDR"
        )
    spoken = str(video.get("format", "an unknown codec"))
    if spoken not in VIDEO_CODECS:
        raise InvalidMedia(
            f"its picture is coded as {metadata.plain_text(spoken)}, which cannot be converted; export it as H.264 or HEVC"
        )
    width, height = _shown_size(video)
    duration = _number(video.get("duration") or general.get("duration")) / 1000
    if width < 1 or height < 1 or duration <= 0:
        raise InvalidMedia("its video track is empty")
    return Footage(
        codec=VIDEO_CODECS[spoken][0],
        width=width,
        height=height,
        rotation=int(_number(video.get("rotation"))) % 360,
        duration=round(duration, 3),
        rate=str(_rate(video)),
        bit_rate=int(_number(video.get("bit_rate") or general.get("overall_bit_rate"))),
        bits=int(_number(video.get("bit_depth")) or 8),
        chroma=str(video.get("chroma_subsampling", "4:2:0")),
        frames=int(_number(video.get("frame_count"))),
        steady=bool(video.get("framerate_num")) and video.get("frame_rate_mode", "CFR") == "CFR",
        transfer=_transfer(video),
        interlaced=video.get("scan_type", "Progressive") not in ("Progressive",),
        square=abs(_number(video.get("pixel_aspect_ratio"), 1.0) - 1) < 0.001,
        audio=_audio_name(audio) if audio else "",
        audio_channels=int(_number(audio.get("channel_s"))),
        taken_at=_taken_at(general, video),
        camera=_camera(general),
        lens=metadata.plain_text(general.get("comapplequicktimecameralens_model")),
        pair=live_photo.of_film(general.get("comapplequicktimecontentidentifier"), duration),
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
    if video.get("frame_rate_mode", "CFR") == "CFR" and stated <= FASTEST:
        return stated
    return next((rate for rate in RATES if rate >= stated * Fraction(99, 100)), RATES[-1])


def _transfer(video: dict[str, Any]) -> str:
    """What the stream says of its brightness, else what its Dolby Vision says of the picture beneath."""
    name = str(video.get("transfer_characteristics") or video.get("hdr_format_compatibility", ""))
    return next((curve for known, curve in CURVES.items() if known in name), "")


def _is_dolby_alone(video: dict[str, Any]) -> bool:
    """Dolby Vision in its own colour space (IPTPQc2), which looks green and purple to any decoder that does not know it."""
    if "Dolby Vision" not in str(video.get("hdr_format", "")):
        return False
    profile = str(video.get("hdr_format_profile", ""))
    stated = video.get("hdr_format_compatibility") or video.get("transfer_characteristics")
    return ".05" in profile or (".10" in profile and not stated)


def _audio_name(audio: dict[str, Any]) -> str:
    return AUDIO_CODECS.get(str(audio.get("format")), ("unknown",))[0]


def _taken_at(general: dict[str, Any], video: dict[str, Any]) -> str:
    """QuickTime's own time has the camera's offset; the container's is UTC."""
    stated = metadata.plain_text(general.get("comapplequicktimecreationdate"))
    stamp = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", stated)
    try:
        return datetime.fromisoformat(stamp).isoformat()
    except ValueError:
        return _container_time(metadata.plain_text(general.get("encoded_date") or video.get("encoded_date")))


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
