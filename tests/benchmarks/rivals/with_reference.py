"""What libvips makes of a picture, to compare with: each size from full size, without loss, and encoded as everybody's are."""

from __future__ import annotations

from pathlib import Path

import pyvips
from turns import EFFORT, QUALITY, SIZES, serve
from with_pyvips import from_heic, to_srgb


def prepare(source: Path, out: Path) -> None:
    heic = from_heic(source).copy_memory() if source.suffix in (".heic", ".heif", ".hif") else None
    for size in SIZES:
        options = {"height": size, "size": "down", **to_srgb(heic or pyvips.Image.new_from_file(str(source)))}
        small = heic.thumbnail_image(size, **options) if heic else pyvips.Image.thumbnail(str(source), size, **options)
        small = small.copy_memory()
        small.pngsave(str(out / f"{size}w.png"), compression=1, keep="none")
        small.webpsave(str(out / f"{size}w.webp"), Q=QUALITY, effort=EFFORT, keep="none")
        small.jpegsave(str(out / f"{size}w.jpg"), Q=QUALITY, keep="none")


if __name__ == "__main__":
    serve(prepare)
