"""M4A: sound in MP4's container, and what a video without a picture turns out to be."""

from __future__ import annotations

from tasks.media.formats import boxes
from tasks.media.formats.row import Format

BRANDS = (b"M4A ", b"M4B ", b"M4P ")

M4A = Format(
    name="m4a",
    words="sound (MPEG-4)",
    kind="document",
    content_type="audio/mp4",
    extensions=(".m4a", ".m4b"),
    sniff=lambda head: boxes.brands(head)[:1] in {(brand,) for brand in BRANDS},
    demuxer="mov",
)
