"""pyvips, as its documentation teaches: shrink while loading, keep the large one in memory, each size from the one before.

Its wheel has no decoder for HEIC: there libheif decodes for it, the same one as Greenroom's, and hands over its memory. The
pictures of phones are in Display P3: the master keeps the profile, what is shown becomes sRGB, as Greenroom's files do.
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
    if source.suffix not in (".heic", ".heif", ".hif"):
        return pyvips.Image.thumbnail(str(source), SIZES[0], height=SIZES[0], size="down")
    full = from_heic(source)
    full.jpegsave(str(out / "master.jpg"), Q=90, keep="icc")
    return full.thumbnail_image(SIZES[0], height=SIZES[0], size="down", **to_srgb(full))


def to_srgb(picture: pyvips.Image) -> dict[str, str]:
    """The option to have its colours converted, where it says that they are others: asked for without need, it costs a lot."""
    return {"output_profile": "srgb"} if picture.get_typeof("icc-profile-data") else {}


def from_heic(source: Path) -> pyvips.Image:
    import pillow_heif

    found = pillow_heif.open_heif(source, convert_hdr_to_8bit=True)
    rows = pyvips.Image.new_from_memory(found.data, found.stride // 3, found.size[1], 3, "uchar")
    full = rows.crop(0, 0, *found.size).copy(interpretation="srgb")
    if found.info.get("icc_profile"):
        full.set_type(pyvips.GValue.blob_type, "icc-profile-data", found.info["icc_profile"])
    return full


if __name__ == "__main__":
    serve(prepare)
