"""WebM: what browsers record."""

from __future__ import annotations

from tasks.media.formats import ebml
from tasks.media.formats.row import Format

WEBM = Format(
    name="webm",
    words="a WebM video",
    kind="video",
    content_type="video/webm",
    extensions=(".webm",),
    sniff=lambda head: ebml.doc_type(head) == b"webm",
    check=ebml.check,
    demuxer="matroska",
)
