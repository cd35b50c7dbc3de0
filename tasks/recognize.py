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
from tasks.core.models.renditions import Rendition, Thumbnails
from tasks.core.settings import Settings
from tasks.media import Limits, still, workspace

LONG_SIDE = 1280  # more pixels tell Rekognition nothing, and it takes 5 MB at most
LEAST_SIDE = 80  # it refuses less with an error


@dataclass(frozen=True)
class RecognizeRequest:
    item: Item
    media: Media


def recognize(request: RecognizeRequest, *, store: Store, eye: Eye, settings: Settings) -> Recognition:
    """Labels and moderation labels of the picture that a person is shown.

    Only an execution that began before decision 0018 asks about documents, and about pictures of which nothing was made yet,
    or ever will be: empty for those.
    """
    if request.media.kind == "document" or request.media.master is None:
        return Recognition()
    try:
        picture = _picture(request.media, request.media.master, store, settings)
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


def _picture(media: Media, master: Master, store: Store, settings: Settings) -> bytes:
    """A JPEG that Rekognition takes: the best that was made, with a margin where it is small. Raises InvalidMedia."""
    best, limits = _best(media.thumbnails), Limits.of(settings)
    if best is None:
        return _still(master.still, "jpeg" if master.poster_key else master.format, store, limits)
    where = Location(settings.work_bucket, best.key)
    if min(best.width, best.height) < LEAST_SIDE:
        return _still(where, best.format, store, limits)
    return store.read(where)


def _best(made: Thumbnails | None) -> Rendition | None:
    """The largest JPEG that is no more than Rekognition makes use of."""
    renditions = made.renditions if made else ()
    fit = (one for one in renditions if one.format == "jpeg" and max(one.width, one.height) <= LONG_SIDE)
    return max(fit, key=lambda one: one.width * one.height, default=None)


def _still(where: Location, format: str, store: Store, limits: Limits) -> bytes:
    """At most as large as is of use, and at least as large as it has to be."""
    with workspace() as folder:
        store.download(where, folder / "still")
        return still(folder / "still", format, folder / "small.jpg", limits, LONG_SIDE, LEAST_SIDE).path.read_bytes()


def _label(row: dict[str, Any]) -> Label:
    parents = row.get("Parents") or [{}]
    return Label(str(row["Name"]), round(float(row["Confidence"]), 1), str(parents[0].get("Name", "")))


def _moderation(row: dict[str, Any]) -> Label:
    return Label(str(row["Name"]), round(float(row["Confidence"]), 1), str(row.get("ParentName", "")))


handler = lambda_handler(recognize)
