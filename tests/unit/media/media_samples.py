"""Pictures that say which way is up, and facts that must stay private."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tasks.core.models.media import Media
from tasks.media import Limits, RenditionFile, Renditions, convert_image, inspect, make_renditions

CANARY = "CANARY-7f3a"


def made_of(path: Path, out: Path, limits: Limits) -> tuple[Media, RenditionFile | None, Renditions]:
    """What the pipeline makes of a picture: its facts, its master where it needs one, its renditions. Raises InvalidMedia."""
    media = inspect(path, path.name, limits)
    if not media.convert:
        return media, None, make_renditions(path, media.format, out, limits)
    made = convert_image(path, media.format, out / "master.jpg", limits)
    return media, made.file, made.renditions


def quadrants(width: int = 96, height: int = 64) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right: says which way is up."""
    picture = Image.new("RGB", (width, height), "white")
    picture.paste("red", (0, 0, width // 2, height // 2))
    picture.paste("lime", (width // 2, 0, width, height // 2))
    picture.paste("blue", (0, height // 2, width // 2, height))
    return picture


def corners(picture: Image.Image) -> str:
    """The colours of the four quadrants, in reading order: `RGBW` when upright."""
    plain = picture.convert("RGB")
    width, height = plain.size
    spots = [
        (width // 4, height // 4),
        (width * 3 // 4, height // 4),
        (width // 4, height * 3 // 4),
        (width * 3 // 4, height * 3 // 4),
    ]
    return "".join(_colour(plain.getpixel(spot)) for spot in spots)


def _colour(pixel: tuple[int, int, int]) -> str:
    known = {"R": (255, 0, 0), "G": (0, 255, 0), "B": (0, 0, 255), "W": (255, 255, 255)}
    return min(known, key=lambda name: sum(abs(a - b) for a, b in zip(known[name], pixel, strict=True)))


def private_exif(orientation: int = 1) -> Image.Exif:
    """Where, with which very camera, what was written about it: all of it marked. Not whose it is, which is meant to stay."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F], exif[0x0110] = "Greencam", "Greencam 3"
    exif[0x010E] = exif[0x0131] = exif[0x013C] = CANARY  # description, software, computer
    exif[0x9C9C] = CANARY.encode("utf-16-le")  # Windows' comment
    exif.get_ifd(0x8769).update(
        {0x9003: "2024:05:04 10:11:12", 0x9011: "+02:00", 0xA430: CANARY, 0xA431: CANARY, 0xA435: CANARY, 0xA420: CANARY}
    )
    exif.get_ifd(0x8769).update({0x927C: CANARY.encode(), 0x9286: b"ASCII\0\0\0" + CANARY.encode()})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0), 27: CANARY.encode()})
    return exif
