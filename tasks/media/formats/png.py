"""PNG, still or animated (APNG)."""

from __future__ import annotations

from pathlib import Path

from tasks.core.errors import InvalidMedia
from tasks.media.formats.row import Format, starts_with

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def check(path: Path) -> None:
    """Raises InvalidMedia when the last chunk, IEND, is missing: so are the picture's last rows, in all likelihood."""
    length, at = path.stat().st_size, len(SIGNATURE)
    with path.open("rb") as file:
        while at + 12 <= length:
            file.seek(at)
            header = file.read(8)
            if header[4:] == b"IEND":
                return
            at += 12 + int.from_bytes(header[:4], "big")
    raise InvalidMedia("the picture is cut off: its end is missing; copy it from the camera again")


PNG = Format(
    name="png",
    words="a PNG picture",
    kind="image",
    content_type="image/png",
    extensions=(".png", ".apng"),
    sniff=starts_with(SIGNATURE),
    animates=True,
    decoders=("PNG",),
    modules=("PIL.PngImagePlugin",),
    check=check,
    decode_first=True,
)
