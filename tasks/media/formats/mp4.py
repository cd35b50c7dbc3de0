"""MP4: what phones, cameras and browsers write."""

from __future__ import annotations

from tasks.media.formats import boxes
from tasks.media.formats.row import Format

BRANDS = (
    *(b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"avc1", b"hvc1"),
    *(b"MSNV", b"XAVC", b"dash", b"cmfc", b"f4v ", b"mmp4", b"dby1", b"av01"),
)


def sniff(head: bytes) -> bool:
    return bool(set(BRANDS) & set(boxes.brands(head)))


MP4 = Format(
    name="mp4",
    words="an MP4 video",
    kind="video",
    content_type="video/mp4",
    extensions=(".mp4",),
    sniff=sniff,
    check=boxes.check,
    demuxer="mov",
)
