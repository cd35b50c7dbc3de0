"""What a model tells the stand-in: names as Rekognition spells them, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image


@dataclass(frozen=True)
class Seen:
    """One thing in a picture: Rekognition's own name for it, its parents from near to far, confidence in percent."""

    name: str
    confidence: float
    parents: tuple[str, ...] = ()
    boxes: tuple[tuple[float, float, float, float], ...] = ()  # left, top, width, height as shares of the picture
    level: int = 1  # in the moderation taxonomy


@dataclass(frozen=True)
class Sight:
    """What a model answers, and which model it was."""

    version: str
    things: tuple[Seen, ...] = field(default=())


class Model(Protocol):
    """Looks at an upright RGB picture."""

    def labels(self, image: Image.Image) -> Sight:
        """What is in the picture."""

    def moderation(self, image: Image.Image) -> Sight:
        """What in the picture an operator may want to hold."""
