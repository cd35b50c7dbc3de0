"""What a contributor cut away with an edit list is not published, though the file still holds it."""

from __future__ import annotations

import array
import itertools
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from boxed import EMPTY, ONCE, edited

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, edits, inspect, sound, video, video_facts, video_plan
from tasks.media.edits import Hidden
from tasks.media.transcoder import find_ffmpeg

Ffmpeg = Callable[..., None]
# Four seconds of 25 frames, each with its number in seven bars, black or white; a keyframe every two seconds, and frames between
# that refer to later ones.
BARS = "geq=lum='if(mod(floor(N/pow(2,floor(X/16))),2),235,16)':cb=128:cr=128"
NUMBERED = ("-f", "lavfi", "-i", f"color=black:s=112x64:r=25:d=4,format=yuv420p,{BARS}")
# A second of 440 Hz, then a second of 880 Hz, and so on.
TONES = ("-f", "lavfi", "-i", "aevalsrc='0.5*sin(2*PI*440*(1+floor(t))*t)':d=4:s=48000")
H264 = ("-c:v", "libx264", "-bf", "2", "-g", "50", "-sc_threshold", "0")
FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov+delay_moov")
DELAY = 1024  # ticks, of 12,800 a second: two frames for those that refer to later ones
PRIMING = 1024  # samples that ffmpeg's AAC encoder puts before the first


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Ffmpeg) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    ffmpeg(*NUMBERED, *TONES, *H264, "-c:a", "aac", path)
    return path


@pytest.fixture
def cut(film: Path, tmp_path: Path) -> Path:
    """A copy of the film, to be edited."""
    path = tmp_path / "cut.mp4"
    path.write_bytes(film.read_bytes())
    return path


