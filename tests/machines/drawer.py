"""A drawer of small real files, made on the spot: a photo, a HEIC, clips, a document, and files that pretend."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import live_photos
import pillow_heif
from PIL import Image

SERIAL = "SERIAL-7731-CANARY"
PDF = b"""%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>> endobj
trailer <</Root 1 0 R>>
%%EOF
"""


def fill(folder: Path) -> Path:
    """Make every file; about a second."""
    photo = picture(480, 360)
    photo.save(folder / "cat.jpg", quality=85, exif=camera(orientation=6))
    photo.save(folder / "dog.jpg", quality=80)
    photo.save(folder / "rose.png")
    pillow_heif.from_pillow(picture(320, 240)).save(folder / "cat.heic", quality=60)
    clip(folder / "clip.mp4", "libx264", "2")
    clip(folder / "clip.mov", "mpeg4", "2")
    song(folder / "song.mp3")
    (folder / "live.heic").write_bytes(live_photos.heic())
    live_photos.film(folder / "live.mov")
    (folder / "programme.pdf").write_bytes(PDF)
    (folder / "text.jpg").write_bytes(b"This is no photo, whatever its name says.\n")
    whole = (folder / "dog.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    return folder


def picture(width: int, height: int) -> Image.Image:
    """A gradient with a corner of its own, so that turning it shows."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image.paste((200, 30, 30), (0, 0, width // 4, height // 4))
    return image


def camera(orientation: int) -> Image.Exif:
    """EXIF as a phone writes it: turned, with a place and a serial number."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F], exif[0x0110] = "Acme", "Pocket 9"
    exif[0x0132] = "2026:07:04 18:21:09"
    exif.get_ifd(0x8769).update({0x9003: "2026:07:04 18:21:09", 0xA431: SERIAL})
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0)})
    return exif


def song(path: Path) -> None:
    """A tone with a title and a comment in its tags."""
    tone = [
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:duration=2",
        "-metadata",
        f"title={SERIAL}",
        "-metadata",
        f"comment={SERIAL}",
    ]
    quiet = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    subprocess.run([*quiet, *tone, str(path)], check=True, timeout=60)


def clip(path: Path, codec: str, seconds: str) -> None:
    """A test picture with a tone."""
    source = ["-f", "lavfi", "-i", f"testsrc=size=160x120:rate=10:duration={seconds}"]
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
    encode = ["-c:v", codec, "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-shortest"]
    quiet = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    subprocess.run([*quiet, *source, *sound, *encode, str(path)], check=True, timeout=60)
