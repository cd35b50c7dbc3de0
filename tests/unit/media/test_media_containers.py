"""Every container and codec that cameras, phones, browsers and recorders write becomes the same MP4."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from media_samples import corners, quadrants
from PIL import Image

from tasks.core.errors import InvalidMedia
from tasks.core.models.media import VideoFacts
from tasks.media import Limits, inspect, sniff, transcoder, video, video_facts
from tasks.media.formats import HEAD, ebml

Ffmpeg = Callable[..., None]
PICTURE = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=1")
SOUND = ("-f", "lavfi", "-i", "sine=d=1")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
H265 = ("-c:v", "libx265", "-x265-params", "log-level=error", "-preset", "ultrafast")
AV1 = ("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "2")
VP9 = ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime")
SHOWN = ["video", "poster", "preview"]


def _made(path: Path, folder: Path) -> video.Joined:
    (out := folder / "out").mkdir()
    return video.make_video(path, out, Limits(), 30)


def _frames(path: Path) -> int:
    command = [transcoder.find_ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough"]
    said = subprocess.run([*command, "-f", "framecrc", "-"], check=True, capture_output=True, text=True, timeout=60).stdout
    return sum(not line.startswith("#") for line in said.splitlines())


@pytest.mark.parametrize(
    ("name", "options", "format", "codecs"),
    [
        ("h264.mp4", (*H264, "-c:a", "aac"), "mp4", ("h264", "aac")),
        ("pieces.mp4", (*H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"), "mp4", ("h264", "aac")),
        ("apple.m4v", (*H264, "-c:a", "aac"), "m4v", ("h264", "aac")),
        ("old.3gp", ("-c:v", "h263", "-s", "176x144", "-c:a", "aac", "-ar", "8000"), "3gp", ("h263", "aac")),
        ("new.3gp", (*H264, "-c:a", "aac"), "3gp", ("h264", "aac")),
        ("cdma.3g2", ("-c:v", "mpeg4", "-c:a", "aac"), "3gp", ("mpeg4", "aac")),
        ("hev1.mp4", (*H265, "-pix_fmt", "yuv420p", "-tag:v", "hev1", "-c:a", "aac"), "mp4", ("hevc", "aac")),
        ("eight.mov", (*H265, "-pix_fmt", "yuv420p", "-tag:v", "hvc1", "-c:a", "alac"), "mov", ("hevc", "alac")),
        ("ten.mov", (*H265, "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1", "-c:a", "aac"), "mov", ("hevc", "aac")),
        ("wide.mov", (*H265, "-pix_fmt", "yuv422p10le", "-tag:v", "hvc1", "-c:a", "pcm_s16be"), "mov", ("hevc", "pcm")),
        ("broadcast.mov", (*H264[:-1], "yuv422p10le", "-c:a", "pcm_s24be"), "mov", ("h264", "pcm")),
        ("prores.mov", ("-c:v", "prores_ks", "-profile:v", "2", "-c:a", "pcm_s24le"), "mov", ("prores", "pcm")),
        ("clear.mov", ("-c:v", "prores_ks", "-profile:v", "4", "-pix_fmt", "yuva444p10le"), "mov", ("prores", "aac")),
        ("motion.mov", ("-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-c:a", "pcm_s16be"), "mov", ("mjpeg", "pcm")),
        ("a.mkv", (*H264, "-c:a", "libopus"), "mkv", ("h264", "opus")),
        ("av1.mkv", (*AV1, "-c:a", "flac"), "mkv", ("av1", "flac")),
        ("ten.mkv", (*H265, "-pix_fmt", "yuv420p10le", "-c:a", "eac3"), "mkv", ("hevc", "e-ac-3")),
        ("motion.mkv", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"), "mkv", ("mjpeg", "pcm")),
        ("av1.webm", (*AV1, "-pix_fmt", "yuv420p10le", "-c:a", "libopus"), "webm", ("av1", "opus")),
        ("av1.mp4", (*AV1, "-c:a", "libopus"), "mp4", ("av1", "opus")),
        ("eight.webm", ("-c:v", "libvpx", "-c:a", "libvorbis"), "webm", ("vp8", "vorbis")),
        ("nine.webm", VP9, "webm", ("vp9", "opus")),
        ("nine.mp4", (*VP9, "-pix_fmt", "yuv420p10le", "-c:a", "libopus"), "mp4", ("vp9", "opus")),
        ("motion.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"), "avi", ("mjpeg", "pcm")),
        ("xvid.avi", ("-c:v", "mpeg4", "-vtag", "XVID", "-c:a", "libmp3lame"), "avi", ("mpeg4", "mpeg-audio")),
        ("telephone.avi", ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0", "-c:a", "adpcm_ms"), "avi", ("h264", "adpcm")),
        ("avchd.mts", (*H264, "-c:a", "ac3", "-f", "mpegts", "-mpegts_m2ts_mode", "1"), "mpegts", ("h264", "ac-3")),
        ("hevc.m2ts", (*H265, "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "mpegts"), "mpegts", ("hevc", "aac")),
        ("dvb.ts", ("-c:v", "mpeg2video", "-c:a", "mp2", "-f", "mpegts"), "mpegts", ("mpeg2", "mpeg-audio")),
    ],
)
def test_what_cameras_write_is_shown_with_every_frame_and_its_sound(
    tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, name: str, options: tuple[str, ...], format: str, codecs: tuple[str, ...]
) -> None:
    ffmpeg(*PICTURE, *SOUND, *options, tmp_path / name)
    media = inspect(tmp_path / name, name, limits)
    assert (media.kind, media.format, media.codecs) == ("video", format, codecs)
    made = _made(tmp_path / name, tmp_path)
    facts = made.facts
    assert (facts.codec, facts.bits, facts.chroma, facts.audio) == ("h264", 8, "4:2:0", "aac")
    assert (facts.width, facts.height) == ((216, 144) if name == "old.3gp" else (96, 64))
    assert abs(_frames(made.video) - _frames(tmp_path / name)) <= (0 if format in ("mp4", "mov", "mkv", "webm") else 1)
    assert facts.duration == pytest.approx(1.0, abs=0.08)


def test_a_browsers_recording_that_never_says_how_long_it_is_is_whole(tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits) -> None:
    path = tmp_path / "a.webm"
    ffmpeg(*PICTURE, "-c:v", "libvpx", "-live", "1", "-f", "webm", tmp_path / "live.webm")
    body = bytearray((tmp_path / "live.webm").read_bytes())
    at = body.index(ebml.SEGMENT) + 4
    body[at : at + 8] = b"\x01" + b"\xff" * 7  # as MediaRecorder writes: of unknown size
    path.write_bytes(body)
    assert inspect(path, "a.webm", limits).duration == pytest.approx(1.0, abs=0.05)
    assert _frames(_made(path, tmp_path).video) == 25


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.mp4", "a.mov"])
def test_a_file_that_ends_too_early_is_refused_in_words(tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, name: str) -> None:
    codec = ("-c:v", "libvpx") if name == "a.webm" else H264
    first = ("-movflags", "+faststart") if name in ("a.mp4", "a.mov") else ()
    ffmpeg(*PICTURE, *codec, *first, tmp_path / name)
    body = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(body[: len(body) * 2 // 3])
    with pytest.raises(InvalidMedia, match="cut off"):
        inspect(tmp_path / name, name, limits)


@pytest.mark.parametrize("name", ["a.ts", "a.avi"])
def test_a_stream_that_stops_in_the_middle_is_shown_as_far_as_it_goes(
    tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, name: str
) -> None:
    ffmpeg(*PICTURE, "-c:v", "mpeg4" if name == "a.avi" else "mpeg2video", tmp_path / name)
    body = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(body[: len(body) * 2 // 3])
    try:
        made = _made(tmp_path / name, tmp_path)
    except InvalidMedia as bad:
        assert "cut off" in bad.reason
    else:
        assert 5 <= _frames(made.video) <= 25


def test_a_picture_of_one_still_frame_is_a_video_too(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    ffmpeg(*PICTURE, "-frames:v", "1", "-c:v", "mpeg4", tmp_path / "a.mp4")
    assert _frames(_made(tmp_path / "a.mp4", tmp_path).video) == 1


# ---- shape ----


def test_wide_pixels_become_square(tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits) -> None:
    ffmpeg(*PICTURE, *H264, "-vf", "setsar=16/11", tmp_path / "a.mp4")
    assert inspect(tmp_path / "a.mp4", "a.mp4", limits).width == 140
    with Image.open(_made(tmp_path / "a.mp4", tmp_path).poster) as poster:
        assert poster.size == (140, 64)


@pytest.mark.parametrize("angle", [-90, 90, 180])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", (*H265, "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1")),
        ("a.m4v", H264),
        ("a.3gp", MPEG4),
        ("a.mkv", H264),
        ("b.mkv", MPEG4),
    ],
)
def test_a_clip_that_lies_on_its_side_is_shown_upright_in_its_own_shape(
    tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, name: str, codec: tuple[str, ...], angle: int
) -> None:
    """Matroska says it in a way of its own."""
    turns = {-90: Image.Transpose.ROTATE_90, 90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180}
    quadrants().transpose(turns[angle]).save(tmp_path / "lying.png")
    ffmpeg(
        "-loop", "1", "-i", tmp_path / "lying.png", "-t", "1", "-r", "10", "-pix_fmt", "yuv420p", *codec, tmp_path / "lying.mp4"
    )
    ffmpeg("-display_rotation", str(angle), "-i", tmp_path / "lying.mp4", "-c", "copy", tmp_path / name)
    media = inspect(tmp_path / name, name, limits)
    assert (media.width, media.height) == (96, 64)
    made = _made(tmp_path / name, tmp_path)
    ffmpeg("-i", made.video, "-frames:v", "1", tmp_path / "shown.png")
    for file in (made.poster, tmp_path / "shown.png"):
        with Image.open(file) as shown:
            assert (shown.size, corners(shown)) == ((96, 64), "RGBW"), file.name


@pytest.mark.parametrize(
    "body", [b"", b"\x1a\x45\xdf\xa3", b"\x1a\x45\xdf\xa3\x80" + ebml.SEGMENT + b"\x01" + b"\xff" * 7 + b"\xae\x80" * 9_000]
)
def test_matroska_that_says_nothing_is_not_turned(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "a.mkv").write_bytes(body)
    assert ebml.rotation(tmp_path / "a.mkv") == 0


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", H264),
        ("a.mts", (*H264, "-x264-params", "tff=1", "-f", "mpegts")),
        ("a.mpg", ("-c:v", "mpeg2video", "-f", "mpegts")),
    ],
)
def test_interlaced_lines_are_taken_apart(tmp_path: Path, ffmpeg: Ffmpeg, name: str, codec: tuple[str, ...]) -> None:
    """A bar that moves fast: woven together its edges are combs, where neighbouring lines differ most."""
    bar = "nullsrc=s=96x64:r=50:d=1,geq=lum='if(between(X,mod(N*4,80),mod(N*4,80)+16),235,16)':cb=128:cr=128"
    ffmpeg("-f", "lavfi", "-i", bar + ",interlace=scan=tff:lowpass=off", *codec, "-flags", "+ildct+ilme", tmp_path / name)
    assert video_facts.read(tmp_path / name).interlaced
    made = _made(tmp_path / name, tmp_path)
    assert not made.facts.interlaced
    assert _combs(made.video) < _combs(tmp_path / name) / 5


def _combs(path: Path) -> int:
    """How often a line differs much from both of its neighbours, which are alike, in the middle frame."""
    command = [transcoder.find_ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-vf", "select=eq(n\\,12),format=gray"]
    command += ["-frames:v", "1", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    lines = [raw[at : at + 96] for at in range(0, 96 * 64, 96)]
    trios = zip(lines, lines[1:], lines[2:], strict=False)
    return sum(abs(b - a) > 60 and abs(b - c) > 60 and abs(a - c) < 30 for trio in trios for a, b, c in zip(*trio, strict=True))


# ---- which of several ----


def test_the_default_sound_track_is_the_one_that_is_heard(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    second = ("-f", "lavfi", "-i", "anullsrc=d=1:r=44100:cl=mono")
    default = ("-disposition:a:0", "0", "-disposition:a:1", "default")
    ffmpeg(*PICTURE, *second, *SOUND, "-map", "0", "-map", "1", "-map", "2", *H264, "-c:a", "aac", *default, tmp_path / "a.mp4")
    assert video_facts.read(tmp_path / "a.mp4").audio_track == 1
    assert _loudness(_made(tmp_path / "a.mp4", tmp_path).video) > -30


def _loudness(path: Path) -> float:
    command = [transcoder.find_ffmpeg(), "-nostdin", "-i", str(path), "-af", "volumedetect", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stderr
    return float(said.split("mean_volume: ")[1].split(" dB")[0])


def test_a_track_that_nobody_can_decode_is_passed_over() -> None:
    tracks = [
        {"track_type": "General"},
        {"track_type": "Video", "format": "HEVC", "width": 1920, "height": 1080, "duration": 1000},
        {"track_type": "Audio", "format": "Apple Positional Audio", "default": "Yes"},
        {"track_type": "Audio", "format": "AAC", "channel_s": 2},
    ]
    facts = video_facts.facts_of(tracks)
    assert (facts.audio, facts.audio_track) == ("aac", 1)
    assert video_facts.facts_of(tracks[:3]).audio == ""


def test_covers_subtitles_time_codes_and_attachments_stay_behind(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    (tmp_path / "font.ttf").write_bytes(b"no font" * 100)
    Image.new("RGB", (32, 32), "red").save(tmp_path / "cover.jpg")
    inputs = (*PICTURE, *SOUND, "-i", tmp_path / "words.srt", "-map", "0", "-map", "1", "-map", "2")
    files = ("-attach", tmp_path / "font.ttf", "-attach", tmp_path / "cover.jpg")
    kinds = ("-metadata:s:t:0", "mimetype=application/x-truetype-font", "-metadata:s:t:1", "mimetype=image/jpeg")
    ffmpeg(*inputs, *H264, "-c:s", "srt", *files, *kinds, tmp_path / "a.mkv")
    assert len(_streams(tmp_path / "a.mkv")) == 5
    made = _made(tmp_path / "a.mkv", tmp_path)
    assert (made.facts.width, made.facts.height, _frames(made.video)) == (96, 64, 25)
    assert _streams(made.video) == ["Audio", "Video"]


def _streams(path: Path) -> list[str]:
    said = subprocess.run([transcoder.find_ffmpeg(), "-i", str(path)], capture_output=True, text=True, timeout=60).stderr
    return sorted(line.split(": ")[1] for line in said.splitlines() if line.strip().startswith("Stream #"))


# ---- told apart ----


@pytest.mark.parametrize(
    "head",
    [
        b"#EXTM3U\n#EXTINF:10,\nsecret.ts\n",
        b"ffconcat version 1.0\nfile secret.mp4\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
        b"[playlist]\nFile1=secret.mp4\n",
        b"RIFF\x00\x00\x00\x00AVI",
        b"\x1a\x45\xdf\xa3\x84\x42\x82\x82no",
        b"\x47" + bytes(4095),
    ],
)
def test_no_playlist_and_no_half_of_a_magic_number_is_a_video(head: bytes) -> None:
    found = sniff(head)
    assert found is None or found.kind == "document"


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.avi", "a.mp4"])
def test_a_wrong_ending_changes_nothing(tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, name: str) -> None:
    codec = ("-c:v", "libvpx") if name == "a.webm" else H264
    ffmpeg(*PICTURE, *codec, tmp_path / name)
    wrong = tmp_path / "holiday.mov"
    (tmp_path / name).rename(wrong)
    assert inspect(wrong, "holiday.mov", limits).format == name[2:]
    with wrong.open("rb") as file:
        assert sniff(file.read(HEAD)) is not None


def test_ffmpeg_opens_a_file_as_what_it_was_found_to_be_and_as_nothing_else(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    ffmpeg(*PICTURE, *H264, tmp_path / "a.mkv")
    with pytest.raises(InvalidMedia, match="cannot be converted"):
        (out := tmp_path / "out").mkdir()
        facts = VideoFacts("hevc", 96, 64, duration=1.0, demuxer="mpegts")
        video.transcode_segment(tmp_path / "a.mkv", video.Segment(0, 0.0, 1.0), facts, out, Limits())
