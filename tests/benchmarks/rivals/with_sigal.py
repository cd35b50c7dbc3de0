"""sigal's own image code, once a file: it makes one size in one format at a time."""

from __future__ import annotations

from pathlib import Path

from sigal.image import generate_image
from sigal.settings import create_settings
from turns import PLACEHOLDER, QUALITY, SIZES, serve


def prepare(source: Path, out: Path) -> None:
    for size, end in [(size, end) for size in SIZES for end in ("webp", "jpg")] + [(PLACEHOLDER, "webp")]:
        settings = create_settings(img_size=(size, size), img_format="WEBP" if end == "webp" else "JPEG")
        options = {"quality": QUALITY}
        generate_image(str(source), str(out / f"{size}w.{end}"), settings, options=options)


if __name__ == "__main__":
    serve(prepare)
