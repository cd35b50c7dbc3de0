"""JPEG 2000: JP2 files and bare code streams, as scanners, archives and cinema write them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.media.formats import boxes
from tasks.media.formats.row import Format, starts_with

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
CODE_STREAM = b"\xff\x4f\xff\x51"
HEADER_BYTES = 1 << 22
ANY_PROFILE = (2, 3)  # of `colr`: an ICC profile, restricted or not


def complete(picture: Picture, path: Path) -> None:
    """The ICC profile, which Pillow passes over."""
    for kind, at, size in boxes.boxes(path):
        if kind == b"jp2h":
            with path.open("rb") as file:
                file.seek(at + 8)
                profile = _profile(file.read(min(size - 8, HEADER_BYTES)))
            if profile:
                picture.info["icc_profile"] = profile


def _profile(header: bytes) -> bytes:
    """From the boxes inside the header box; empty without one."""
    at = 0
    while at + 11 <= len(header):
        size = int.from_bytes(header[at : at + 4], "big")
        if size < 8:
            return b""
        if header[at + 4 : at + 8] == b"colr" and header[at + 8] in ANY_PROFILE:
            return header[at + 11 : at + size]
        at += size
    return b""


JP2 = Format(
    name="jp2",
    words="a JPEG 2000 picture",
    kind="image",
    content_type="image/jp2",
    extensions=(".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc"),
    sniff=starts_with(SIGNATURE, CODE_STREAM),
    convert=True,
    decoders=("JPEG2000",),
    modules=("PIL.Jpeg2KImagePlugin",),
    complete=complete,
)
