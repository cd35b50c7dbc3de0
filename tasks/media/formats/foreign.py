"""Pictures of kinds that Greenroom cannot show. As documents they would be published whole, with all that they say of
their maker and of the place: they are refused instead, in words that say what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tasks.core.errors import InvalidMedia
from tasks.media.formats.row import OCTETS, Format, starts_with


def _refused(name: str, words: str, extensions: tuple[str, ...], sniff: Callable[[bytes], bool], as_what: str) -> Format:
    def check(path: Path) -> None:
        raise InvalidMedia(f"{words}, which cannot be shown; export it as {as_what} and upload that")

    return Format(
        name=name,
        words=words,
        kind="document",
        content_type=OCTETS,
        extensions=extensions,
        sniff=sniff,
        check=check,
    )


JXL_BOX, JXL_STREAM = b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"
JXL = _refused("jxl", "a JPEG XL picture", (".jxl",), starts_with(JXL_BOX, JXL_STREAM), "JPEG or PNG")
PSD = _refused("psd", "a Photoshop document", (".psd", ".psb"), starts_with(b"8BPS\0\1", b"8BPS\0\2"), "JPEG or PNG")
CRW = _refused("crw", "an old raw picture of Canon's", (".crw",), lambda head: head[6:14] == b"HEAPCCDR", "JPEG")
MRW = _refused("mrw", "a raw picture of Minolta's", (".mrw",), starts_with(b"\0MRM"), "JPEG")
X3F = _refused("x3f", "a raw picture of Sigma's", (".x3f",), starts_with(b"FOVb"), "JPEG")
FOREIGN = (JXL, PSD, CRW, MRW, X3F)
