"""Videos: remuxed where they fit, else cut, converted and joined so that no seam shows."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from media_samples import CANARY, corners, quadrants
from PIL import Image

from tasks.core.errors import InvalidMedia
from tasks.core.models.media import Segment, VideoFacts
from tasks.media import Limits, inspect, transcoder, video, video_facts, video_plan
from tasks.media.formats.boxes import boxes
from tasks.media.video_facts import facts_of
from tasks.media.video_plan import Packets

Ffmpeg = Callable[..., None]
# One grey a frame: frame N is 16 + 7 N, so that a doubled or lost one shows.
COUNTING = "nullsrc=s=64x48:r={rate}:d={seconds},geq=lum='16+mod(N*7\\,200)':cb=128:cr=128"
FITS = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast")


@pytest.fixture
def clip(tmp_path: Path, ffmpeg: Ffmpeg) -> Callable[..., Path]:
    """Makes a counting clip: `clip("a.mov", "-c:v", ...)`."""

    def make(name: str, *options: str, rate: str = "30000/1001", seconds: int = 3, sound: bool = False, more: str = "") -> Path:
        tone = ("-f", "lavfi", "-i", f"sine=d={seconds}", "-c:a", "aac") if sound else ()
        ffmpeg("-f", "lavfi", "-i", COUNTING.format(rate=rate, seconds=seconds) + more, *tone, *options, tmp_path / name)
        return tmp_path / name

    return make


def _make(path: Path, out: Path, segment_seconds: int = 30) -> video.Joined:
    out.mkdir(exist_ok=True)
    return video.make_video(path, out, Limits(), segment_seconds)


def _times(path: Path) -> tuple[Fraction, list[int]]:
    """The time base and the presentation times of a clip's pictures."""
    command = [transcoder.find_ffmpeg(), "-v", "error", "-i", str(path), "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    base = re.search(r"#tb 0: (\S+)", said)
    assert base is not None
    return Fraction(base[1]), sorted(int(line.split(",")[2]) for line in said.splitlines() if not line.startswith("#"))


# ---- facts and plans ----


def test_a_clip_is_looked_at_without_decoding_it(clip: Callable[..., Path], limits: Limits) -> None:
    path = clip("a.mp4", *FITS, "-metadata", "creation_time=2024-05-04T10:11:12Z", sound=True)
    media = inspect(path, "a.mp4", limits)
    assert (media.kind, media.format, media.width, media.height) == ("video", "mp4", 64, 48)
    assert (media.codecs, media.taken_at) == (("h264", "aac"), "2024-05-04T10:11:12Z")
    assert media.duration == pytest.approx(3, abs=0.05)


def test_quicktimes_own_time_has_the_cameras_offset(clip: Callable[..., Path], limits: Limits) -> None:
    keys = {"creationdate": "2024-05-04T10:11:12+0200", "make": "Apple", "model": "iPhone 13"}
    options = [part for key, value in keys.items() for part in ("-metadata", f"com.apple.quicktime.{key}={value}")]
    media = inspect(clip("a.mov", *FITS, "-movflags", "use_metadata_tags", *options, seconds=1), "a.mov", limits)
    assert (media.format, media.taken_at, media.camera) == ("mov", "2024-05-04T10:11:12+02:00", "Apple iPhone 13")


def test_a_clock_that_was_never_set_is_no_time() -> None:
    tracks = [{"track_type": "General", "encoded_date": "1904-01-01 00:00:00 UTC"}, _picture()]
    assert facts_of(tracks).taken_at == ""


def _picture(**more: object) -> dict[str, object]:
    return {"track_type": "Video", "format": "AVC", "width": 1920, "height": 1080, "duration": 1000, **more}


def test_sound_in_a_videos_container_is_a_document(tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", tmp_path / "a.mp4")
    media = inspect(tmp_path / "a.mp4", "a.mp4", limits)
    assert (media.kind, media.content_type) == ("document", "audio/mp4")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([{"track_type": "General"}], "neither picture nor sound"),
        ([{"track_type": "General", "istruncated": "Yes"}, _picture()], "cut off"),
        ([{"track_type": "General"}, _picture(format="Cinepak")], "coded as Cinepak"),
        ([{"track_type": "General"}, _picture(duration=0)], "empty"),
    ],
)
def test_what_cannot_become_a_video_is_refused_in_words(facts: list[dict[str, object]], words: str) -> None:
    with pytest.raises(InvalidMedia, match=words):
        facts_of(facts)


