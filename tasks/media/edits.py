"""Tells what a video or recording leaves out by its edit list or delay: frames and sound that it holds and no player shows."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from tasks.core.errors import InvalidMedia
from tasks.media import sandbox
from tasks.media.formats import Format, boxes, ebml

PICTURE, SOUND = b"vide", b"soun"
AT_ONE = 1 << 16  # a speed: 16 bits before the point and 16 after it
EMPTY = -1  # where an edit begins in which nothing is shown
FOREVER = 1 << 62
ABLE = ("mov", "matroska", "ogg")  # demuxers of containers that can leave something out
OPUS_AT, OPUS_RATE = 28, 48_000  # behind the first page's header; what Opus always counts in
LARGEST = 32 << 20  # bytes of a table; two hours of frames, each of another length, take 7 MB
# Whole packets of sound that may be left out: encoders begin with up to three that nobody is to hear, and fill up the last.
PRIMING, PADDING = 3, 2
# The same as a time, for containers that say it so: the makers of Opus ask for 80 ms.
DELAY = 0.1
CANNOT = "an edit hides a part of it in a way that cannot be followed here; export it anew from the program that cut it"


@dataclass(frozen=True)
class Hidden:
    """What the edits leave out.

    With `early` it has times before zero and is not marked otherwise, as in fragmented files: ffmpeg shows it unless told.
    With `spliced` several stretches of the picture follow one another: ffmpeg finds no moment in them but the beginning.
    """

    picture: bool = False
    sound: bool = False
    early: bool = False
    spliced: bool = False


@dataclass(frozen=True)
class Edit:
    """One line of an edit list: its length in the movie's ticks, where it begins in the track's, and its speed."""

    length: int
    begin: int
    speed: int


@dataclass(frozen=True)
class Samples:
    """When a track's first frame or packet is shown and its last (None when fragments follow), and how long one lasts; ticks."""

    first: int
    last: int | None
    step: int


@dataclass(frozen=True)
class Track:
    """A track of the movie with its edits; `ticks` are those of a second, `stored` that `moov` itself lists its samples."""

    kind: bytes
    ticks: int
    edits: tuple[Edit, ...]
    samples: Samples
    stored: bool


def hidden(path: Path) -> Hidden:
    """What the edits of the file at `path` leave out. Raises InvalidMedia where ffmpeg would show it whatever it is told.

    A movie that says too little to be sure of hides something.
    """
    try:
        with path.open("rb") as file:
            return _hidden(path, file)
    except (struct.error, ZeroDivisionError):  # tables that end too soon or contradict each other, a clock without a tick
        return Hidden(picture=True, sound=True)


def hidden_in(path: Path, row: Format) -> Hidden:
    """What is left out of a file of any format, looked at in a child of its own. Raises InvalidMedia."""
    if row.demuxer not in ABLE:
        return Hidden()
    with sandbox.workspace() as empty:
        return Hidden(**sandbox.run(found, path.resolve(), row.demuxer, directory=empty))


def found(path: Path, demuxer: str) -> dict[str, Any]:
    """In the child: the fields of Hidden. Containers without edit lists may say how much sound is not to be heard."""
    if demuxer == "mov":
        return asdict(hidden(path))
    delay = {"matroska": ebml.codec_delay, "ogg": _pre_skip}.get(demuxer)
    early = delay is not None and delay(path) > DELAY
    return asdict(Hidden(picture=early, sound=early, early=early))


def _pre_skip(path: Path) -> float:
    """Seconds that an Ogg file's Opus begins before it is heard; 0.0 for any other sound."""
    with path.open("rb") as file:
        head = file.read(OPUS_AT + 12)[OPUS_AT:]
    return int.from_bytes(head[10:12], "little") / OPUS_RATE if head.startswith(b"OpusHead") else 0.0


def _hidden(path: Path, file: IO[bytes]) -> Hidden:
    movie = next(((at + 8, at + size) for kind, at, size in boxes.boxes(path) if kind == b"moov"), None)
    tracks = list(_tracks(path, file, *movie)) if movie else []
    if not movie or not any(track.kind in (PICTURE, SOUND) for track in tracks):
        return Hidden(picture=True, sound=True)
    ticks = _clock(file, *movie, b"mvhd")
    found, followed, spliced = set(), True, False
    for track in tracks:
        # From the first track without samples of its own on, ffmpeg takes of an edit list only where it begins.
        followed = followed and track.stored
        if track.kind in (PICTURE, SOUND) and track.edits and not _is_whole(track, ticks):
            _must_be_followed(track, ticks, followed)
            found.add((track.kind, followed))
            spliced = spliced or (track.kind == PICTURE and len(track.edits) > 1)
    early = any(not followed for _, followed in found)
    kinds = {kind for kind, _ in found}
    return Hidden(picture=early or PICTURE in kinds, sound=early or SOUND in kinds, early=early, spliced=spliced)


