"""MP4 and MOV: the two faces of one container, which phones and cameras write."""

from __future__ import annotations

from tasks.media.formats import boxes
from tasks.media.formats.row import Format

AUDIO = (b"M4A ", b"M4B ", b"M4P ")
MOV_BRAND = b"qt  "
MP4_BRANDS = (
    *(b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"avc1", b"hvc1"),
    *(b"M4V ", b"M4VH", b"M4VP", b"MSNV", b"XAVC", b"dash", b"f4v ", b"mmp4", b"dby1"),
    *(b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3g2a", b"3g2b", b"3g2c"),
)
# Old QuickTime files have no `ftyp`: they begin with one of these boxes.
OLD_MOV = (b"moov", b"mdat", b"wide", b"pnot")


def sniff_mp4(head: bytes) -> bool:
    found = boxes.brands(head)
    return found[:1] not in ((MOV_BRAND,), *((brand,) for brand in AUDIO)) and bool(set(MP4_BRANDS) & set(found))


def sniff_mov(head: bytes) -> bool:
    return boxes.brands(head)[:1] == (MOV_BRAND,) or head[4:8] in OLD_MOV


def sniff_m4a(head: bytes) -> bool:
    found = boxes.brands(head)
    return bool(found) and found[0] in AUDIO


MP4 = Format(
    name="mp4",
    words="an MP4 video",
    kind="video",
    content_type="video/mp4",
    extensions=(".mp4", ".m4v", ".3gp", ".3g2"),
    sniff=sniff_mp4,
    check=boxes.check,
)
MOV = Format(
    name="mov",
    words="a QuickTime video",
    kind="video",
    content_type="video/quicktime",
    extensions=(".mov", ".qt"),
    sniff=sniff_mov,
    check=boxes.check,
)
# Sound in the same container, and what a video without a picture turns out to be.
M4A = Format(
    name="m4a",
    words="sound (MPEG-4)",
    kind="document",
    content_type="audio/mp4",
    extensions=(".m4a", ".m4b"),
    sniff=sniff_m4a,
)
