"""What a Live Photo's picture and film have in common: an identifier that the phone writes into both."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

from tasks.media import metadata

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAKER_NOTE = 0x927C
APPLE = b"Apple iOS\0"
BLOCK_AT = 14  # behind the name: two bytes of version, two of byte order
CONTENT_IDENTIFIER = 0x0011
ASCII = 2
MOST_TAGS = 200  # phones write about fifty
UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
LONGEST_FILM = 10.0  # seconds; phones film three


def of_picture(picture: Picture) -> str:
    """The identifier in Apple's maker note, "" without one. A broken note costs the identifier and never the picture."""
    return of_maker_note(metadata.sub_block(picture, metadata.EXIF_BLOCK).get(MAKER_NOTE))


def of_maker_note(note: Any) -> str:
    """Tag 0x0011 of "Apple iOS", whose offsets count from the note's first byte; "" for any other note."""
    if not isinstance(note, bytes) or not note.startswith(APPLE):
        return ""
    order = ">" if note[12:14] == b"MM" else "<"
    try:
        (count,) = struct.unpack_from(f"{order}H", note, BLOCK_AT)
        for place in range(min(count, MOST_TAGS)):
            tag, kind, length, at = struct.unpack_from(f"{order}HHII", note, BLOCK_AT + 2 + 12 * place)
            if tag == CONTENT_IDENTIFIER and kind == ASCII:
                return tidy(note[at : at + min(length, 64)])
    except struct.error:  # it ends in the middle of a tag
        return ""
    return ""


def of_film(stated: Any, seconds: float) -> str:
    """The identifier in QuickTime's metadata, "" where it is none or the film is longer than a Live Photo's."""
    return tidy(stated) if 0 < seconds <= LONGEST_FILM else ""


def tidy(stated: Any) -> str:
    """A UUID in capitals; "" for anything else, as this becomes a key in the catalog."""
    text = stated.decode("ascii", "replace") if isinstance(stated, bytes) else str(stated or "")
    found = text.split("\0")[0].strip().upper()
    return found if UUID.fullmatch(found) else ""
