"""JoinPicture: the film of a Live Photo joins its picture, before anybody has decided about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tasks.catalog import Catalog
from tasks.core.entrypoint import lambda_handler
from tasks.core.models.request import PreparedRequest
from tasks.core.settings import Settings
from tasks.lifecycle.pairing import Joined, look


@dataclass(frozen=True)
class JoinPictureRequest(PreparedRequest):
    """What the JoinPicture state passes; `joined` is what the look before this one came to, if there was one."""

    joined: Joined = field(default_factory=Joined)


def join_picture(request: JoinPictureRequest, *, catalog: Catalog, settings: Settings) -> Joined:
    """One look for the film's picture: joined, or when to look again, or alone from now on."""
    return look(request.item, request.media, request.prepared, request.joined, catalog, settings.pair_seconds)


handler = lambda_handler(join_picture)
