"""Greenroom itself, as its tasks call it in a warm worker: inspect, convert where browsers need it, make every rendition."""

from __future__ import annotations

from pathlib import Path

from tasks.media import Limits, convert_image, inspect, make_renditions
from tests.benchmarks.rivals.turns import serve


def prepare(source: Path, out: Path) -> None:
    limits = Limits()
    media = inspect(source, source.name, limits)
    if not media.convert:
        make_renditions(source, media.format, out, limits)
        return
    convert_image(source, media.format, out / "master.jpg", limits)


if __name__ == "__main__":
    serve(prepare)
