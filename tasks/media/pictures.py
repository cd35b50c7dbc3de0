"""Opens pictures safely and makes their pixels plain: upright, 8 bits, sRGB. Runs in the sandbox's child."""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.core.errors import InvalidMedia
from tasks.core.text import one_line
from tasks.media import metadata
from tasks.media.formats import Format
from tasks.media.limits import Limits

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

ORIENTATION = 0x0112
# What Pillow's decoders raise on malformed input.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError, struct.error, zlib.error)
SIDEWAYS = (5, 6, 7, 8)
PIXELS_IN_WORDS = re.compile(r"\((\d+) pixels\)")


def warm(*rows: Format) -> None:
    """Import Pillow and the decoders of `rows` in the worker: its forked children then start with them."""
    for row in rows:
        row.load()
    _rehearse()


@cache
def _rehearse() -> None:
    """Open and save a small picture of our own: what Pillow imports and compiles at its first one, children find done.

    Two children look at every picture, and each would take ten milliseconds for it.
    """
    import PIL.Image
    import PIL.ImageCms
    import PIL.ImageOps
    import PIL.TiffImagePlugin
    import PIL.WebPImagePlugin

    said = PIL.Image.Exif()
    said[metadata.MAKE] = said[metadata.ARTIST] = "Greenroom"
    said.get_ifd(metadata.EXIF_BLOCK)[metadata.TIME_ORIGINAL] = "2000:01:01 00:00:00"
    for format in ("JPEG", "WEBP"):
        body = BytesIO()
        PIL.Image.new("RGB", (8, 8)).save(body, format, exif=said)
        with PIL.Image.open(body, formats=[format]) as picture:
            metadata.facts(picture)
            metadata.credit(picture)


@contextmanager
def opened(path: Path, row: Format, limits: Limits) -> Iterator[Picture]:
    """A picture whose header was read and found within the limits; its pixels are not decoded yet. Raises InvalidMedia."""
    from PIL import Image

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = limits.pixels
    try:
        with _opened(path, row) as picture:
            limits.check_pixels(picture.width * picture.height)
            row.complete(picture, path)
            yield picture
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as bomb:
        found = PIXELS_IN_WORDS.search(str(bomb))
        limits.check_pixels(int(found[1]) if found else limits.pixels + 1)
        raise


def _opened(path: Path, row: Format) -> Picture:
    """Pillow is told which decoder to try, and asked again which one it took: some hand over to another."""
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(row.content(path), formats=[row.decoders[0]])
    except UnidentifiedImageError as fault:
        raise InvalidMedia(f"its content is broken: it begins like {row.words}, but cannot be read as one") from fault
    except BROKEN as fault:
        _mind_the_machine(fault)
        raise InvalidMedia(f"its content is broken: it begins like {row.words}, but cannot be read as one") from fault
    if picture.format not in row.decoders:
        raise InvalidMedia(f"it looks like {row.words}, but decodes as {picture.format}")
    return picture


def _mind_the_machine(fault: Exception) -> None:
    """An error number is the machine's: a full disk is not the upload's fault. Decoders' own errors have none."""
    if isinstance(fault, OSError) and fault.errno is not None:
        raise fault


def decoded(picture: Picture, row: Format) -> None:
    """Decode the pixels; raises InvalidMedia in words when they are incomplete or broken."""
    try:
        picture.load()
    except BROKEN as fault:
        _mind_the_machine(fault)
        text = one_line(str(fault))
        if "truncated" in text.lower():
            raise InvalidMedia(f"the picture is cut off: its end is missing ({text})") from fault
        raise InvalidMedia(f"its content is broken: {row.words} that cannot be decoded ({text})"[:300]) from fault


def frames(picture: Picture, row: Format) -> int:
    """How many frames move; 1 for formats whose further pictures are pages or depth maps."""
    return int(getattr(picture, "n_frames", 1)) if row.animates else 1


