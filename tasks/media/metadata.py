"""What a picture says of itself: when, with which camera, lens and exposure, and whose it is. Serial numbers are never read."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tasks.core.text import one_line

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

EXIF_BLOCK = 0x8769
GPS_BLOCK = 0x8825
INTEROP_BLOCK = 0xA005
MAKE = 0x010F
MODEL = 0x0110
ARTIST = 0x013B
COPYRIGHT = 0x8298
EXPOSURE_TIME = 0x829A
F_NUMBER = 0x829D
SENSITIVITY = 0x8827
TIME_ORIGINAL = 0x9003
TIME_DIGITIZED = 0x9004
OFFSET_ORIGINAL = 0x9011
OFFSET_DIGITIZED = 0x9012
FOCAL_LENGTH = 0x920A
COLOUR_SPACE = 0xA001
FOCAL_LENGTH_35 = 0xA405
LENS_RANGE = 0xA432
LENS = 0xA434
LONGEST = 80
LONGEST_CREDIT = 200
XMP_BYTES = 262_144
XMP_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")


def facts(picture: Picture) -> dict[str, str]:
    """`taken_at`, `camera`, `lens` and `exposure`, each "" where the picture is silent or its blocks are broken."""
    main, block, xmp = exif(picture), sub_block(picture, EXIF_BLOCK), xmp_of(picture)
    return {
        "taken_at": taken_at(block, xmp),
        "camera": camera(main.get(MAKE), main.get(MODEL)) or camera(said(xmp, "tiff:Make"), said(xmp, "tiff:Model")),
        "lens": lens(block) or plain_text(said(xmp, "aux:Lens")),
        "exposure": exposure(block),
    }


def exif(picture: Picture) -> Any:
    """The EXIF block; an empty one when it cannot be read, as a picture with broken facts is a picture still."""
    from PIL import Image

    try:
        return picture.getexif()
    except Exception:
        return Image.Exif()


def sub_block(picture: Picture, block: int) -> dict[int, Any]:
    """One of EXIF's further blocks; empty when it is broken, which costs the facts in it and not the picture."""
    try:
        return dict(exif(picture).get_ifd(block))
    except Exception:
        return {}


def xmp_of(picture: Picture) -> str:
    """The XMP packet's text as far as it is read; "" without one."""
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or ""
    if isinstance(packet, bytes):
        packet = packet[:XMP_BYTES].decode("utf-8", "replace")
    return packet[:XMP_BYTES] if isinstance(packet, str) else ""


def said(xmp: str, name: str) -> str:
    """A property's value, by its customary prefix: an attribute, an element, or the first of a list; "" without one.

    Nothing is parsed as XML, and every search is bounded: a packet can be written to be slow.
    """
    if name not in xmp:  # in most packets, and compiling a pattern takes a fork of the worker milliseconds
        return ""
    attribute = re.search(rf"[\s\"']{name}\s*=\s*(?:\"([^\"<]{{0,999}})\"|'([^'<]{{0,999}})')", xmp)
    if attribute:
        return html.unescape(attribute[1] or attribute[2] or "")
    start = re.search(rf"<{name}(?:\s[^<>]{{0,200}})?>", xmp)
    inside = xmp[start.end() : start.end() + 2000].partition(f"</{name}")[0] if start else ""
    listed = re.search(r"<rdf:li[^<>]{0,200}>([^<]*)", inside)
    return html.unescape(listed[1] if listed else inside.partition("<")[0])


# ---- when ----


def taken_at(block: Mapping[int, Any], xmp: str = "") -> str:
    """ISO 8601 with the camera's offset where it states one; "" when neither EXIF's sub-block nor XMP says when."""
    times = (
        iso_time(plain_text(block.get(TIME_ORIGINAL)), plain_text(block.get(OFFSET_ORIGINAL))),
        xmp_time(said(xmp, "exif:DateTimeOriginal")),
        xmp_time(said(xmp, "photoshop:DateCreated")),
        iso_time(plain_text(block.get(TIME_DIGITIZED)), plain_text(block.get(OFFSET_DIGITIZED))),
        xmp_time(said(xmp, "xmp:CreateDate")),
    )
    return next((time for time in times if time), "")


