"""WebP, still or animated."""

from __future__ import annotations

from tasks.media.formats.row import Format


def sniff(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


WEBP = Format(
    name="webp",
    words="a WebP picture",
    kind="image",
    content_type="image/webp",
    extensions=(".webp",),
    sniff=sniff,
    animates=True,
    decoders=("WEBP",),
    modules=("PIL.WebPImagePlugin",),
)
