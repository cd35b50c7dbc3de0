"""M4V: Apple's MP4, by its own brand."""

from __future__ import annotations

from tasks.media.formats import boxes
from tasks.media.formats.row import Format

BRANDS = (b"M4V ", b"M4VH", b"M4VP")

M4V = Format(
    name="m4v",
    words="an M4V video",
    kind="video",
    content_type="video/mp4",
    extensions=(".m4v",),
    sniff=lambda head: boxes.brands(head)[:1] in {(brand,) for brand in BRANDS},
    check=boxes.check,
    demuxer="mov",
)