def test_limits_of_length_and_size_are_the_operators(clip: Callable[..., Path], limits: Limits) -> None:
    path = clip("a.mp4", *FITS)
    for limit, words in ({"seconds": 2}, "too long: 3 s, the limit is 2 s"), ({"pixels": 1000}, "too many pixels"):
        with pytest.raises(InvalidMedia, match=words):
            inspect(path, "a.mp4", replace(limits, **limit))


def test_a_clip_that_is_cut_off_is_refused(clip: Callable[..., Path], limits: Limits) -> None:
    path = clip("a.mp4", *FITS, "-movflags", "+faststart")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InvalidMedia, match="cut off"):
        inspect(path, "a.mp4", limits)


FHD = VideoFacts("h264", 1920, 1080, duration=95.0, rate="30", bit_rate=8_000_000, audio="aac", audio_channels=2)


@pytest.mark.parametrize(
    "difference",
    [
        {"codec": "hevc"},
        {"bits": 10},
        {"chroma": "4:2:2"},
        {"width": 3840, "height": 2160},
        {"bit_rate": 50_000_000},
        {"transfer": "HLG"},
        {"interlaced": True},
        {"square": False},
        {"rate": "120"},
        {"demuxer": "avi"},
    ],
)
def test_only_what_every_browser_plays_is_taken_as_it_is(difference: dict[str, object]) -> None:
    assert video_plan.fits(FHD)
    assert not video_plan.fits(replace(FHD, **difference))


def test_segments_cover_the_whole_without_gap_and_begin_on_a_frame() -> None:
    facts = replace(FHD, codec="hevc", rate="30000/1001", duration=95.32, steady=True)
    segments = video_plan.cut(facts, _packets(2857, Fraction(30000, 1001), keys_every=48), 30)
    assert len(segments) == 3
    assert segments[0].start == 0
    assert segments[-1].end == pytest.approx(95.32, abs=0.04)
    assert [each.seek for each in segments] == pytest.approx([each.start for each in segments], abs=1e-5)
    assert sum(each.frames for each in segments) == round(segments[-1].start * 30000 / 1001)
    assert all(left.end == right.start for left, right in itertools.pairwise(segments))
    for segment in segments:
        frame = segment.start * 30000 / 1001
        assert abs(frame - round(frame)) < 1e-3


def test_a_short_clip_is_one_segment() -> None:
    facts = replace(FHD, codec="hevc", duration=4.0)
    assert video_plan.cut(facts, _packets(120, Fraction(30), 30), 30) == (Segment(0, 0.0, 4.0, rate="30"),)


def test_where_keyframes_are_rare_a_segment_begins_between_them_and_decoding_before_it() -> None:
    facts = replace(FHD, codec="hevc", duration=90.0, steady=True)
    one, two, three = video_plan.cut(facts, _packets(2700, Fraction(30), keys_every=2000), 30)
    assert (one.start, two.start, three.start) == (0.0, 30.0, 2000 / 30) or two.seek == 0.0
    assert (two.start, two.seek) == (30.0, 0.0)
    assert three.seek == pytest.approx(2000 / 30, abs=1e-5)


def test_interlaced_lines_are_taken_apart_with_the_frames_before_in_sight() -> None:
    facts = replace(FHD, interlaced=True, duration=60.0, steady=True)
    _, second = video_plan.cut(facts, _packets(1800, Fraction(30), keys_every=30), 30)
    assert (second.start, second.seek) == (30.0, 29.0)


def _packets(frames: int, rate: Fraction, keys_every: int) -> Packets:
    times = tuple(round(number * 90000 / rate) for number in range(frames))
    return Packets(Fraction(1, 90000), times, times[::keys_every])


@pytest.mark.parametrize(("step", "rate"), [(3600, "25"), (1800, "50"), (3003, "30000/1001"), (90000, "1")])
def test_a_container_that_says_no_rate_has_that_of_its_frames(step: int, rate: str) -> None:
    times = tuple(range(0, step * 20, step))
    guess = replace(FHD, rate="1" if step == 90000 else "30")
    assert video_plan.frame_rate(guess, Packets(Fraction(1, 90000), times, times[:1])) == Fraction(rate)


