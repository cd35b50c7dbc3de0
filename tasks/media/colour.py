"""Which colours a picture's numbers mean, where it says so without an ICC profile: the profile that says the same.

Cameras set to Adobe RGB say it in EXIF alone, phones say Display P3 or HDR by a code (`nclx`), PNG by numbers (`gAMA`, `cHRM`).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from tasks.media import metadata

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Matrix = tuple[tuple[float, float, float], ...]
Chromaticities = tuple[tuple[float, float], ...]  # x and y of red, green, blue and white

DEEPEST = 4_000_000  # bytes; printers' profiles, the largest there are, have 2 or 3 million
D65 = (0.3127, 0.3290)
D50 = (0.9642, 1.0, 0.8249)
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65)
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), D65)
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65)
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65)
# ITU-T H.273, as `nclx` has them. 2 is "not said".
PRIMARIES = {1: SRGB, 9: BT2020, 12: DISPLAY_P3}
PQ, HLG, LINEAR = 16, 18, 8
WHITE_NITS = 203.0  # BT.2408: the brightness of white paper in an HDR picture
PEAK_NITS = 1000.0
KNEE = 0.6
STEPS = 1024
BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def profile_of(picture: Picture) -> bytes | None:
    """The ICC profile that a picture carries, or one made of what else it says of its colours; None for plain sRGB."""
    carried = picture.info.get("icc_profile")
    if carried:
        return carried if len(carried) <= DEEPEST else None
    return _by_code(picture) or _by_numbers(picture) or (adobe_rgb() if metadata.says_adobe_rgb(picture) else None)


def _by_code(picture: Picture) -> bytes | None:
    code: dict[str, Any] = picture.info.get("nclx_profile") or {}
    primaries, transfer = int(code.get("color_primaries", 2)), int(code.get("transfer_characteristics", 2))
    if primaries not in PRIMARIES or (primaries == 1 and transfer not in (PQ, HLG, LINEAR)):
        return None
    return coded(primaries, transfer)


def _by_numbers(picture: Picture) -> bytes | None:
    """PNG's own words for it, which an `sRGB` chunk overrules."""
    gamma = picture.info.get("gamma")
    if picture.format != "PNG" or "srgb" in picture.info or not isinstance(gamma, float) or not 0.1 < gamma < 2:
        return None
    told = picture.info.get("chromaticity") or ()
    points = tuple((told[at], told[at + 1]) for at in (2, 4, 6, 0)) if len(told) == 8 else SRGB
    if abs(gamma - 1 / 2.2) < 0.005 and _near(points, SRGB):
        return None
    try:
        return rgb_profile(points, lambda value: value ** (1 / gamma))
    except ZeroDivisionError:
        return None


def _near(points: Chromaticities, others: Chromaticities) -> bool:
    return all(abs(a - b) < 0.005 for one, other in zip(points, others, strict=True) for a, b in zip(one, other, strict=True))


@cache
def adobe_rgb() -> bytes:
    """Adobe RGB (1998): what a camera means by the DCF option file `R03`."""
    return rgb_profile(ADOBE_RGB, lambda value: value ** (563 / 256))


@cache
def coded(primaries: int, transfer: int) -> bytes:
    """The profile of two codes of H.273: a key of PRIMARIES, and any transfer, unknown ones taken for sRGB's."""
    curves = {PQ: _pq, HLG: _hlg, LINEAR: lambda value: value}
    return rgb_profile(PRIMARIES[primaries], curves.get(transfer, _srgb))


def rgb_profile(points: Chromaticities, linear: Callable[[float], float]) -> bytes:
    """An ICC profile (version 2) of three primaries and a white, and of a curve from a coded value to light, both 0 to 1."""
    columns = list(zip(*_to_xyz(points), strict=True))
    curve = [round(65535 * min(1.0, max(0.0, linear(step / (STEPS - 1))))) for step in range(STEPS)]
    trc = b"curv" + bytes(4) + struct.pack(f">I{STEPS}H", STEPS, *curve)
    tags = [(b"desc", _description(b"made by Greenroom")), (b"cprt", b"text" + bytes(4) + b"none\0"), (b"wtpt", _xyz(D50))]
    tags += [(name, _xyz(column)) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)]
    return _assembled(tags, trc)


def _assembled(tags: list[tuple[bytes, bytes]], trc: bytes) -> bytes:
    """Header, table, contents; the three channels share one curve."""
    table, body = b"", b""
    start = 128 + 4 + 12 * (len(tags) + 3)
    for names, content in (*(((name,), content) for name, content in tags), ((b"rTRC", b"gTRC", b"bTRC"), trc)):
        for name in names:
            table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4xI4s4s4s12x4s", start + len(body), 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    header += bytes(28) + b"".join(_fixed(part) for part in D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags) + 3) + table + body


def _description(words: bytes) -> bytes:
    return b"desc" + bytes(4) + struct.pack(">I", len(words) + 1) + words + bytes(1 + 4 + 4 + 2 + 1 + 67)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(column: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(_fixed(part) for part in column)


def _to_xyz(points: Chromaticities) -> Matrix:
    """Linear RGB to XYZ as seen under D50, ICC's light. Raises ZeroDivisionError for primaries that span nothing."""
    red, green, blue, white = ((x / y, 1.0, (1 - x - y) / y) for x, y in points)
    primaries = _transposed((red, green, blue))
    amounts = _applied(_inverse(primaries), white)
    native = tuple(tuple(part * amount for part, amount in zip(row, amounts, strict=True)) for row in primaries)
    seen, wanted = _applied(BRADFORD, white), _applied(BRADFORD, D50)
    scaled = tuple(tuple(part * w / s for part in row) for row, w, s in zip(BRADFORD, wanted, seen, strict=True))
    seen_under_d50: Matrix = _product(_product(_inverse(BRADFORD), scaled), native)
    return seen_under_d50


def _transposed(rows: Any) -> Any:
    return tuple(zip(*rows, strict=True))


def _applied(matrix: Any, vector: Any) -> tuple[float, ...]:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def _product(left: Any, right: Any) -> Any:
    return _transposed([_applied(left, column) for column in _transposed(right)])


def _inverse(matrix: Any) -> Any:
    """Of 3 by 3 numbers, by their cofactors."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    rows = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    size = a * rows[0][0] + b * rows[1][0] + c * rows[2][0]
    return tuple(tuple(part / size for part in row) for row in rows)


def _srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _pq(value: float) -> float:
    """SMPTE ST 2084, on a screen that shows no more than white."""
    root = value ** (1 / 78.84375)
    nits = 10_000 * (max(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
    return _rolled_off(nits / WHITE_NITS)


def _hlg(value: float) -> float:
    """ARIB STD-B67 on a screen of 1,000 cd/m2, of which one shows no more than white."""
    scene = value * value / 3 if value <= 0.5 else (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return _rolled_off(PEAK_NITS / WHITE_NITS * scene**1.2)


def _rolled_off(light: float) -> float:
    """As it is up to KNEE of white; what is brighter is pressed together, not cut off."""
    return light if light <= KNEE else KNEE + (1 - KNEE) * (1 - math.exp((KNEE - light) / (1 - KNEE)))
