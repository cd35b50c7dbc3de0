"""TIFF, of which the first page is the picture."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from tasks.media.formats.row import Format

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

NEW_SUBFILE_TYPE = 254
MAKE = 271
SUB_DIRECTORIES = 330
DNG_VERSION = 50706
MOST_PAGES = 1_000  # that are counted


def sniff(head: bytes) -> bool:
    """A TIFF, but none of the raw formats that cameras build on it: their first page is a mere thumbnail."""
    return head[:4] in (b"II*\0", b"MM\0*") and not is_raw(head)


def is_raw(head: bytes) -> bool:
    """Canon's CR2, Adobe's DNG, and all that begin with a camera's reduced picture, such as Nikon's NEF and Sony's ARW."""
    if head[:4] not in (b"II*\0", b"MM\0*"):
        return False
    tags = _first_page(head)
    reduced = bool(tags.get(NEW_SUBFILE_TYPE, 0) & 1) and (MAKE in tags or SUB_DIRECTORIES in tags)
    return head[8:10] == b"CR" or DNG_VERSION in tags or reduced


def note(picture: Picture) -> str:
    """How many pages there are beside the one that is shown."""
    pages = _pages(picture)
    if pages == 1:
        return ""
    return f"shows the first of {pages if pages < MOST_PAGES else f'{MOST_PAGES:,} or more'} pages"


def _pages(picture: Picture) -> int:
    """Counted one by one: a broken or endless chain of pages ends where it breaks, or at MOST_PAGES."""
    found = 1
    with suppress(Exception):  # EOFError at the end, anything at all in a broken chain: the first page is a picture still
        while found < MOST_PAGES:
            picture.seek(found)
            found += 1
    picture.seek(0)
    return found


def _first_page(head: bytes) -> dict[int, int]:
    """The first page's tags with their values' 32 bits, as far as `head` holds them."""
    order = "<" if head[:2] == b"II" else ">"
    if len(head) < 8:
        return {}
    (at,) = struct.unpack_from(order + "I", head, 4)
    if at + 2 > len(head):
        return {}
    (count,) = struct.unpack_from(order + "H", head, at)
    whole = min(count, (len(head) - at - 2) // 12)
    rows = [struct.unpack_from(order + "HHII", head, at + 2 + 12 * row) for row in range(whole)]
    return {tag: value for tag, _, _, value in rows}


TIFF = Format(
    name="tiff",
    words="a TIFF picture",
    kind="image",
    content_type="image/tiff",
    extensions=(".tif", ".tiff"),
    sniff=sniff,
    convert=True,
    decoders=("TIFF",),
    modules=("PIL.TiffImagePlugin",),
    note=note,
)