def _is_whole(track: Track, ticks: int) -> bool:
    """Whether one edit at the usual speed shows all of it, but for what an encoder of sound puts at its ends."""
    edits = track.edits[1:] if track.edits[0].begin == EMPTY else track.edits  # a track may begin later
    if len(edits) != 1 or edits[0].speed != AT_ONE or edits[0].begin == EMPTY:
        return False
    samples, (begin, end) = track.samples, _stretch(edits[0], track, ticks)
    few = samples.step if track.kind == SOUND else 0
    starts = begin < samples.first + PRIMING * few if few else begin <= samples.first
    return starts and (samples.last is None or samples.last - PADDING * few < end)


def _stretch(edit: Edit, track: Track, ticks: int) -> tuple[int, int]:
    """What an edit shows at the usual speed, in the track's ticks. Of fragments it says only where they begin."""
    if track.samples.last is None:
        return edit.begin, FOREVER
    return edit.begin, edit.begin + -(-edit.length * track.ticks // ticks)


def _must_be_followed(track: Track, ticks: int, followed: bool) -> None:
    """Raises InvalidMedia where ffmpeg would show more than the edits do: it knows no speed, nor a gap but at the beginning."""
    shown = _merged([_at_its_speed(edit, track, ticks) for edit in track.edits if edit.begin != EMPTY])
    edits = track.edits[1:] if track.edits[0].begin == EMPTY else track.edits
    taken = [_stretch(edit, track, ticks) for edit in edits]
    if not followed:
        taken = [(edits[0].begin, FOREVER)] if edits else [(0, FOREVER)]
    first, last = track.samples.first, FOREVER if track.samples.last is None else track.samples.last
    for begin, end in taken:
        begin, end = max(begin, first), min(end, last + 1)
        if begin < end and not any(left <= begin and end <= right for left, right in shown):
            raise InvalidMedia(CANNOT)


def _at_its_speed(edit: Edit, track: Track, ticks: int) -> tuple[int, int]:
    begin, end = _stretch(edit, track, ticks)
    return begin, begin + max(1, (end - begin) * max(0, edit.speed) // AT_ONE)


def _merged(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(stretches):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


# ---- boxes ----


def _tracks(path: Path, file: IO[bytes], begin: int, end: int) -> Iterator[Track]:
    for kind, at, to in boxes.inside(file, begin, end):
        if kind == b"trak":
            yield _track(path, file, at, to, begin, end)


def _track(path: Path, file: IO[bytes], at: int, to: int, movie: int, movie_end: int) -> Track:
    media = boxes.first(file, at, to, b"mdia") or (to, to)
    handler = _body(file, boxes.first(file, *media, b"hdlr"))[8:12]
    ticks = _clock(file, *media, b"mdhd")
    edits = _edits(_body(file, boxes.first(file, at, to, b"edts", b"elst")))
    table = boxes.first(file, *media, b"minf", b"stbl") or (to, to)
    steps = _pairs(_body(file, boxes.first(file, *table, b"stts")), "II")
    if not edits:  # whatever it holds is shown
        return Track(handler, ticks, edits, Samples(0, 0, 1), bool(steps))
    if sum(count for count, _ in steps) != _counted(file, *table):
        raise struct.error("two tables that count differently")
    samples = _listed(steps, _pairs(_body(file, boxes.first(file, *table, b"ctts")), "Ii"))
    fragmented = boxes.first(file, movie, movie_end, b"mvex") is not None
    if fragmented:
        first = samples or _in_fragments(path, file, at, to, movie, movie_end)
        samples = Samples(first.first, None, first.step)
    return Track(handler, ticks, edits, samples or Samples(0, 0, 1), bool(steps))


def _body(file: IO[bytes], found: tuple[int, int] | None) -> bytes:
    if not found:
        return b""
    if found[1] - found[0] > LARGEST:
        raise struct.error("a table beyond belief")
    file.seek(found[0])
    return file.read(found[1] - found[0])


def _clock(file: IO[bytes], begin: int, end: int, kind: bytes) -> int:
    """Ticks a second, as a movie's or a track's header says."""
    body = _body(file, boxes.first(file, begin, end, kind))
    (ticks,) = struct.unpack_from(">I", body, 20 if body[:1] == b"\1" else 12)
    return int(ticks)


def _edits(body: bytes) -> tuple[Edit, ...]:
    if not body:
        return ()
    version, count = body[0], struct.unpack_from(">I", body, 4)[0]
    line = struct.Struct(">Qqi" if version == 1 else ">Iii")
    lines = min(count, (len(body) - 8) // line.size)
    return tuple(Edit(*line.unpack_from(body, 8 + number * line.size)) for number in range(lines))


def _counted(file: IO[bytes], begin: int, end: int) -> int:
    """How many samples a track has by the table of their sizes."""
    body = _body(file, boxes.first(file, begin, end, b"stsz") or boxes.first(file, begin, end, b"stz2"))
    return int(struct.unpack_from(">I", body, 8)[0]) if body else 0


def _pairs(body: bytes, layout: str) -> list[tuple[int, int]]:
    """The lines of a table, (how many samples, a number of theirs)."""
    if not body:
        return []
    (count,) = struct.unpack_from(">I", body, 4)
    return list(struct.iter_unpack(f">{layout}", body[8 : 8 + min(count, (len(body) - 8) // 8) * 8]))


def _listed(steps: Sequence[tuple[int, int]], shifts: Sequence[tuple[int, int]]) -> Samples | None:
    """From a track's tables: how long after one another samples are decoded, and how long after that each is shown."""
    times: list[int] = []
    rest, at, left, shift = iter(shifts), 0, 0, 0
    for count, step in steps:
        while count:
            if not left:
                left, shift = next(rest, (count, 0))
            few = min(count, left)
            if few:
                times += (at + shift, at + (few - 1) * step + shift)
            at, count, left = at + few * step, count - few, left - few
    return Samples(min(times), max(times), steps[0][1]) if times else None


# ---- fragments ----


def _in_fragments(path: Path, file: IO[bytes], at: int, to: int, movie: int, movie_end: int) -> Samples:
    """When the first sample of a track is shown, where `moov` lists none: the first one decoded, as it needs no other."""
    header = _body(file, boxes.first(file, at, to, b"tkhd"))
    (number,) = struct.unpack_from(">I", header, 20 if header[:1] == b"\1" else 12)
    for kind, begin, size in boxes.boxes(path):
        if kind == b"moof":
            for name, left, right in boxes.inside(file, begin + 8, begin + size):
                if name == b"traf" and _named(file, left, right) == number:
                    return _first_of(file, left, right, _usual(file, movie, movie_end, number))
    return Samples(0, None, 1)


def _named(file: IO[bytes], begin: int, end: int) -> int:
    return int(struct.unpack_from(">I", _body(file, boxes.first(file, begin, end, b"tfhd")), 4)[0])


def _usual(file: IO[bytes], movie: int, movie_end: int, number: int) -> int:
    """How long a sample of a track lasts where its fragment does not say."""
    extends = boxes.first(file, movie, movie_end, b"mvex") or (0, 0)
    for kind, begin, end in boxes.inside(file, *extends):
        if kind == b"trex":
            track, _, step = struct.unpack_from(">4xIII", _body(file, (begin, end)))
            if track == number:
                return int(step)
    return 1


def _first_of(file: IO[bytes], begin: int, end: int, usual: int) -> Samples:
    """The first sample of a fragment: its base time, and what its run says of it."""
    base = _body(file, boxes.first(file, begin, end, b"tfdt"))
    (time,) = struct.unpack_from(">Q" if base[:1] == b"\1" else ">I", base, 4) if base else (0,)
    header = _body(file, boxes.first(file, begin, end, b"tfhd"))
    run = _body(file, boxes.first(file, begin, end, b"trun"))
    (says,), (given,) = struct.unpack_from(">I", header), struct.unpack_from(">I", run)
    if says & 0x8:
        (usual,) = struct.unpack_from(">I", header, 8 + 8 * bool(says & 0x1) + 4 * bool(says & 0x2))
    at = 8 + 4 * bool(given & 0x1) + 4 * bool(given & 0x4)
    step = struct.unpack_from(">I", run, at)[0] if given & 0x100 else usual
    at += 4 * sum(bool(given & flag) for flag in (0x100, 0x200, 0x400))
    shift = struct.unpack_from(">i", run, at)[0] if given & 0x800 else 0
    return Samples(time + shift, None, step)
