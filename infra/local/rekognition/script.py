"""Scripted answers for the stand-in: a file in the state folder says what is "seen" in which picture; nothing looks at any.

The file is read at every request, so it may change while the stack runs. docs/reference/local.md describes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from PIL import Image, ImageChops, ImageOps, ImageStat

from infra.errors import Misused
from infra.local.rekognition.models import Seen, Sight

NAME = "rekognition.json"
VERSION = "scripted"
NOTHING = "none"
EVERY_PICTURE = "*"
# What is compared: so few pixels that a rendition and its original are the same, and by how many levels they may differ.
SIDE = 16
ALIKE = 5.0


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A label or moderation label: its parents stand from near to far, its confidence is in percent."""

    name: str
    confidence: Annotated[float, msgspec.Meta(ge=0, le=100)] = 99.0
    parents: tuple[str, ...] = ()

    def seen(self) -> Seen:
        return Seen(self.name, self.confidence, self.parents, level=len(self.parents) + 1)


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is answered about every picture that looks like this JPEG or PNG (a path from the script's folder), or about all."""

    picture: str
    labels: tuple[Mark, ...] = ()
    moderation: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Scripted:
    """A model that answers by the script at `path`, and sees nothing where there is none."""

    path: Path

    def labels(self, image: Image.Image) -> Sight:
        answers, answer = self._answer(image)
        return Sight(_version(answers), tuple(mark.seen() for mark in answer.labels))

    def moderation(self, image: Image.Image) -> Sight:
        answers, answer = self._answer(image)
        return Sight(_version(answers), tuple(mark.seen() for mark in answer.moderation))

    def _answer(self, image: Image.Image) -> tuple[list[Answer], Answer]:
        """All answers, and the one about the picture most like this one; else that about every picture; else nothing."""
        answers = read(self.path)
        far = {
            answer: difference(image, self.path.parent / answer.picture) for answer in answers if answer.picture != EVERY_PICTURE
        }
        best = min(far, key=lambda answer: far[answer], default=None)
        if best is not None and far[best] <= ALIKE:
            return answers, best
        return answers, next((answer for answer in answers if answer.picture == EVERY_PICTURE), Answer(EVERY_PICTURE))


def _version(answers: list[Answer]) -> str:
    return VERSION if answers else NOTHING


def read(path: Path) -> list[Answer]:
    """The script; empty where there is none. Raises Misused naming what cannot be used."""
    try:
        answers = msgspec.json.decode(path.read_bytes(), type=list[Answer])
    except FileNotFoundError:
        return []
    except msgspec.MsgspecError as fault:
        raise Misused(f"{path} is not a list of scripted answers: {fault}") from fault
    for answer in answers:
        if answer.picture != EVERY_PICTURE:
            _small(path.parent / answer.picture)
    return answers


def difference(image: Image.Image, path: Path) -> float:
    """How far apart two pictures look from afar: root mean square in levels, 0 to 255. Raises Misused for a file that is none."""
    bands = ImageStat.Stat(ImageChops.difference(_shrunk(image), _small(path))).rms
    return sum(bands) / len(bands)


def _small(path: Path) -> Image.Image:
    try:
        with Image.open(path, formats=["JPEG", "PNG"]) as image:
            image.draft("RGB", (256, 256))
            return _shrunk(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        raise Misused(f"{path}, which {NAME} names, cannot be opened as a JPEG or PNG: {fault}") from fault


def _shrunk(image: Image.Image) -> Image.Image:
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def words(state: Path) -> str:
    """What `greenroom up` says of recognition in this state folder; raises Misused for a script that cannot be used."""
    answers = read(state / NAME)
    if answers:
        return f"scripted: {len(answers)} answer{'s'[: len(answers) > 1]} of {state / NAME}; nothing else is recognized"
    return "none on a laptop yet: no picture gets labels, and none is held as sensitive"
