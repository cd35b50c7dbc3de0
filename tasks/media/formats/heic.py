"""HEIC and HEIF: what phones write, a grid of HEVC tiles that no browser but Safari shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.media.formats import boxes
from tasks.media.formats.row import Format

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")


def sniff(head: bytes) -> bool:
    found = boxes.brands(head)
    return found[:1] != () and found[0] in BRANDS and b"avif" not in found


def setup() -> None:
    """Pillow learns HEIF from pillow-heif. Thumbnails, depth maps and other pictures inside are none of ours.

    By one thread: four of them need an eighth more of the processor, which the next upload can use.
    """
    import pillow_heif

    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    pillow_heif.register_heif_opener()
    # Its patterns are compiled here and not in every child.
    pillow_heif.set_orientation({"xmp": b'tiff:Orientation="6"'})


def note(picture: Picture) -> str:
    """That a burst, or a picture for two eyes, holds more than the one that is shown."""
    count = getattr(picture, "n_frames", 1)
    return f"shows the primary one of {count} pictures" if count > 1 else ""


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
    note=note,
)
