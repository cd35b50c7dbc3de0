"""Files as cameras and offices write them, small, each with something to recognize it by."""

from __future__ import annotations

import io
import random
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw

CANARY = "SERIAL-CANARY-4711"
# The stories' stack takes no larger file, so that one over the limit need not be a hundred megabytes.
MOST_BYTES = 3_000_000
RED, BLUE = (200, 30, 30), (30, 30, 200)


def picture(seed: int, width: int = 900, height: int = 600) -> Image.Image:
    """Red above, blue below, with enough drawn on it to be like no other."""
    image = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height // 2, width, height), fill=BLUE)
    dice = random.Random(seed)
    for _ in range(30):
        x, y = dice.randrange(width), dice.randrange(height)
        draw.ellipse((x, y, x + 24, y + 24), fill=tuple(dice.randrange(256) for _ in range(3)))
    return image


def jpeg(path: Path, seed: int) -> Path:
    picture(seed).save(path, quality=90)
    return path


def mosaic(path: Path, seed: int, size: tuple[int, int], cell: int = 120) -> Path:
    """Soft patches of any colour: far from their own mean, and the same however a browser scales them."""
    _patches(seed, size, cell).save(path, quality=90)
    return path


def see_through(path: Path, seed: int) -> Path:
    """A PNG of a coloured ring with a hole, and a corner that is half there."""
    image = _patches(seed, (1400, 1000), 100)
    mask = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((200, 100, 1200, 900), fill=255)
    draw.ellipse((550, 350, 850, 650), fill=0)
    draw.rectangle((0, 0, 150, 150), fill=128)
    image.putalpha(mask)
    image.save(path)
    return path


def _patches(seed: int, size: tuple[int, int], cell: int) -> Image.Image:
    width, height = size[0] // cell, size[1] // cell
    return Image.frombytes("RGB", (width, height), random.Random(seed).randbytes(width * height * 3)).resize(size)


def exif_with_a_place(orientation: int) -> Image.Exif:
    """A camera's facts, with GPS and a serial number."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F], exif[0x0110] = "Canary", "Phone 7"
    exif.get_ifd(0x8769).update({0x9003: "2024:07:20 20:17:40", 0xA431: CANARY})
    exif.get_ifd(0x8825).update({1: "N", 2: (28.0, 34.0, 21.0), 3: "W", 4: (80.0, 39.0, 4.0)})
    return exif


def lying_jpeg(path: Path, seed: int) -> Path:
    """Orientation 6: stored on its side, to be shown upright."""
    stored = picture(seed).transpose(Image.Transpose.ROTATE_90)
    stored.save(path, quality=90, exif=exif_with_a_place(6))
    return path


def heic(path: Path, seed: int) -> Path:
    import pillow_heif

    pillow_heif.from_pillow(picture(seed)).save(path, quality=70, exif=exif_with_a_place(1).tobytes())
    return path


def mov(path: Path, seed: int, size: str = "320x240") -> Path:
    """Two seconds of moving pattern and a tone, with a location and a serial in its atoms."""
    from imageio_ffmpeg import get_ffmpeg_exe

    source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=2,hue=h={seed * 37 % 360}"]
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]
    facts = ["-metadata", f"comment={CANARY}", "-metadata", "location=+28.5725-080.6511/", "-movflags", "use_metadata_tags"]
    codecs = ["-c:v", "mpeg4", "-q:v", "5", "-c:a", "aac", "-shortest"]
    command = [get_ffmpeg_exe(), "-v", "error", "-y", *source, *tone, *codecs, *facts, str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def pdf(path: Path, seed: int) -> Path:
    """One page that says which it is."""
    image = Image.new("RGB", (200, 120), "white")
    ImageDraw.Draw(image).text((20, 50), f"Programme {seed}", fill="black")
    image.save(path, "PDF")
    return path


def upright(data: bytes) -> bool:
    """Whether a published picture has its red above its blue."""
    with Image.open(io.BytesIO(data)) as image:
        small = image.convert("RGB").resize((30, 20))
    above, below = small.getpixel((15, 3)), small.getpixel((15, 17))
    return small.width > small.height and above[0] > above[2] and below[2] > below[0]
