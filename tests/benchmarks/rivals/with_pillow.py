"""Pillow as one writes it the first time: opened again for every file, reduced from full size, all defaults."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps
from turns import PLACEHOLDER, QUALITY, SIZES, serve


def prepare(source: Path, out: Path) -> None:
    if source.suffix == ".heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    for size, end in [(size, end) for size in SIZES for end in ("webp", "jpg")] + [(PLACEHOLDER, "webp")]:
        with Image.open(source) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
        ratio = size / max(upright.size)
        small = upright.resize((round(upright.width * ratio), round(upright.height * ratio)), Image.Resampling.LANCZOS)
        small.save(out / f"{size}w.{end}", quality=QUALITY)


if __name__ == "__main__":
    serve(prepare)
