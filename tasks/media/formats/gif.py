"""GIF, still or animated."""

from __future__ import annotations

from tasks.media.formats.row import Format, starts_with

GIF = Format(
    name="gif",
    words="a GIF picture",
    kind="image",
    content_type="image/gif",
    extensions=(".gif",),
    sniff=starts_with(b"GIF87a", b"GIF89a"),
    animates=True,
    decoders=("GIF",),
    modules=("PIL.GifImagePlugin",),
)
