"""Rekognition's JSON 1.1 protocol: DetectLabels and DetectModerationLabels, with its shapes, limits and errors."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import json
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from infra.errors import Misused
from infra.local.rekognition.models import Model, Seen, Sight
from infra.local.web import Request, Response, TooLarge

CONTENT_TYPE = "application/x-amz-json-1.1"
TARGET = "RekognitionService."
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 120_000_000
SMALLEST = {"DetectLabels": 80, "DetectModerationLabels": 50}  # pixels, either side


class Fault(Exception):
    """An error as Rekognition names it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Rekognition:
    """Answers Rekognition requests with what a model sees."""

    model: Model

    async def handle(self, request: Request) -> Response:
        try:
            body = await request.read(8 << 20)
            return Response.json(await asyncio.to_thread(self._answer, request, body), content_type=CONTENT_TYPE)
        except TooLarge:
            fault = Fault("ImageTooLargeException", "Image size is too large")
        except Fault as raised:
            fault = raised
        except Misused as wrong:  # the script of its answers
            fault = Fault("InternalServerError", str(wrong), 500)
        words = {"__type": fault.code, "Code": fault.code, "Message": fault.message}
        return Response.json(words, fault.status, CONTENT_TYPE)

    def _answer(self, request: Request, body: bytes) -> dict[str, Any]:
        operation = request.header("x-amz-target").removeprefix(TARGET)
        if request.method != "POST" or operation not in SMALLEST:
            raise Fault("UnknownOperationException", f"this stand-in answers {', '.join(SMALLEST)}")
        if not request.header("authorization").startswith("AWS4-HMAC-SHA256 "):
            raise Fault("AccessDeniedException", "Missing Authentication Token")
        asked = _parsed(body)
        image = _picture(asked, SMALLEST[operation])
        least = _percent(asked.get("MinConfidence", 55 if operation == "DetectLabels" else 50))
        if operation == "DetectLabels":
            return _labels(self.model.labels(image), least, _count(asked.get("MaxLabels", 1000)))
        return _moderation(self.model.moderation(image), least)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError as fault:
        raise Fault("SerializationException", "the request is not JSON") from fault
    if not isinstance(asked, dict):
        raise Fault("SerializationException", "the request is not an object")
    return asked


def _percent(value: Any) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 100:
        raise Fault("InvalidParameterException", "MinConfidence must lie between 0 and 100")
    return float(value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise Fault("InvalidParameterException", "MaxLabels must be a whole number of at least 0")
    return value


def _picture(asked: dict[str, Any], smallest: int) -> Image.Image:
    """The request's image, upright, in RGB."""
    source = asked.get("Image")
    if not isinstance(source, dict) or "Bytes" not in source:
        raise Fault("InvalidParameterException", "Request has invalid parameters: give Image.Bytes (this stand-in reads no S3)")
    try:
        data = base64.b64decode(source["Bytes"], validate=True)
    except (binascii.Error, TypeError, ValueError) as fault:
        raise Fault("SerializationException", "Image.Bytes is not base64") from fault
    if len(data) > MAX_BYTES:
        raise Fault("ImageTooLargeException", "Image size is too large")
    image = _decoded(data)
    if min(image.size) < smallest:
        raise Fault("InvalidParameterException", f"Request has invalid parameters: less than {smallest} pixels a side")
    return image


def _decoded(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG"])
            if image.width * image.height > MAX_PIXELS:
                raise Fault("ImageTooLargeException", "Image size is too large")
            image.draft("RGB", (1280, 1280))
            return ImageOps.exif_transpose(image).convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise Fault("ImageTooLargeException", "Image size is too large") from fault
    except (OSError, SyntaxError, ValueError) as fault:
        raise Fault("InvalidImageFormatException", "Request has invalid image format") from fault


def _kept(sight: Sight, least: float) -> list[Seen]:
    return sorted((thing for thing in sight.things if thing.confidence >= least), key=lambda thing: -thing.confidence)


def _labels(sight: Sight, least: float, most: int) -> dict[str, Any]:
    return {"Labels": [_label(thing) for thing in _kept(sight, least)[:most]], "LabelModelVersion": sight.version}


def _label(thing: Seen) -> dict[str, Any]:
    return {
        "Name": thing.name,
        "Confidence": thing.confidence,
        "Instances": [{"BoundingBox": _box(box), "Confidence": thing.confidence} for box in thing.boxes],
        "Parents": [{"Name": name} for name in thing.parents],
        "Aliases": [],
        "Categories": [],
    }


def _box(box: tuple[float, float, float, float]) -> dict[str, float]:
    return dict(zip(("Left", "Top", "Width", "Height"), box, strict=True))


def _moderation(sight: Sight, least: float) -> dict[str, Any]:
    rows = [
        {
            "Name": thing.name,
            "Confidence": thing.confidence,
            "ParentName": thing.parents[0] if thing.parents else "",
            "TaxonomyLevel": thing.level,
        }
        for thing in _kept(sight, least)
    ]
    return {"ModerationLabels": rows, "ModerationModelVersion": sight.version, "ContentTypes": []}
