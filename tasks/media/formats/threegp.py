"""3GP: the MP4 of older phones, and of sound recorders."""

from __future__ import annotations

from tasks.media.formats import boxes
from tasks.media.formats.row import Format


def sniff(head: bytes) -> bool:
    found = boxes.brands(head)[:1]
    return bool(found) and found[0][:3] in (b"3gp", b"3g2", b"3ge", b"3gr", b"3gs")


THREEGP = Format(
    name="3gp",
    words="a 3GP video",
    kind="video",
    content_type="video/3gpp",
    extensions=(".3gp", ".3g2"),
    sniff=sniff,
    check=boxes.check,
    demuxer="mov",
)
