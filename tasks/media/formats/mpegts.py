"""MPEG-TS: what camcorders (AVCHD) and television write."""

from __future__ import annotations

from tasks.media.formats.row import Format

SYNC = 0x47
PACKETS = 5  # that must begin where they should
# (bytes of a packet, where its mark stands): plain, with the camcorder's time before it, with a checksum after it.
LAYOUTS = ((188, 0), (192, 4), (204, 0))


def sniff(head: bytes) -> bool:
    return any(
        all(head[at : at + 1] == bytes([SYNC]) for at in range(mark, mark + size * PACKETS, size)) for size, mark in LAYOUTS
    )


# `.ts` is TypeScript's ending as well: it promises nothing.
MPEGTS = Format(
    name="mpegts",
    words="an MPEG transport stream",
    kind="video",
    content_type="video/mp2t",
    extensions=(".mts", ".m2ts", ".m2t"),
    sniff=sniff,
    demuxer="mpegts",
)
