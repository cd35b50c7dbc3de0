"""ValidateMedia: what an upload is, whether it is whole and within the limits, and what it says of itself."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.catalog import Catalog
from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import InvalidMedia
from tasks.core.models.digests import MasterSha256, OriginalSha256
from tasks.core.models.item import Item
from tasks.core.models.media import Master, Media
from tasks.core.settings import Settings
from tasks.media import Limits, expected_kind, inspect, place, workspace


@dataclass(frozen=True)
class ValidateMediaRequest:
    item: Item


def validate_media(request: ValidateMediaRequest, *, store: Store, catalog: Catalog, settings: Settings) -> Media:
    """The facts of the pinned version; a rejection is a verdict with its reason, never an exception."""
    item = request.item
    with workspace() as folder:
        media = _look(item, folder / "original", store, Limits.of(settings))
        if settings.keep_gps == "yes" and media.verdict == "accepted":
            _keep_place(item, folder / "original", media, catalog, Limits.of(settings))
    catalog.items.mark(item.id, "PROCESSING", attempt=item.attempt, media=media)
    if media.kind == "image" and media.pair:
        catalog.pairs.offer_picture(item, media.pair)
    return media


def _look(item: Item, path: Path, store: Store, limits: Limits) -> Media:
    """Its size is known before a byte is read: what is too large is not even downloaded."""
    head = store.head(item.original)
    try:
        limits.check_bytes(head.bytes, expected_kind(item.filename))
        sha256 = OriginalSha256(store.download(item.original, path))
    except InvalidMedia as bad:
        return Media("rejected", bad.reason, bytes=head.bytes)
    try:
        media = replace(inspect(path, item.filename, limits), sha256=sha256)
    except InvalidMedia as bad:
        return Media("rejected", bad.reason, sha256=sha256, bytes=head.bytes)
    return media if media.convert or media.kind == "video" else replace(media, master=_itself(item, media))


def _keep_place(item: Item, path: Path, media: Media, catalog: Catalog, limits: Limits) -> None:
    """Straight into the catalog: what a state returns is also in its execution's history."""
    with suppress(InvalidMedia):  # a broken place costs the place
        if where := place(path, media.format, limits):
            catalog.items.note_place(item.id, where)


def _itself(item: Item, media: Media) -> Master:
    """Browsers show it as it is: the original, pinned, is its own master."""
    return Master(
        bucket=item.bucket,
        key=item.key,
        version=item.version,
        format=media.format,
        content_type=media.content_type,
        width=media.width,
        height=media.height,
        bytes=media.bytes,
        sha256=MasterSha256(media.sha256),
    )


handler = lambda_handler(validate_media)