def _read(path: Path, *options: str) -> bytes:
    """What a player that follows no edit gives out."""
    unedited = () if path.suffix == ".opus" or path.read_bytes()[:4] == b"OggS" else ("-ignore_editlist", "1")
    command = [find_ffmpeg(), "-v", "error", "-nostdin", *unedited, "-i", str(path), *options, "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def _frames(path: Path) -> list[int]:
    """The number of each frame that the file holds, hidden or not."""
    bars = ("-map", "0:v:0", "-fps_mode", "passthrough", "-vf", "scale=7:1:flags=area,format=gray")
    rows = _read(path, *bars, "-f", "rawvideo")
    return [sum((level > 128) << bit for bit, level in enumerate(rows[at : at + 7])) for at in range(0, len(rows), 7)]


def _tones(path: Path) -> set[int]:
    """The seconds of the source that are in the sound that the file holds, hidden or not."""
    samples = array.array("h", _read(path, "-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "s16le"))
    parts = [samples[at : at + 4800] for at in range(0, len(samples) - 4800, 2400)]
    found = [_hertz(part) / 440 - 1 for part in parts if max(map(abs, part)) > 2000]
    return {round(second) for second in found if abs(second - round(second)) < 0.05}


def _hertz(part: Sequence[int]) -> float:
    """Of a tenth of a second of one tone."""
    return sum((left < 0) != (right < 0) for left, right in itertools.pairwise(part)) * 5


def _made(path: Path, out: Path, segment_seconds: int = 30) -> video.Joined:
    return video.make_video(path, out, Limits(), segment_seconds)


def _plan(path: Path) -> bool:
    return video_plan.plan_video(path, video_facts.read(path), 30, Limits()).remux


CUTS: dict[str, tuple[list[tuple[float, float, float]], list[int]]] = {
    "its beginning": ([(1, 3, ONCE)], list(range(75, 100))),
    "its end": ([(1, 0, ONCE)], list(range(25))),
    "both": ([(1, 1.2, ONCE)], list(range(30, 55))),
    "its middle": ([(1, 0, ONCE), (1, 3, ONCE)], [*range(25), *range(75, 100)]),
    "in another order": ([(1, 2, ONCE), (0.8, 0.4, ONCE)], [*range(50, 75), *range(10, 30)]),
    "one frame": ([(0.04, 1, ONCE)], [25]),
}


@pytest.mark.parametrize("seconds", [30, 1])
@pytest.mark.parametrize("case", CUTS)
def test_no_frame_is_published_that_an_edit_hides(cut: Path, out: Path, case: str, seconds: int) -> None:
    stretches, shown = CUTS[case]
    edited(cut, b"vide", stretches, DELAY)
    edited(cut, b"soun", stretches, PRIMING)
    assert _frames(cut) == list(range(100)), "all of them are in the upload"
    made = _made(cut, out, seconds)
    assert _frames(made.video) == shown
    assert _tones(made.video) <= {frame // 25 for frame in shown}


def test_a_film_cut_between_keyframes_without_encoding(film: Path, tmp_path: Path, ffmpeg: Ffmpeg, out: Path) -> None:
    """As editors that promise a cut without loss do it: from the keyframe before on all is there, and most is hidden."""
    ffmpeg("-ss", "3.2", "-i", film, "-c", "copy", tmp_path / "a.mp4")
    assert min(_frames(tmp_path / "a.mp4")) == 50
    assert not _plan(tmp_path / "a.mp4")
    assert _frames(_made(tmp_path / "a.mp4", out).video) == list(range(80, 100))


@pytest.mark.parametrize("seconds", [30, 1])
def test_the_same_in_fragments(film: Path, tmp_path: Path, ffmpeg: Ffmpeg, out: Path, seconds: int) -> None:
    ffmpeg("-ss", "2.8", "-i", film, "-c", "copy", *FRAGMENTS, tmp_path / "a.mp4")
    assert min(_frames(tmp_path / "a.mp4")) == 50
    made = _made(tmp_path / "a.mp4", out, seconds)
    assert _frames(made.video) == list(range(70, 100))
    assert _tones(made.video) == {2, 3}


def test_only_the_hidden_track_is_encoded_anew(cut: Path, out: Path) -> None:
    edited(cut, b"soun", [(2, 2, ONCE)], PRIMING)
    assert _tones(cut) == {0, 1, 2, 3}
    assert _plan(cut)
    made = _made(cut, out)
    assert _frames(made.video) == list(range(100))
    assert _tones(made.video) == {2, 3}


@pytest.mark.parametrize("options", [(), FRAGMENTS, ("-movflags", "+negative_cts_offsets"), ("-use_editlist", "0")])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_an_ordinary_clip_is_still_taken_as_it_is(
    film: Path, tmp_path: Path, ffmpeg: Ffmpeg, out: Path, name: str, options: tuple[str, ...]
) -> None:
    """Two frames' delay, an encoder's first samples: their edit hides nothing that anybody filmed."""
    ffmpeg("-i", film, "-c", "copy", *options, tmp_path / name)
    facts = video_facts.read(tmp_path / name)
    assert (facts.hidden, facts.audio_hidden, facts.early) == (False, False, False)
    assert _plan(tmp_path / name)
    assert _frames(_made(tmp_path / name, out).video) == list(range(100))


def test_a_track_may_begin_later_and_hide_nothing(cut: Path) -> None:
    edited(cut, b"vide", [(0.5, EMPTY, ONCE), (4, 0, ONCE)], DELAY)
    assert edits.hidden(cut) == Hidden()


UNFOLLOWED = {
    "half as fast": [(2, 0, 0.5)],
    "a frame that stands": [(1, 0, ONCE), (2, 1, 0)],
    "a gap": [(1, 3, ONCE), (1, EMPTY, ONCE)],
}


@pytest.mark.parametrize("case", UNFOLLOWED)
def test_what_ffmpeg_would_show_all_the_same_is_refused_in_words(cut: Path, case: str) -> None:
    edited(cut, b"vide", UNFOLLOWED[case], DELAY)
    with pytest.raises(InvalidMedia, match=r"an edit hides a part of it .* export it anew"):
        inspect(cut, "cut.mp4", Limits())


def test_a_film_that_is_slower_all_over_hides_nothing_that_could_be_shown(cut: Path, out: Path) -> None:
    edited(cut, b"vide", [(8, 0, 0.5)], DELAY)
    assert not _plan(cut)
    assert _frames(_made(cut, out).video) == list(range(100))


@pytest.mark.parametrize("kind", [b"stts", b"stsz", b"ctts"])
def test_tables_that_contradict_each_other_are_not_believed(cut: Path, kind: bytes) -> None:
    data = bytearray(cut.read_bytes())
    at = data.index(kind)
    data[at + 4 : at + 20] = b"\0" * 12 + b"\xff\xff\xff\xf0"
    cut.write_bytes(data)
    assert edits.hidden(cut).picture


@pytest.mark.parametrize("options", [(), FRAGMENTS], ids=["listed", "in fragments"])
def test_no_sound_of_a_recording_is_published_that_an_edit_hides(
    tmp_path: Path, ffmpeg: Ffmpeg, out: Path, options: tuple[str, ...]
) -> None:
    path = tmp_path / "a.m4a"
    ffmpeg(*TONES, "-c:a", "aac", "-f", "mp4", "-brand", "M4A ", *options, path)
    if options:
        _begun_later(path, 2 * 48_000 + PRIMING)
    else:
        edited(path, b"soun", [(1, 2, ONCE)], PRIMING)
    media = inspect(path, "a.m4a", Limits())
    assert (media.kind, media.format) == ("document", "m4a")
    assert _tones(path) == {0, 1, 2, 3}
    plain = sound.without_tags(path, media.format, out / "plain", Limits())
    assert plain.content_type == "audio/mp4"
    assert _tones(plain.path) == ({2, 3} if options else {2})


def _begun_later(path: Path, ticks: int) -> None:
    """Of a fragmented file with one edit: it begins so many ticks later."""
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 16
    data[at : at + 4] = ticks.to_bytes(4, "big")
    path.write_bytes(data)


def test_an_ordinary_recording_is_not_encoded_anew(tmp_path: Path, ffmpeg: Ffmpeg, out: Path) -> None:
    ffmpeg(*TONES, "-c:a", "aac", tmp_path / "a.m4a")
    plain = sound.without_tags(tmp_path / "a.m4a", "m4a", out / "plain", Limits())
    packets = ("-map", "0:a", "-c", "copy", "-f", "md5")
    assert _read(plain.path, *packets) == _read(tmp_path / "a.m4a", *packets)


# ---- containers without edit lists ----


def _delayed(path: Path, nanoseconds: int) -> None:
    """Of a Matroska file with one delayed track, whose delay is written in as many bytes: another delay."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\x56\xaa\x84") + 3
    data[at : at + 4] = nanoseconds.to_bytes(4, "big")
    path.write_bytes(data)


def test_the_sound_before_a_matroska_films_beginning_stays_hidden(film: Path, tmp_path: Path, ffmpeg: Ffmpeg, out: Path) -> None:
    ffmpeg("-i", film, "-c", "copy", tmp_path / "a.mkv")
    assert _plan(tmp_path / "a.mkv")
    _delayed(tmp_path / "a.mkv", 2_000_000_000)
    made = _made(tmp_path / "a.mkv", out)
    assert _tones(made.video) == {2, 3}
    assert _frames(made.video) == list(range(100))


def test_the_sound_before_a_matroska_recordings_beginning_stays_hidden(tmp_path: Path, ffmpeg: Ffmpeg, out: Path) -> None:
    ffmpeg(*TONES, "-c:a", "aac", tmp_path / "a.mka")
    _delayed(tmp_path / "a.mka", 2_000_000_000)
    plain = sound.without_tags(tmp_path / "a.mka", "mka", out / "plain", Limits())
    assert (plain.content_type, _tones(plain.path)) == ("audio/mp4", {2, 3})


@pytest.mark.parametrize(("samples", "content_type"), [(312, "audio/ogg"), (3840, "audio/ogg"), (48_000, "audio/mp4")])
def test_the_sound_before_an_opus_files_beginning_stays_hidden(
    tmp_path: Path, ffmpeg: Ffmpeg, out: Path, samples: int, content_type: str
) -> None:
    """RFC 7845 lets an editor crop the beginning by the pre-skip alone."""
    ffmpeg(*TONES, "-c:a", "libopus", "-b:a", "160k", tmp_path / "a.opus")
    data = bytearray((tmp_path / "a.opus").read_bytes())
    at = data.index(b"OpusHead") + 10
    data[at : at + 2] = samples.to_bytes(2, "little")
    data[22:26] = bytes(4)
    data[22:26] = _ogg_checksum(bytes(data[:47])).to_bytes(4, "little")
    (tmp_path / "a.opus").write_bytes(data)
    plain = sound.without_tags(tmp_path / "a.opus", "ogg", out / "plain", Limits())
    assert plain.content_type == content_type
    assert _tones(plain.path) == ({1, 2, 3} if samples > 4800 else {0, 1, 2, 3})


def _ogg_checksum(page: bytes) -> int:
    """As RFC 3533 has it: the polynomial 0x04c11db7, no reflection, zero at both ends."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value
