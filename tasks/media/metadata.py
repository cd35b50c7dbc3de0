"""What a picture says of itself: when it was taken and with which camera. Serial numbers and places are not read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

EXIF_BLOCK = 0x8769
MAKE = 0x010F
MODEL = 0x0110
TIME_ORIGINAL = 0x9003
TIME_DIGITIZED = 0x9004
OFFSET_ORIGINAL = 0x9011
OFFSET_DIGITIZED = 0x9012
LONGEST = 80


def taken_at(exif_block: Mapping[int, Any]) -> str:
    """ISO 8601 with the camera's offset where it states one, from the EXIF sub-block; "" when it does not say when."""
    for time, offset in ((TIME_ORIGINAL, OFFSET_ORIGINAL), (TIME_DIGITIZED, OFFSET_DIGITIZED)):
        stamp = iso_time(words(exif_block.get(time)), words(exif_block.get(offset)))
        if stamp:
            return stamp
    return ""


def iso_time(stamp: str, offset: str = "") -> str:
    """`2024:05:04 10:11:12` and `+02:00` as `2024-05-04T10:11:12+02:00`; "" for what is no such time."""
    try:
        moment = datetime.strptime(stamp[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return ""
    try:
        return datetime.fromisoformat(moment.isoformat() + offset).isoformat()
    except ValueError:
        return moment.isoformat()


def camera(make: Any, model: Any) -> str:
    """Make and model, the make once: `Canon` and `Canon EOS R5` are `Canon EOS R5`."""
    maker, thing = words(make), words(model)
    if thing.lower().startswith(maker.lower()):
        return thing
    return f"{maker} {thing}".strip()


def words(value: Any) -> str:
    """A camera's text, made safe to show: one line, printable, short; "" for anything else."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    text = "".join(sign if sign.isprintable() else " " for sign in value.split("\0")[0])
    return " ".join(text.split())[:LONGEST]