def orientation(picture: Picture) -> int:
    """EXIF's orientation, 1 to 8; 1 when none is said or the EXIF block is broken."""
    value = metadata.exif(picture).get(ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright_size(picture: Picture) -> tuple[int, int]:
    """Width and height as a person sees them."""
    width, height = picture.size
    return (height, width) if orientation(picture) in SIDEWAYS else (width, height)


def upright(picture: Picture, turn: int) -> Picture:
    """The pixels as a person sees them, `turn` being EXIF's orientation."""
    from PIL import Image

    by_turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return picture.transpose(by_turn[turn]) if turn in by_turn else picture


def plain(picture: Picture) -> Picture:
    """Eight bits a channel in a mode that resizes well: L, RGB, RGBA or CMYK. Palettes and transparent colours unfold."""
    if picture.mode.startswith("I;16"):
        return picture.convert("I").point(lambda value: value / 257).convert("L")
    if picture.mode in ("I", "F"):
        return _stretched(picture)
    if picture.mode == "LAB":
        return _from_lab(picture)
    if picture.mode in ("P", "PA", "La", "LA", "RGBa") or "transparency" in picture.info:
        see_through = picture.mode != "P" or "transparency" in picture.info
        return picture.convert("RGBA" if see_through else "RGB")
    if picture.mode in ("L", "RGB", "RGBA", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _stretched(picture: Picture) -> Picture:
    """32-bit values have no white of their own: the 16-bit one where they fit it, else the largest found."""
    low, high = (float(edge) for edge in _extrema(picture))
    white = 255.0 if high <= 255 else 65535.0 if high <= 65535 else high
    floor = min(low, 0.0)
    scale = 255.0 / (white - floor)
    return picture.convert("F").point(lambda value: value * scale - floor * scale).convert("L")


def _extrema(picture: Picture) -> Any:
    return picture.getextrema()


def to_srgb(picture: Picture, profile: bytes | None) -> Picture:
    """RGB, RGBA or L in sRGB. A profile that cannot be used is left out: plain sRGB is what viewers would assume."""
    converted = _by_profile(picture, profile) if profile else None
    if converted is not None:
        return converted
    return picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGB")


def _by_profile(picture: Picture, profile: bytes) -> Picture | None:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
        colours = _in_space(picture, source.profile.xcolor_space.strip())
        if colours is None or is_srgb(source):
            return None
        result = ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if result is not None and alpha is not None:
        result.putalpha(alpha)
    return result


def _in_space(picture: Picture, space: str) -> Picture | None:
    """The picture's colours without its alpha, as a profile of `space` expects them; None where it is made for others."""
    if space == "GRAY" and picture.mode == "RGBA":  # grey with alpha was unfolded
        return picture.getchannel("R") if _is_grey(picture) else None
    if space != {"L": "GRAY", "RGBA": "RGB"}.get(picture.mode, picture.mode):
        return None
    return picture.convert("RGB") if picture.mode == "RGBA" else picture


def _is_grey(picture: Picture) -> bool:
    red, green, blue, _ = (channel.tobytes() for channel in picture.split())
    return red == green == blue


def _from_lab(picture: Picture) -> Picture:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.applyTransform(picture, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")) or picture


def is_srgb(profile: Any) -> bool:
    """Whether a profile says of itself that it is sRGB; converting would change nothing but the time."""
    description = profile.profile.profile_description or ""
    return description.startswith(("sRGB", "IEC 61966-2.1", "IEC 61966-2-1"))


def flattened(picture: Picture) -> Picture:
    """On white where it is see-through: JPEG knows no alpha."""
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, (255, 255, 255))
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def opaque(picture: Picture) -> Picture:
    """Without an alpha channel that hides nothing."""
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema()[0] == 255:
        return picture.convert("RGB")
    return picture


def fingerprint(picture: Picture) -> str:
    """A 64-bit difference hash of a small upright picture, 16 hexadecimal digits: near-duplicates differ in few bits."""
    from PIL import Image

    small = flattened(picture).convert("L").resize((9, 8), Image.Resampling.BOX)
    rows = [small.crop((0, y, 9, y + 1)).tobytes() for y in range(8)]
    bits = "".join("1" if row[x] < row[x + 1] else "0" for row in rows for x in range(8))
    return f"{int(bits, 2):016x}"
