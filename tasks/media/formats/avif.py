"""AVIF: a picture coded as one frame of AV1, or as several that move."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.media.formats import boxes
from tasks.media.formats.row import Format

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

HEADER_BYTES = 1 << 20
CODED_COLOURS = b"colrnclx"


def sniff(head: bytes) -> bool:
    found = boxes.brands(head)
    return bool({b"avif", b"avis"} & set(found))


def complete(picture: Picture, path: Path) -> None:
    """The code of its colours, which Pillow passes over: from the first property of that kind, as all tiles have the same.

    One that moves does so without end, as browsers show it.
    """
    picture.info.setdefault("loop", 0)
    for kind, at, size in boxes.boxes(path):
        if kind == b"meta":
            with path.open("rb") as file:
                file.seek(at)
                header = file.read(min(size, HEADER_BYTES))
            found = header.find(CODED_COLOURS)
            if found >= 0:
                code = header[found + len(CODED_COLOURS) : found + len(CODED_COLOURS) + 4]
                primaries, transfer = int.from_bytes(code[:2], "big"), int.from_bytes(code[2:], "big")
                picture.info["nclx_profile"] = {"color_primaries": primaries, "transfer_characteristics": transfer}
            return


AVIF = Format(
    name="avif",
    words="an AVIF picture",
    kind="image",
    content_type="image/avif",
    extensions=(".avif", ".avifs"),
    sniff=sniff,
    convert=True,
    animates=True,
    decoders=("AVIF",),
    modules=("PIL.AvifImagePlugin",),
    check=boxes.check,
    complete=complete,
)
