"""Structural similarity (SSIM): what the likeness of two pictures is measured by."""

from __future__ import annotations

from typing import Any

import numpy
from PIL import Image


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Mean structural similarity of the light in two pictures, over windows of 8 x 8 pixels; of what both have, where one is
    a pixel larger, as libraries round differently."""
    width, height = min(one.width, other.width), min(one.height, other.height)
    a, b = (numpy.asarray(picture.convert("L").crop((0, 0, width, height)), numpy.float64) for picture in (one, other))
    mean_a, mean_b = _means(a), _means(b)
    var_a, var_b, both = _means(a * a) - mean_a**2, _means(b * b) - mean_b**2, _means(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 6.5025) * (2 * both + 58.5225)
    return float((top / ((mean_a**2 + mean_b**2 + 6.5025) * (var_a + var_b + 58.5225))).mean())


def _means(values: Any, side: int = 8) -> Any:
    sums = numpy.cumsum(numpy.cumsum(numpy.pad(values, ((1, 0), (1, 0))), 0), 1)
    return (sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]) / side**2
