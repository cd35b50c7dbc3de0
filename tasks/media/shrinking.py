"""Makes pictures smaller, as fast as Pillow can at a quality nobody tells from the best. Runs in the sandbox's child.

The reference is LANCZOS from the full-size picture. Measured on photographs, one size made from the next larger one by the
filters below keeps an SSIM above 0.99 at 1280 px and less; `python -m tests.benchmarks.media` prints it beside the time.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

CORES = os.cpu_count() or 1
BAND = 128  # rows
# Below this many pixels a band is done before its thread has begun.
WORTH_BANDS = 1_000_000
# Up to this size the best filter takes some milliseconds more, and a cascade shows what the filters before it have lost.
SMALL = 700
# A JPEG can be decoded at a half, a quarter or an eighth of its size. Down to this part of the pixels that are wanted: a
# camera's 4032 px become 2016 and then 2048, which costs half of the decoding, three quarters of the memory and none of
# the filter. SSIM 0.993 on photographs, where full-size decoding has 0.998.
DRAFT_ROOM = 0.975
# Not a quarter of 48 MP: it is a fifth cheaper still, but grain shows in the smaller sizes (SSIM 0.95 for 0.98).
SMALLEST_DRAFT = 2


def within(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Width and height of a picture of `size` pixels at `long_side` on its long side; never more than it has."""
    ratio = min(1.0, long_side / max(size))
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))


def draft(picture: Picture, long_side: int) -> tuple[int, int] | None:
    """Have a JPEG decoded at a fraction of its size, where the rest suffices; its full size, None when all of it is decoded."""
    full = picture.size
    room = min(1.0, max(1 / SMALLEST_DRAFT, long_side * DRAFT_ROOM / max(full)))
    picture.draft(None, (max(1, int(full[0] * room)), max(1, int(full[1] * room))))
    return full if picture.size != full else None


def fitted(picture: Picture, long_side: int) -> Picture:
    """The picture at `long_side` pixels on its long side, itself when it has no more."""
    return resized(picture, within(picture.size, long_side))


def resized(picture: Picture, size: tuple[int, int], hands: Executor | None = None) -> Picture:
    """The picture at `size` pixels; large ones by all `hands` together."""
    from PIL import Image

    if picture.size == size:
        return picture
    if max(size) <= SMALL:
        return picture.resize(size, Image.Resampling.LANCZOS)
    if hands is None or picture.mode not in ("RGB", "L") or size[0] * size[1] < WORTH_BANDS:
        return picture.resize(size, Image.Resampling.BICUBIC)
    return _in_bands(picture, size, hands)


def _in_bands(picture: Picture, size: tuple[int, int], hands: Executor) -> Picture:
    """Band by band, joined without a seam: the filter looks beyond the edge of its box. Resizing leaves the GIL alone.

    Small bands: what lies between the filter's two passes stays in the cache, and its memory is used again by the next
    band. A whole picture's would be fetched from the system page by page, twice as many in all.
    """
    from PIL import Image

    edges = [*range(0, size[1], BAND), size[1]]
    scale = picture.height / size[1]
    picture.load()  # now, as the hands would all begin to
    whole = Image.new(picture.mode, size)

    def shrink(top: int, bottom: int) -> None:
        box = (0, top * scale, picture.width, bottom * scale)
        whole.paste(picture.resize((size[0], bottom - top), Image.Resampling.BICUBIC, box=box), (0, top))

    for _ in hands.map(shrink, edges[:-1], edges[1:]):
        pass
    return whole