def iso_time(stamp: str, offset: str = "") -> str:
    """`2024:05:04 10:11:12` and `+02:00` as `2024-05-04T10:11:12+02:00`; "" for what is no such time."""
    try:
        moment = datetime.strptime(stamp[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return ""
    try:
        return datetime.fromisoformat(moment.isoformat() + offset).isoformat()
    except ValueError:
        return moment.isoformat()


def xmp_time(text: str) -> str:
    """XMP's time, to the second; "" for a mere date, which is no time of day."""
    found = XMP_TIME.fullmatch(text.strip())
    try:
        return datetime.fromisoformat(found[1] + (found[2] or "")).isoformat() if found else ""
    except ValueError:
        return ""


# ---- with what ----


def camera(make: Any, model: Any) -> str:
    """Make and model, the make once: `Canon` and `Canon EOS R5` are `Canon EOS R5`."""
    maker, thing = plain_text(make), plain_text(model)
    if thing.lower().startswith(maker.lower()):
        return thing
    return f"{maker} {thing}".strip()


def lens(block: Mapping[int, Any]) -> str:
    """Its name, else its range as `24-70 mm f/2.8`."""
    name = plain_text(block.get(LENS))
    if name:
        return name
    told = block.get(LENS_RANGE)
    short, long, wide, tele = (_number(part) for part in told) if isinstance(told, tuple) and len(told) == 4 else (0.0,) * 4
    if not short or not long:
        return ""
    return f"{_span(short, long)} mm" + (f" f/{_span(wide, tele)}" if wide and tele else "")


def exposure(block: Mapping[int, Any]) -> str:
    """`1/250 s, f/2.8, ISO 100, 35 mm`, as far as it is known; the focal length is that of a 35 mm camera where it is said."""
    time, aperture, focal = (_number(block.get(tag)) for tag in (EXPOSURE_TIME, F_NUMBER, FOCAL_LENGTH))
    sensitivity = block.get(SENSITIVITY)
    speed = _number(sensitivity[0] if isinstance(sensitivity, tuple) and sensitivity else sensitivity)
    length = _number(block.get(FOCAL_LENGTH_35)) or focal
    parts = (
        time and (f"1/{1 / time:.0f} s" if time < 0.3 else f"{time:.3g} s"),
        aperture and f"f/{aperture:.3g}",
        speed and f"ISO {speed:.0f}",
        length and f"{length:.3g} mm",
    )
    return ", ".join(part for part in parts if part)


def _span(low: float, high: float) -> str:
    return f"{low:.3g}" if low == high else f"{low:.3g}-{high:.3g}"


def _number(value: Any) -> float:
    """A positive number that a camera may mean; 0 for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return 0.0
    return number if 1e-5 < number < 1e7 else 0.0


def says_adobe_rgb(picture: Picture) -> bool:
    """Whether a camera says, in EXIF alone, that its colours are Adobe RGB's (DCF's option file)."""
    if sub_block(picture, EXIF_BLOCK).get(COLOUR_SPACE) not in (2, 0xFFFF):
        return False
    return plain_text(sub_block(picture, INTEROP_BLOCK).get(1)) == "R03"


# ---- whose ----


def credit(picture: Picture) -> bytes:
    """An EXIF block of nothing but artist and copyright, as plain text; empty when the picture names neither."""
    main, xmp = exif(picture), xmp_of(picture)
    artist = plain_text(main.get(ARTIST), LONGEST_CREDIT) or plain_text(said(xmp, "dc:creator"), LONGEST_CREDIT)
    rights = plain_text(main.get(COPYRIGHT), LONGEST_CREDIT) or plain_text(said(xmp, "dc:rights"), LONGEST_CREDIT)
    return credit_block(artist, rights)


def credit_block(artist: str, rights: str) -> bytes:
    """EXIF that holds these two texts, UTF-8 as cameras write it, and no other tag; empty for two empty ones."""
    from PIL import Image

    block = Image.Exif()
    for tag, text in ((ARTIST, artist), (COPYRIGHT, rights)):
        if text:
            block[tag] = text.encode()
    return block.tobytes() if artist or rights else b""


# ---- where ----


def place(picture: Picture) -> str:
    """`48.137222,11.575278`: latitude and longitude in degrees from EXIF's GPS block; "" when it has no fix."""
    block = sub_block(picture, GPS_BLOCK)
    latitude, longitude = _degrees(block, 1, 90), _degrees(block, 3, 180)
    return "" if latitude is None or longitude is None else degrees(latitude, longitude)


def degrees(latitude: float, longitude: float) -> str:
    """Two numbers as a place; "" for what is none. A receiver without a fix says 0 and 0."""
    on_earth = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)
    return f"{latitude:.6f},{longitude:.6f}" if on_earth else ""


def _degrees(block: Mapping[int, Any], tag: int, most: int) -> float | None:
    """From the hemisphere at `tag` and the degrees, minutes and seconds at the next one."""
    try:
        degrees, minutes, seconds = (float(part) for part in block[tag + 1])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    side = plain_text(block.get(tag)).upper()
    return (-value if side in ("S", "W") else value) if 0 <= value <= most and side else None


# ---- made safe ----


def plain_text(value: Any, longest: int = LONGEST) -> str:
    """A camera's text, made safe to show: one line, printable, short; "" for anything else."""
    if isinstance(value, str):
        value = _as_meant(value)
    elif isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    else:
        return ""
    first = next((part for part in value.split("\0") if part.strip()), "")
    return one_line(first)[:longest]


def _as_meant(text: str) -> str:
    """EXIF's text is read byte by byte; most of what is written today is UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
