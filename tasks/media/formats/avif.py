"""AVIF: a picture coded as one frame of AV1."""

from __future__ import annotations

from tasks.media.formats import boxes
from tasks.media.formats.row import Format


def sniff(head: bytes) -> bool:
    found = boxes.brands(head)
    return bool({b"avif", b"avis"} & set(found))


AVIF = Format(
    name="avif",
    words="an AVIF picture",
    kind="image",
    content_type="image/avif",
    extensions=(".avif",),
    sniff=sniff,
    convert=True,
    decoders=("AVIF",),
    modules=("PIL.AvifImagePlugin",),
    check=boxes.check,
)
