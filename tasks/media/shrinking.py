"""Makes pictures smaller, as fast as Pillow can at a quality nobody tells from the best. Runs in the sandbox's child.

The reference is what libvips makes of the full-size picture. Each size is made from the next larger one; what that costs in
likeness is written down in docs/reference/performance.md, and `python -m tests.benchmarks.likeness` measures it again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.Image import Resampling

    from tasks.media.hands import Hands

BAND = 128  # rows
# Below this many pixels a band is done before its thread has begun.
WORTH_BANDS = 1_000_000
# Up to this size the best filter takes some milliseconds more, and a cascade shows what the filters before it have lost.
SMALL = 700
# From this reduction on HAMMING, at half of BICUBIC's cost: SSIM 0.984 on strong grain, 0.99 and more on what is smoother.
# It loses more the less there is to reduce: 0.95 at 1.05.
HALVED = 1.75
# A JPEG can be decoded at a half of its size, for a fraction of the time and the memory. Where the half still has this many
# times the pixels that are wanted; where it has about as many (a camera's 4032 px become 2016 and then 2048), only if the
# picture is smooth (SSIM 0.985 and more), as the half of a grainy one has no grain left (0.93 to 0.97).
DRAFT_ROOM = 1.5
SMOOTH_ROOM = 0.975
# Bytes a pixel, times the root of the mean step that they are rounded to: grain is what a JPEG spends its bytes on, and finer
# steps keep more of it. With noise added to photographs, at qualities of 80 and 92, all below this kept an SSIM of 0.98.
SMOOTH = 0.6
# Not a quarter of 48 MP: it is a fifth cheaper still, but grain shows in the smaller sizes (SSIM 0.95 for 0.98).
SMALLEST_DRAFT = 2


def within(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Width and height of a picture of `size` pixels at `long_side` on its long side; never more than it has."""
    ratio = min(1.0, long_side / max(size))
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))


def draft(picture: Picture, long_side: int) -> tuple[int, int] | None:
    """Have a JPEG decoded at a fraction of its size, where the rest suffices; its full size, None when all of it is decoded."""
    full = picture.size
    spare = SMOOTH_ROOM if is_smooth(picture) else DRAFT_ROOM
    room = min(1.0, max(1 / SMALLEST_DRAFT, long_side * spare / max(full)))
    picture.draft(None, (max(1, int(full[0] * room)), max(1, int(full[1] * room))))
    return full if picture.size != full else None


def is_smooth(picture: Picture) -> bool:
    """Whether a JPEG, not yet decoded, has no grain to speak of; False for other formats."""
    tables, file = getattr(picture, "quantization", None), getattr(picture, "fp", None)
    if not tables or file is None:
        return False
    at = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(at)
    light = tables[min(tables)]
    return bool(size / (picture.width * picture.height) * (sum(light) / len(light)) ** 0.5 < SMOOTH)


def fitted(picture: Picture, long_side: int) -> Picture:
    """The picture at `long_side` pixels on its long side, itself when it has no more."""
    return resized(picture, within(picture.size, long_side))


def resized(picture: Picture, size: tuple[int, int], hands: Hands | None = None) -> Picture:
    """The picture at `size` pixels; large ones by all `hands` together."""
    from PIL import Image

    if picture.size == size:
        return picture
    if max(size) <= SMALL:
        return picture.resize(size, Image.Resampling.LANCZOS)
    halved = max(picture.size) >= max(size) * HALVED
    filter = Image.Resampling.HAMMING if halved else Image.Resampling.BICUBIC
    if hands is None or picture.mode not in ("RGB", "L") or size[0] * size[1] < WORTH_BANDS:
        return picture.resize(size, filter)
    return _in_bands(picture, size, hands, filter)


def _in_bands(picture: Picture, size: tuple[int, int], hands: Hands, filter: Resampling) -> Picture:
    """Band by band, joined without a seam: the filter looks beyond the edge of its box. Resizing leaves the GIL alone.

    Small bands: what lies between the filter's two passes stays in the cache, and its memory is used again by the next
    band. A whole picture's would be fetched from the system page by page, twice as many in all.
    """
    from PIL import Image

    scale = picture.height / size[1]
    picture.load()  # now, as all hands would begin to
    whole = Image.new(picture.mode, size, None)

    def shrink(top: int) -> None:
        bottom = min(top + BAND, size[1])
        box = (0, top * scale, picture.width, bottom * scale)
        whole.paste(picture.resize((size[0], bottom - top), filter, box=box), (0, top))

    hands.share(shrink, range(0, size[1], BAND))
    return whole
