"""JoinPicture: the film of a Live Photo joins its picture, before anybody has decided about it."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.catalog import Catalog
from tasks.core.entrypoint import lambda_handler
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.review import Prepared
from tasks.core.settings import Settings
from tasks.lifecycle.pairing import Joined, look


@dataclass(frozen=True)
class JoinPictureRequest:
    """What the JoinPicture state passes; `joined` is what the look before this one came to."""

    item: Item
    media: Media
    prepared: Prepared
    joined: Joined


def join_picture(request: JoinPictureRequest, *, catalog: Catalog, settings: Settings) -> Joined:
    """One look for the film's picture: joined, or when to look again, or alone from now on."""
    return look(request.item, request.media, request.prepared, request.joined, catalog, settings.pair_seconds)


handler = lambda_handler(join_picture)
