"""Live Photos made on the spot: what an iPhone writes into a picture and into the film that belongs to it."""

from __future__ import annotations

import struct
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pillow_heif
from PIL import Image

PAIR = "7E1A0B52-4C2F-4D0B-9A41-2B6F2E8C9D10"
OTHER_PAIR = "00000000-1111-2222-3333-444444444444"
CANARY = "CANARY-LIVE-4711"
PLACE = "+48.1372+011.5756+519.000/"


def maker_note(pair: str | bytes = PAIR, tag: int = 0x0011) -> bytes:
    """Apple's: a name, a version, a byte order, and a block whose offsets count from the note's first byte."""
    text = (pair.encode() if isinstance(pair, str) else pair) + b"\0"
    rows = [(0x0001, 9, 1, 14), (tag, 2, len(text), 14 + 2 + 2 * 12 + 4)]
    block = struct.pack(">H", len(rows)) + b"".join(struct.pack(">HHII", *row) for row in rows) + struct.pack(">I", 0)
    return b"Apple iOS\0\0\x01MM" + block + text


def exif(note: bytes) -> Image.Exif:
    block = Image.Exif()
    block[0x010F], block[0x0110] = "Apple", "iPhone 17"
    block.get_ifd(0x8769)[0x927C] = note
    return block


def still(size: tuple[int, int] = (320, 240), hue: int = 0) -> Image.Image:
    """A gradient with a corner of its own: no two hues are the same bytes."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.paste((200, hue % 256, 60), (0, 0, size[0] // 4, size[1] // 4))
    return image


def jpeg(pair: str = PAIR, hue: int = 0, size: tuple[int, int] = (320, 240)) -> bytes:
    out = BytesIO()
    still(size, hue).save(out, "JPEG", quality=85, exif=exif(maker_note(pair)))
    return out.getvalue()


def heic(pair: str = PAIR, hue: int = 0, size: tuple[int, int] = (320, 240)) -> bytes:
    out = BytesIO()
    pillow_heif.from_pillow(still(size, hue)).save(out, quality=60, exif=exif(maker_note(pair)).tobytes())
    return out.getvalue()


def film(path: Path, pair: str = PAIR, *, seconds: float = 2, hue: int = 0, size: str = "160x120", **more: Any) -> Path:
    """A MOV with the identifier, a place and a canary among its metadata, and sound."""
    source = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate=10:duration={seconds},hue=h={hue}"]
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
    words = {
        "com.apple.quicktime.content.identifier": pair,
        "com.apple.quicktime.location.ISO6709": PLACE,
        "com.apple.quicktime.software": CANARY,
        **more,
    }
    told = [part for name, value in words.items() for part in ("-metadata", f"{name}={value}")]
    encode = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-shortest", "-movflags", "use_metadata_tags"]
    quiet = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    subprocess.run([*quiet, *source, *sound, *encode, *told, str(path)], check=True, timeout=60)
    return path
