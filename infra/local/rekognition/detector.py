"""Real inference with the weights that the `nudenet` wheel ships (MIT, 12 MB, ONNX): faces, and what moderation asks for.

Its classes are told in Rekognition's own words and taxonomy (moderation model 7).
"""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import Any

from PIL import Image

from infra.local.rekognition.models import Seen, Sight

EXPLICIT = ("Explicit Nudity", "Explicit")
PARTIAL = ("Non-Explicit Nudity", "Non-Explicit Nudity of Intimate parts and Kissing")
MODERATION = {
    "FEMALE_GENITALIA_EXPOSED": ("Exposed Female Genitalia", EXPLICIT),
    "MALE_GENITALIA_EXPOSED": ("Exposed Male Genitalia", EXPLICIT),
    "FEMALE_BREAST_EXPOSED": ("Exposed Female Nipple", EXPLICIT),
    "BUTTOCKS_EXPOSED": ("Exposed Buttocks or Anus", EXPLICIT),
    "ANUS_EXPOSED": ("Exposed Buttocks or Anus", EXPLICIT),
    "MALE_BREAST_EXPOSED": ("Exposed Male Nipple", PARTIAL),
}
FACES = ("FACE_FEMALE", "FACE_MALE")


class Detector:
    """Finds faces and bare skin; sees nothing else, and its version says what it is."""

    def __init__(self, detector: Any, version: str) -> None:
        self._detector = detector
        self._version = version

    @classmethod
    def installed(cls) -> Detector:
        """The detector of the nudenet package, which must be installed."""
        return cls(importlib.import_module("nudenet").NudeDetector(), f"nudenet-{metadata.version('nudenet')}")

    def labels(self, image: Image.Image) -> Sight:
        """A face means a person; each with the boxes where they are."""
        faces = [found for found in self._found(image) if found["class"] in FACES]
        if not faces:
            return Sight(self._version)
        best = max(found["score"] for found in faces) * 100
        boxes = tuple(_box(found["box"], image) for found in faces)
        return Sight(self._version, (Seen("Face", best, ("Head", "Person"), boxes), Seen("Person", best)))

    def moderation(self, image: Image.Image) -> Sight:
        """The surest of each kind, with its parents above it, as Rekognition lists them."""
        marks: dict[str, Seen] = {}
        for found in self._found(image):
            if found["class"] in MODERATION:
                name, parents = MODERATION[found["class"]]
                for mark in _with_parents(name, parents, found["score"] * 100):
                    marks[mark.name] = max(mark, marks.get(mark.name, mark), key=lambda seen: seen.confidence)
        return Sight(self._version, tuple(marks.values()))

    def _found(self, image: Image.Image) -> list[dict[str, Any]]:
        import numpy

        # The detector expects pixels as OpenCV reads them: blue first.
        found: list[dict[str, Any]] = self._detector.detect(numpy.asarray(image)[:, :, ::-1].copy())
        return found


def _with_parents(name: str, parents: tuple[str, ...], confidence: float) -> list[Seen]:
    chain = (name, *parents)
    return [Seen(one, confidence, chain[at + 1 : at + 2], level=len(chain) - at) for at, one in enumerate(chain)]


def _box(box: list[int], image: Image.Image) -> tuple[float, float, float, float]:
    left, top, width, height = box
    return left / image.width, top / image.height, width / image.width, height / image.height
