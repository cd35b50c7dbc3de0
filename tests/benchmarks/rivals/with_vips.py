"""The machine's own libvips, as `apt install libvips42` gives it: it opens a HEIC by itself, which pyvips's wheel cannot.

Its files are Greenroom's: a full-size JPEG that keeps the profile, and four sizes in sRGB.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.modules["_libvips"] = None  # pyvips's wheel: without it, pyvips opens the machine's library

import pyvips  # noqa: E402
from turns import EFFORT, PLACEHOLDER, QUALITY, SIZES, serve  # noqa: E402

NEW = pyvips.at_least_libvips(8, 15)  # its options have other names
BARE = {"keep": "none"} if NEW else {"strip": True}
TO_SRGB = {"output_profile" if NEW else "export_profile": "srgb"}
PRIVATE = {"exif-data", "xmp-data", "iptc-data"}
# It keeps what it made of a file by the file's name, and would not decode it a second time.
pyvips.cache_set_max(0)


def without_facts(picture: pyvips.Image) -> pyvips.Image:
    bare = picture.copy()
    for name in PRIVATE.intersection(picture.get_fields()):
        bare.remove(name)
    return bare


def prepare(source: Path, out: Path) -> None:
    full = without_facts(pyvips.Image.new_from_file(str(source)).copy_memory())
    full.jpegsave(str(out / "master.jpg"), Q=90)
    colours = TO_SRGB if full.get_typeof("icc-profile-data") else {}
    picture = full.thumbnail_image(SIZES[0], height=SIZES[0], size="down", **colours).copy_memory()
    for size in SIZES:
        picture = picture.thumbnail_image(size, height=size, size="down").copy_memory()
        picture.webpsave(str(out / f"{size}w.webp"), Q=QUALITY, effort=EFFORT, **BARE)
        picture.jpegsave(str(out / f"{size}w.jpg"), Q=QUALITY, **BARE)
    tiny = picture.thumbnail_image(PLACEHOLDER, height=PLACEHOLDER)
    tiny.webpsave(str(out / "placeholder.webp"), Q=30, **BARE)


if __name__ == "__main__":
    if not pyvips.type_find("VipsForeign", "heifload"):
        raise SystemExit("this libvips knows no HEIC")
    serve(prepare)
