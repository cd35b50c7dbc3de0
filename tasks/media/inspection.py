"""Looks at an uploaded file: what it is, whether it is whole and within the limits, and what it says of itself."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tasks.core.byproducts import left_out
from tasks.core.errors import InvalidMedia
from tasks.core.models.media import Media
from tasks.core.models.renditions import Kind
from tasks.media import edits, live_photo, metadata, pictures, sandbox, video_facts
from tasks.media.formats import FORMATS, HEAD, SHOWN_EXTENSIONS, UNKNOWN, Format, by_name, sniff, sound_of
from tasks.media.limits import Limits

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


def inspect(path: Path, name: str, limits: Limits) -> Media:
    """The facts of the file at `path`, which its contributor called `name`. No SHA-256: who downloads it has that already.

    Raises InvalidMedia, with a reason in words, for what is broken, beyond the limits, or not what its name promises. A
    picture's pixels are not looked at: whoever makes something of them decodes them, once, and finds out whether they are whole.
    """
    if words := left_out(name):
        raise InvalidMedia(words)
    size = path.stat().st_size
    if size == 0:
        raise InvalidMedia("the file is empty")
    with path.open("rb") as file:
        row = sniff(file.read(HEAD)) or UNKNOWN
    _keeps_its_promise(row, name)
    limits.check_bytes(size, row.kind)
    if row.kind == "image":
        return _picture(path, row, size, limits)
    row.check(path)
    if row.kind == "video":
        return _video(path, row, size, limits)
    edits.hidden_in(path, row)  # or refused
    return _document(row, size)


def _document(row: Format, size: int) -> Media:
    """Listed and downloaded; one that ffmpeg may open is listened to as well."""
    return Media(
        "accepted",
        kind="document",
        format=row.name,
        content_type=row.content_type,
        bytes=size,
        sound=bool(row.demuxer),
    )


def place(path: Path, format: str, limits: Limits) -> str:
    """Where a picture or video says it was taken, `latitude,longitude` in degrees; "" when it does not. Raises InvalidMedia.

    Apart from `inspect`, for nobody is told unless the operator asks.
    """
    row = by_name(format)
    if row.kind == "video":
        return video_facts.place(path)
    if row.kind != "image":
        return ""
    pictures.warm(row)
    with sandbox.workspace() as empty:
        return str(sandbox.run(_place, path.resolve(), row, limits, directory=empty))


def _place(path: Path, row: Format, limits: Limits) -> str:
    with pictures.opened(path, row, limits) as picture:
        return metadata.place(picture)


def expected_kind(name: str) -> Kind:
    """The kind that a file's name promises, for a look at its size before a byte of it was read.

    A name that promises nothing gets a video's benefit of the doubt; its content decides afterwards.
    """
    end = _ending(name)
    return next((row.kind for row in FORMATS if end in row.extensions), "video")


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _keeps_its_promise(row: Format, name: str) -> None:
    end = _ending(name)
    if row.kind == "document" and end in SHOWN_EXTENSIONS and not _may_hold_sound(row, end):
        raise InvalidMedia(f"is named {end} but holds {row.words}; upload the original file, or give it its right ending")


def _may_hold_sound(row: Format, end: str) -> bool:
    """Sound in a video's container is often named as one."""
    return bool(row.demuxer) and any(end in other.extensions for other in FORMATS if other.demuxer == row.demuxer)


def _picture(path: Path, row: Format, size: int, limits: Limits) -> Media:
    pictures.warm(row)
    with sandbox.workspace() as empty:
        facts = sandbox.run(_look, path.resolve(), row, limits, directory=empty)
    return Media(
        "accepted",
        kind="image",
        format=row.name,
        content_type=row.content_type,
        bytes=size,
        # What moves stays as it is: a master would hold one frame of it.
        convert=row.convert and not facts["animated"],
        **facts,
    )


def _look(path: Path, row: Format, limits: Limits) -> dict[str, Any]:
    """In the child: a picture's facts, and that its file has an end."""
    row.check(path)
    with pictures.opened(path, row, limits) as picture:
        frames = pictures.frames(picture, row)
        limits.check_frames(frames, picture.width * picture.height)
        more = {"animated": frames > 1, "note": row.note(picture)}
        if row.decode_first(path):
            pictures.decoded(picture, row)
        return {**_facts(picture), **more}


def _facts(picture: Picture) -> dict[str, Any]:
    width, height = pictures.upright_size(picture)
    return {"width": width, "height": height, **metadata.facts(picture), "pair": live_photo.of_picture(picture)}


def _video(path: Path, row: Format, size: int, limits: Limits) -> Media:
    facts = video_facts.read(path)
    if not facts.codec:
        return _document(sound_of(row), size)
    limits.check_seconds(facts.duration)
    limits.check_pixels(facts.width * facts.height)
    limits.check_video_frames(facts.frames)
    return Media(
        "accepted",
        kind="video",
        format=row.name,
        content_type=row.content_type,
        bytes=size,
        width=facts.width,
        height=facts.height,
        duration=facts.duration,
        taken_at=facts.taken_at,
        camera=facts.camera,
        lens=facts.lens,
        pair=facts.pair,
        live=bool(facts.pair),
        codecs=tuple(name for name in (facts.codec, facts.audio) if name),
        video=facts.facts,
    )
