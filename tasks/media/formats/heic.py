"""HEIC and HEIF: what phones write, a grid of HEVC tiles that no browser but Safari shows."""

from __future__ import annotations

from tasks.media.formats import boxes
from tasks.media.formats.row import Format

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")


def sniff(head: bytes) -> bool:
    found = boxes.brands(head)
    return found[:1] != () and found[0] in BRANDS and b"avif" not in found


def setup() -> None:
    """Pillow learns HEIF from pillow-heif. Thumbnails, depth maps and other pictures inside are none of ours."""
    import pillow_heif

    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    pillow_heif.register_heif_opener()


HEIC = Format(
    name="heic",
    words="a HEIC picture",
    kind="image",
    content_type="image/heic",
    extensions=(".heic", ".heif", ".hif", ".heics", ".heifs"),
    sniff=sniff,
    convert=True,
    decoders=("HEIF",),
    setup=setup,
    check=boxes.check,
    decode_once=True,
)
