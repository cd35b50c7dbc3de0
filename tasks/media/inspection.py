"""Looks at an uploaded file: what it is, whether it is whole and within the limits, and what it says of itself."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from tasks.core.errors import InvalidMedia
from tasks.core.models import Kind, Media
from tasks.media import metadata, pictures, sandbox, video_facts
from tasks.media.formats import FORMATS, HEAD, M4A, SHOWN_EXTENSIONS, UNKNOWN, Format, by_name, sniff
from tasks.media.limits import Limits

DRAFT = 8  # a JPEG decoded at an eighth of its size has had every byte read, at a third of the cost


def inspect(path: Path, name: str, limits: Limits) -> Media:
    """The facts of the file at `path`, which its contributor called `name`. No SHA-256: who downloads it has that already.

    Raises InvalidMedia, with a reason in words, for what is broken, beyond the limits, or not what its name promises.
    """
    size = path.stat().st_size
    if size == 0:
        raise InvalidMedia("the file is empty")
    with path.open("rb") as file:
        row = sniff(file.read(HEAD)) or UNKNOWN
    _keeps_its_promise(row, name)
    limits.check_bytes(size, row.kind)
    row.check(path)
    if row.kind == "image":
        return _picture(path, row, size, limits)
    if row.kind == "video":
        return _video(path, row, size, limits)
    return Media("accepted", kind="document", format=row.name, content_type=row.content_type, bytes=size)


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
    if row.kind == "document" and end in SHOWN_EXTENSIONS and not (row is M4A and end in by_name("mp4").extensions):
        raise InvalidMedia(f"is named {end} but holds {row.words}; upload the original file, or give it its right ending")


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
        convert=row.convert,
        **facts,
    )


def _look(path: Path, row: Format, limits: Limits) -> dict[str, Any]:
    """In the child: a picture's facts, and the proof that it decodes to its end."""
    with pictures.opened(path, row, limits) as picture:
        frames = pictures.frames(picture, row)
        limits.check_frames(frames)
        animated = frames > 1
        if row.decode_once:
            return {**_facts(picture), "animated": animated}
        full = picture.size
        picture.draft(None, (max(1, full[0] // DRAFT), max(1, full[1] // DRAFT)))
        pictures.decoded(picture, row)
        # Only now: TIFF turns itself upright while it loads.
        turn = pictures.orientation(picture)
        facts = _facts(picture)
        if row.name == "jpeg":
            facts["width"], facts["height"] = full[::-1] if turn in pictures.SIDEWAYS else full
        return {**facts, "animated": animated, "phash": pictures.fingerprint(pictures.upright(picture, turn))}


def _facts(picture: Any) -> dict[str, Any]:
    block = pictures.exif(picture)
    width, height = pictures.upright_size(picture)
    return {
        "width": width,
        "height": height,
        "taken_at": metadata.taken_at(_sub_block(block)),
        "camera": metadata.camera(block.get(metadata.MAKE), block.get(metadata.MODEL)),
    }


def _sub_block(block: Any) -> dict[int, Any]:
    """EXIF's second block, where the time stands; empty when it is broken."""
    try:
        return dict(block.get_ifd(metadata.EXIF_BLOCK))
    except Exception:  # a broken block costs the facts in it, not the picture
        return {}


def _video(path: Path, row: Format, size: int, limits: Limits) -> Media:
    facts = video_facts.read(path)
    if not facts.codec:
        return Media("accepted", kind="document", format=M4A.name, content_type=M4A.content_type, bytes=size)
    limits.check_seconds(facts.duration)
    limits.check_pixels(facts.width * facts.height)
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
        codecs=tuple(name for name in (facts.codec, facts.audio) if name),
    )