@pytest.mark.parametrize(
    ("stated", "rate"),
    [
        ({"frame_rate_mode": "CFR", "framerate_num": 30000, "framerate_den": 1001}, "30000/1001"),
        ({"frame_rate_mode": "VFR", "frame_rate": "29.412"}, "30000/1001"),
        ({"frame_rate_mode": "VFR", "frame_rate": "25.4"}, "30000/1001"),
        ({"frame_rate_mode": "CFR", "frame_rate": "240.000"}, "60"),
        ({"frame_rate_mode": "VFR", "frame_rate": "0.001"}, "30"),
    ],
)
def test_a_rate_that_varies_becomes_the_next_that_drops_no_frame(stated: dict[str, object], rate: str) -> None:
    assert facts_of([{"track_type": "General"}, _picture(**stated)]).rate == rate


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((3840, 2160), (1920, 1080)),
        ((2160, 3840), (1080, 1920)),
        ((641, 359), (640, 358)),
        ((64, 48), (64, 48)),
        ((4000, 1000), (1920, 480)),
    ],
)
def test_it_is_shown_at_1080p_at_most_and_with_even_sides(size: tuple[int, int], shown: tuple[int, int]) -> None:
    assert video_plan.shown_size(*size) == shown


# ---- the work ----


@pytest.mark.parametrize(
    ("name", "options", "more"),
    [
        ("a.mov", ("-c:v", "libx265", "-x265-params", "log-level=error:keyint=20", "-tag:v", "hvc1"), ""),
        ("a.mp4", ("-c:v", "mpeg4", "-q:v", "2", "-bf", "2"), ""),
        ("v.mp4", ("-c:v", "mpeg4", "-q:v", "2", "-fps_mode", "vfr"), ",select='not(eq(mod(n\\,7)\\,3)+between(n\\,40\\,50))'"),
    ],
)
def test_joined_segments_are_the_single_run_frame_by_frame(
    tmp_path: Path, clip: Callable[..., Path], levels: Callable[[Path], list[int]], name: str, options: tuple[str, ...], more: str
) -> None:
    path = clip(name, *options, sound=True, more=more)
    whole = _make(path, tmp_path / "whole")
    joined = _make(path, tmp_path / "joined", segment_seconds=1)
    assert levels(joined.video) == levels(whole.video)
    base, times = _times(joined.video)
    assert {(right - left) * base for left, right in itertools.pairwise(times)} == {1 / whole.facts.frame_rate}
    assert times[0] == 0
    if not more:
        assert len(times) == 90
        steps = [right - left for left, right in zip(levels(joined.video)[:25], levels(joined.video)[1:25], strict=False)]
        assert all(5 <= step <= 11 for step in steps), "a frame is doubled or lost"
    assert abs(joined.facts.duration - 3.0) < 0.05


def test_the_result_plays_at_once_everywhere(tmp_path: Path, clip: Callable[..., Path]) -> None:
    made = _make(clip("a.mov", "-c:v", "libx265", "-x265-params", "log-level=error", sound=True), tmp_path / "out")
    order = [kind for kind, _, _ in boxes(made.video)]
    assert order.index(b"moov") < order.index(b"mdat")
    facts = made.facts
    assert (facts.codec, facts.bits, facts.chroma, facts.audio) == ("h264", 8, "4:2:0", "aac")
    preview = video_facts.read(made.preview)
    assert (preview.codec, preview.audio, preview.width) == ("h264", "", 64)


def test_streams_that_fit_are_not_encoded_again(tmp_path: Path, clip: Callable[..., Path]) -> None:
    path = clip("a.mov", *FITS, sound=True)
    made = _make(path, tmp_path / "out")

    def packets(file: Path) -> str:
        command = [transcoder.find_ffmpeg(), "-v", "error", "-i", str(file), "-map", "0:v:0", "-c", "copy"]
        command += ["-bsf:v", transcoder.NO_NOTES, "-f", "rawvideo", "-"]
        return str(hash(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout))

    assert packets(made.video) == packets(path)


def test_sound_that_browsers_do_not_play_is_encoded_though_the_picture_fits(tmp_path: Path, clip: Callable[..., Path]) -> None:
    made = _make(clip("a.mov", *FITS, "-c:a", "pcm_s16le", sound=True), tmp_path / "out")
    assert (made.facts.codec, made.facts.audio) == ("h264", "aac")


