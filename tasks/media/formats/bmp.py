"""BMP, as Windows writes it."""

from __future__ import annotations

from tasks.media.formats.row import Format


def sniff(head: bytes) -> bool:
    """`BM` alone begins many a text: the header's own size, one of the seven that exist, settles it."""
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


BMP = Format(
    name="bmp",
    words="a BMP picture",
    kind="image",
    content_type="image/bmp",
    extensions=(".bmp", ".dib"),
    sniff=sniff,
    convert=True,
    decoders=("BMP",),
    modules=("PIL.BmpImagePlugin",),
)
