"""pyvips, as its documentation teaches: shrink while loading, keep the large one in memory, each size from the one before.

Its wheel has no decoder for HEIC: there libheif decodes for it, the same one as Greenroom's.
"""

from __future__ import annotations

from pathlib import Path

import pyvips
from turns import EFFORT, PLACEHOLDER, QUALITY, SIZES, serve


def prepare(source: Path, out: Path) -> None:
    picture = _top(source, out).copy_memory()
    for size in SIZES:
        picture = picture.thumbnail_image(size, height=size, size="down").copy_memory()
        picture.webpsave(str(out / f"{size}w.webp"), Q=QUALITY, effort=EFFORT, keep="none")
        picture.jpegsave(str(out / f"{size}w.jpg"), Q=QUALITY, keep="none")
    tiny = picture.thumbnail_image(PLACEHOLDER, height=PLACEHOLDER)
    tiny.webpsave(str(out / "placeholder.webp"), Q=30, keep="none")


def _top(source: Path, out: Path) -> pyvips.Image:
    if source.suffix != ".heic":
        return pyvips.Image.thumbnail(str(source), SIZES[0], height=SIZES[0], size="down")
    import pillow_heif

    found = pillow_heif.open_heif(source, convert_hdr_to_8bit=True)
    picture = found.to_pillow().convert("RGB")
    full = pyvips.Image.new_from_memory(picture.tobytes(), *picture.size, 3, "uchar")
    full.jpegsave(str(out / "master.jpg"), Q=90, keep="none")
    return full.thumbnail_image(SIZES[0], height=SIZES[0], size="down")


if __name__ == "__main__":
    serve(prepare)
