"""TIFF, of which the first page is the picture."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from tasks.media.formats.row import Format

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

NEW_SUBFILE_TYPE = 254
PHOTOMETRIC = 262
SENSOR = 32803  # photometric: the values of a colour filter array
MAKE = 271
STRIPS, TILES = 273, 324
SUB_DIRECTORIES = 330
DNG_VERSION = 50706
CANON, PHASE_ONE = b"CR", (b"IIII", b"MMMM")  # what their raw files have after TIFF's header
SHORT = 3
MOST_PAGES = 1_000  # that are counted


def sniff(head: bytes) -> bool:
    """A TIFF, but none of the raw formats that cameras build on it: their first page is a mere thumbnail."""
    return head[:4] in (b"II*\0", b"MM\0*") and not is_raw(head)


def is_raw(head: bytes) -> bool:
    """The raw formats that are TIFF files, by what their first page is: a DNG, a camera's reduced picture as in NEF and ARW,
    the sensor's values themselves as in PEF, or a page without a picture as in SRW; Canon's and Phase One's say it."""
    if head[:4] not in (b"II*\0", b"MM\0*"):
        return False
    tags = _first_page(head)
    reduced = bool(tags.get(NEW_SUBFILE_TYPE, 0) & 1) and (MAKE in tags or SUB_DIRECTORIES in tags)
    empty = MAKE in tags and SUB_DIRECTORIES in tags and STRIPS not in tags and TILES not in tags
    said = head[8:10] == CANON or head[8:12] in PHASE_ONE
    return said or DNG_VERSION in tags or reduced or empty or tags.get(PHOTOMETRIC) == SENSOR


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
    # A short number fills the first half of its four bytes.
    return {tag: value >> 16 if kind == SHORT and order == ">" else value for tag, kind, _, value in rows}


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
    decode_first=lambda path: True,
)
