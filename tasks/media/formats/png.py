"""PNG, still or animated (APNG)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.core.errors import InvalidMedia
from tasks.media.formats.row import Format, starts_with

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = b"IDAT"
FACTS = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")


def check(path: Path) -> None:
    """Raises InvalidMedia when the last chunk, IEND, is missing: so are the picture's last rows, in all likelihood."""
    if b"IEND" not in _chunks(path):
        raise InvalidMedia("the picture is cut off: its end is missing; copy it from the camera again")


def _chunks(path: Path) -> Iterator[bytes]:
    """The kinds of the chunks, in order, IEND the last one."""
    length, at = path.stat().st_size, len(SIGNATURE)
    with path.open("rb") as file:
        while at + 12 <= length:
            file.seek(at)
            header = file.read(8)
            yield header[4:]
            if header[4:] == b"IEND":
                return
            at += 12 + int.from_bytes(header[:4], "big")


def facts_at_the_end(path: Path) -> bool:
    """Whether something is said behind the pixels; Pillow reads it only once they are decoded."""
    pixels = False
    for kind in _chunks(path):
        if pixels and kind in FACTS:
            return True
        pixels = pixels or kind == PIXELS
    return False


def complete(picture: Picture, path: Path) -> None:
    """A picture without EXIF says so: Pillow would decode all of it to look behind the pixels for some."""
    if "Raw profile type exif" not in picture.info and not facts_at_the_end(path):
        picture.info.setdefault("exif", b"")


PNG = Format(
    name="png",
    words="a PNG picture",
    kind="image",
    content_type="image/png",
    extensions=(".png", ".apng"),
    sniff=starts_with(SIGNATURE),
    animates=True,
    decoders=("PNG",),
    modules=("PIL.PngImagePlugin",),
    check=check,
    complete=complete,
    decode_first=facts_at_the_end,
)
