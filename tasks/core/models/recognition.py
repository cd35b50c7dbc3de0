"""What recognition sees in a picture, and what the operator's policy makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Triage = Literal["clear", "hold", "reject"]


@dataclass(frozen=True)
class Label:
    """One thing that Rekognition sees, `confidence` in percent."""

    name: str
    confidence: float
    parent: str = ""


@dataclass(frozen=True)
class Recognition:
    """What Recognize returns (`$.media.recognition`). `triage` is the operator's policy applied to the moderation labels."""

    labels: tuple[Label, ...] = ()
    moderation: tuple[Label, ...] = ()
    model: str = ""  # the label model's version, as Rekognition states it
    triage: Triage = "clear"
