"""How much Greenroom's renditions look like libvips's: `python -m tests.benchmarks.likeness PICTURE...` or a folder of them.

Structural similarity (SSIM) of each size, three ways: the pixels before the encoder, against libvips's reduction from full
size; our file against libvips's file, both at quality 80; and our file against libvips's pixels ("encoded"), the encoder's own
loss in it. What that loss alone is says the last column: libvips's own WebP against its own pixels.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, convert_image, inspect, make_renditions, pictures, renditions
from tasks.media.formats import by_name
from tasks.media.hands import Hands
from tests.benchmarks.contenders import BENCH, RIVALS, SIZES, Contender
from tests.benchmarks.similarity import ssim

AIM = 0.98
WAYS = ("pixels", "webp", "jpeg", "webp encoded", "jpeg encoded", "libvips's webp")
ENDINGS = (".jpg", ".jpeg", ".heic", ".heif", ".hif")


def before_encoding(source: Path, limits: Limits) -> dict[int, Image.Image]:
    """Greenroom's pixels of each size that the picture fills."""
    row = by_name(inspect(source, source.name, limits).format)
    pictures.warm(row)
    with pictures.opened(source, row, limits) as picture, Hands() as hands:
        shape = pictures.upright_size(picture)
        top = renditions.reduced(picture, row, renditions.sizes(max(shape))[0][1], hands)
        return {max(small.size): small for _, small in renditions.cascade(top, shape)}


def compared(source: Path, reference: Contender) -> Iterator[tuple[int, dict[str, float]]]:
    """(size, SSIM by way) of one picture, for each of the sizes that it fills."""
    limits = Limits()
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Path(name) / "ours", Path(name) / "theirs"
        for folder in (ours, theirs):
            folder.mkdir()
        media = inspect(source, source.name, limits)
        if media.convert:
            convert_image(source, media.format, ours / "master.jpg", limits)
        else:
            make_renditions(source, media.format, ours, limits)
        reference.take_turn(source, theirs)
        for size, small in before_encoding(source, limits).items():
            if size in SIZES:
                yield size, _ways(small, ours / f"{size}w", theirs / f"{size}w")


def _ways(pixels: Image.Image, ours: Path, theirs: Path) -> dict[str, float]:
    best = Image.open(theirs.with_suffix(".png")).convert("RGB")
    found = {"pixels": ssim(pixels, best)}
    for end, kind in ((".webp", "webp"), (".jpg", "jpeg")):
        shown = Image.open(ours.with_suffix(end))
        found[kind] = ssim(shown, Image.open(theirs.with_suffix(end)))
        found[f"{kind} encoded"] = ssim(shown, best)
    found["libvips's webp"] = ssim(Image.open(theirs.with_suffix(".webp")), best)
    return {way: found[way] for way in WAYS}


def table(sources: list[Path]) -> dict[str, float]:
    """Prints each picture's likeness; the worst by way."""
    worst = dict.fromkeys(WAYS, 1.0)
    print(f"\nlikeness to libvips (SSIM){'':4} size  " + "  ".join(f"{way:>14}" for way in WAYS))
    with Contender.start("reference", [str(BENCH), str(RIVALS / "with_reference.py")]) as reference:
        for source in sources:
            try:
                rows = list(compared(source, reference))
            except InvalidMedia as bad:
                print(f"{source.name:30} left out: {bad.reason}")
                continue
            for size, found in rows:
                worst = {way: min(worst[way], found[way]) for way in WAYS}
                print(f"{source.name:30.30} {size:4}  " + "  ".join(f"{found[way]:14.4f}" for way in WAYS), flush=True)
    print(f"{'worst':35}  " + "  ".join(f"{worst[way]:14.4f}" for way in WAYS), flush=True)
    return worst


def main(arguments: list[str]) -> int:
    given = [Path(argument) for argument in arguments]
    found = [one for path in given for one in (sorted(path.iterdir()) if path.is_dir() else [path])]
    table([one for one in found if one.suffix.lower() in ENDINGS])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
