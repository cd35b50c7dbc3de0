"""QuickTime: what iPhones and editors write; older files have no brand."""

from __future__ import annotations

from tasks.media.formats import boxes
from tasks.media.formats.row import Format

BRAND = b"qt  "
# Files without `ftyp` begin with one of these boxes.
FIRST = (b"moov", b"mdat", b"wide", b"pnot")


def sniff(head: bytes) -> bool:
    return boxes.brands(head)[:1] == (BRAND,) or head[4:8] in FIRST


MOV = Format(
    name="mov",
    words="a QuickTime video",
    kind="video",
    content_type="video/quicktime",
    extensions=(".mov", ".qt"),
    sniff=sniff,
    check=boxes.check,
    demuxer="mov",
)
