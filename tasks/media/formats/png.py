"""PNG, still or animated (APNG)."""

from __future__ import annotations

from tasks.media.formats.row import Format, starts_with

PNG = Format(
    name="png",
    words="a PNG picture",
    kind="image",
    content_type="image/png",
    extensions=(".png", ".apng"),
    sniff=starts_with(b"\x89PNG\r\n\x1a\n"),
    animates=True,
    decoders=("PNG",),
    modules=("PIL.PngImagePlugin",),
)
