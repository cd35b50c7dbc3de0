"""Recognize: what Rekognition sees in a picture, and the operator's policy on what it marks as sensitive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasks.core.aws.rekognition import Eye
from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import InvalidMedia
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.core.models.media import Master, Media
from tasks.core.models.recognition import Label, Recognition, Triage
from tasks.core.settings import Settings
from tasks.media import Limits, still, workspace

LONG_SIDE = 1280  # more pixels tell Rekognition nothing, and it takes 5 MB at most
LEAST_SIDE = 80  # it refuses less with an error


@dataclass(frozen=True)
class RecognizeRequest:
    item: Item
    media: Media


def recognize(request: RecognizeRequest, *, store: Store, eye: Eye, settings: Settings) -> Recognition:
    """Labels and moderation labels; empty for documents, and for a picture that MakeThumbnails will reject."""
    master = request.media.master
    if request.media.kind == "document" or master is None:
        return Recognition()
    try:
        picture = _shown(request.media, store) or _still(master, store, Limits.of(settings))
    except InvalidMedia:
        return Recognition()
    seen = eye.labels(picture, settings.label_confidence)
    marked = eye.moderation(picture, settings.moderation_confidence)
    moderation = tuple(_moderation(row) for row in marked.get("ModerationLabels", []))
    return Recognition(
        labels=tuple(_label(row) for row in seen.get("Labels", [])),
        moderation=moderation,
        model=str(seen.get("LabelModelVersion", "")),
        triage=triage(moderation, settings.moderation_policy),
    )


def triage(moderation: tuple[Label, ...], policy: str) -> Triage:
    """What the operator's policy makes of the marks: rejected at once, or held, blurred, for a person."""
    if not moderation:
        return "clear"
    return "reject" if policy == "reject" else "hold"


def _shown(media: Media, store: Store) -> bytes:
    """The rendition that says as much as a still would; empty while there is none, and where it needs a margin."""
    made = media.thumbnails.renditions if media.thumbnails else ()
    fit = (one for one in made if one.format == "jpeg" and max(one.width, one.height) <= LONG_SIDE)
    best = max(fit, key=lambda one: one.width, default=None)
    if media.master is None or best is None or min(best.width, best.height) < LEAST_SIDE:
        return b""
    return store.read(Location(media.master.bucket, best.key))


def _still(master: Master, store: Store, limits: Limits) -> bytes:
    with workspace() as folder:
        store.download(master.still, folder / "still")
        format = "jpeg" if master.poster_key else master.format
        return still(folder / "still", format, folder / "small.jpg", limits, LONG_SIDE, LEAST_SIDE).path.read_bytes()


def _label(row: dict[str, Any]) -> Label:
    parents = row.get("Parents") or [{}]
    return Label(str(row["Name"]), round(float(row["Confidence"]), 1), str(parents[0].get("Name", "")))


def _moderation(row: dict[str, Any]) -> Label:
    return Label(str(row["Name"]), round(float(row["Confidence"]), 1), str(row.get("ParentName", "")))


handler = lambda_handler(recognize)