@pytest.mark.parametrize("codec", [FITS, ("-c:v", "mpeg4", "-q:v", "2")])
def test_a_clip_filmed_upright_is_shown_upright(tmp_path: Path, ffmpeg: Ffmpeg, limits: Limits, codec: tuple[str, ...]) -> None:
    quadrants(96, 64).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "lying.png")
    ffmpeg("-loop", "1", "-i", tmp_path / "lying.png", "-t", "1", "-r", "10", *codec, tmp_path / "lying.mp4")
    ffmpeg("-display_rotation", "-90", "-i", tmp_path / "lying.mp4", "-c", "copy", tmp_path / "a.mov")
    media = inspect(tmp_path / "a.mov", "a.mov", limits)
    assert (media.width, media.height) == (96, 64)
    made = _make(tmp_path / "a.mov", tmp_path / "out")
    assert (made.facts.width, made.facts.height) == (96, 64)
    with Image.open(made.poster) as poster:
        assert (poster.size, corners(poster)) == ((96, 64), "RGBW")
    ffmpeg("-i", made.video, "-frames:v", "1", tmp_path / "shown.png")
    assert corners(Image.open(tmp_path / "shown.png")) == "RGBW"


def test_odd_sides_and_no_sound_are_ordinary(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=75x51:d=1", "-c:v", "libx264", "-pix_fmt", "yuv444p", tmp_path / "a.mp4")
    made = _make(tmp_path / "a.mp4", tmp_path / "out")
    assert (made.facts.width, made.facts.height, made.facts.audio) == (74, 50, "")


@pytest.mark.parametrize(("curve", "name"), [("arib-std-b67", "HLG"), ("smpte2084", "PQ")])
def test_bright_hdr_is_mapped_for_ordinary_screens(tmp_path: Path, ffmpeg: Ffmpeg, curve: str, name: str) -> None:
    colours = f"colorprim=bt2020:transfer={curve}:colormatrix=bt2020nc"
    tags = ("-color_primaries", "bt2020", "-color_trc", curve, "-colorspace", "bt2020nc")
    code = ("-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", f"log-level=error:{colours}")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=96x64:d=1", *code, *tags, "-tag:v", "hvc1", tmp_path / "a.mov")
    assert video_facts.read(tmp_path / "a.mov").transfer == name
    made = _make(tmp_path / "a.mov", tmp_path / "out")
    assert (made.facts.transfer, made.facts.bits, made.facts.codec) == ("", 8, "h264")


def test_the_poster_is_not_black_when_the_clip_begins_in_the_dark(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    scene = "color=black:s=64x48:r=25:d=3[a];color=white:s=64x48:r=25:d=3[b];[a][b]concat"
    ffmpeg("-f", "lavfi", "-i", scene, *FITS, tmp_path / "a.mp4")
    with Image.open(_make(tmp_path / "a.mp4", tmp_path / "out").poster) as poster:
        assert poster.convert("L").getpixel((32, 24)) > 250


def test_an_all_black_clip_has_a_poster_still(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    ffmpeg("-f", "lavfi", "-i", "color=black:s=64x48:d=1", *FITS, tmp_path / "a.mp4")
    with Image.open(_make(tmp_path / "a.mp4", tmp_path / "out").poster) as poster:
        assert poster.size == (64, 48)


@pytest.mark.parametrize("codec", [FITS, ("-c:v", "mpeg4", "-q:v", "2")])
def test_nothing_private_is_in_what_is_shown(
    tmp_path: Path, clip: Callable[..., Path], ffmpeg: Ffmpeg, codec: tuple[str, ...]
) -> None:
    (tmp_path / "words.srt").write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{CANARY}\n")
    (tmp_path / "chapters.txt").write_text(f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle={CANARY}\n")
    bare, path = clip("bare.mov", *codec, sound=True), tmp_path / "a.mov"
    keys = ("title", "comment", "com.apple.quicktime.location.ISO6709", "com.apple.quicktime.model", "artist")
    marks = [part for key in keys for part in ("-metadata", f"{key}={CANARY}+48.1372+011.5755/")]
    inputs = ("-i", bare, "-i", tmp_path / "words.srt", "-i", tmp_path / "chapters.txt")
    streams = ("-map", "0", "-map", "1", "-map_metadata", "2", "-c", "copy", "-c:s", "mov_text", "-timecode", "01:02:03:04")
    names = (
        "-metadata:s:v",
        f"handler_name={CANARY}",
        "-metadata:s:v",
        f"encoder={CANARY}",
        "-metadata:s:a",
        f"handler_name={CANARY}",
    )
    ffmpeg(*inputs, *streams, *marks, *names, "-movflags", "use_metadata_tags", path)
    assert path.read_bytes().count(CANARY.encode()) >= len(keys), "the fixture holds no canary: this would prove nothing"
    made = _make(path, tmp_path / "out", segment_seconds=1)
    for file in (made.video, made.poster, made.preview):
        assert not [word for word in (CANARY.encode(), b"48.1372", b"tmcd", b"Exif") if word in file.read_bytes()], file.name


def test_a_picture_that_cannot_be_decoded_says_so(clip: Callable[..., Path], out: Path, limits: Limits) -> None:
    path = clip("a.mp4", "-c:v", "mpeg4", "-q:v", "2", seconds=1)
    facts = video_facts.read(path)
    at, size = next((at, size) for kind, at, size in boxes(path) if kind == b"mdat")
    body = bytearray(path.read_bytes())
    body[at + 8 : at + size] = bytes(size - 8)
    path.write_bytes(body)
    with pytest.raises(InvalidMedia, match="cannot be converted"):
        video.transcode_segment(path, Segment(0, 0.0, facts.duration), facts, out, limits)


# ---- the sandbox of ffmpeg ----


def test_a_playlist_in_disguise_reads_no_other_file(tmp_path: Path, clip: Callable[..., Path], out: Path, limits: Limits) -> None:
    clip("secret.mp4", *FITS, seconds=1)
    (tmp_path / "a.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    with pytest.raises(InvalidMedia, match="cannot be converted"):
        video.transcode_segment(tmp_path / "a.mp4", Segment(0, 0.0, 1.0), replace(FHD, codec="hevc"), out, limits)
    assert not list(out.iterdir())


def test_ffmpeg_sees_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    teller = tmp_path / "ffmpeg"
    teller.write_text('#!/bin/sh\nexec >&2\necho "[$AWS_SECRET_ACCESS_KEY]"\nls\nexit 1\n')
    teller.chmod(0o755)
    (tmp_path / "folder").mkdir()
    graph = transcoder.source("input", 1000).output("output.mp4")
    with pytest.raises(InvalidMedia) as caught:
        transcoder.run(str(teller), graph, {"input": teller}, tmp_path / "folder")
    assert caught.value.reason == "the video cannot be converted: []"


def test_a_setting_that_names_no_program_says_so() -> None:
    with pytest.raises(transcoder.FfmpegMissing, match="'/nowhere/ffmpeg', which is no program"):
        transcoder.find_ffmpeg("/nowhere/ffmpeg")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers", "which is ffmpeg 5.1.9;"),
        ("ffmpeg version n4.4 Copyright (c)", "which is ffmpeg 4.4;"),
        # From a development branch, named after a commit: libavutil 59 is that of ffmpeg 7.
        ("ffmpeg version N-116000-gabcdef Copyright (c)\nlibavutil      59.  8.100 / 59.  8.100", "which is ffmpeg 7;"),
        ("I am a shell", "which is no ffmpeg;"),
    ],
)
def test_a_setting_that_names_an_old_ffmpeg_says_what_to_do(tmp_path: Path, says: str, words: str) -> None:
    with pytest.raises(transcoder.FfmpegMissing, match=f"{words} .* name one of version 9 or newer"):
        transcoder.find_ffmpeg(_says(tmp_path, says))


@pytest.mark.parametrize(
    "says", ["ffmpeg version n9.0.2-17-g2a571b6068", "ffmpeg version 10.0", "ffmpeg version N-1-g1\nlibavutil 61. 1"]
)
def test_a_setting_that_names_a_newer_ffmpeg_is_followed(tmp_path: Path, says: str) -> None:
    assert transcoder.find_ffmpeg(_says(tmp_path, says)) == str(tmp_path / "ffmpeg")


def test_what_cannot_be_run_is_no_ffmpeg(tmp_path: Path) -> None:
    (tmp_path / "ffmpeg").write_bytes(b"\x7fELF of another machine")
    (tmp_path / "ffmpeg").chmod(0o755)
    with pytest.raises(transcoder.FfmpegMissing, match="which does not run"):
        transcoder.find_ffmpeg(str(tmp_path / "ffmpeg"))


def _says(folder: Path, version: str) -> str:
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{version}\nEND\n")
    path.chmod(0o755)
    return str(path)
