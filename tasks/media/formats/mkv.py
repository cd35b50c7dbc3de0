"""Matroska: what recorders and converters on computers write."""

from __future__ import annotations

from tasks.media.formats import ebml
from tasks.media.formats.row import Format

MKV = Format(
    name="mkv",
    words="a Matroska video",
    kind="video",
    content_type="video/x-matroska",
    extensions=(".mkv",),
    sniff=lambda head: ebml.doc_type(head) == b"matroska",
    check=ebml.check,
    demuxer="matroska",
)
