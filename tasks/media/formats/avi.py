"""AVI: what older cameras write."""

from __future__ import annotations

from tasks.media.formats.row import Format

AVI = Format(
    name="avi",
    words="an AVI video",
    kind="video",
    content_type="video/x-msvideo",
    extensions=(".avi",),
    sniff=lambda head: head[:4] == b"RIFF" and head[8:12] == b"AVI ",
    demuxer="avi",
)
