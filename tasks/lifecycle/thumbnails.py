"""Thumbnails: what was made of an item's picture goes into the work bucket, under the digest that a decision is bound to."""

from __future__ import annotations

from tasks.core.aws.s3 import Store
from tasks.core.models.digests import renditions_digest
from tasks.core.models.item import Item
from tasks.core.models.renditions import Rendition, Thumbnails
from tasks.media import RenditionFile, Renditions


def keep(made: Renditions, item: Item, store: Store, bucket: str) -> Thumbnails:
    """Upload what was made of a picture."""
    return finished([_keep(file, item, store, bucket) for file in made.files], made.placeholder, made.phash)


def _keep(file: RenditionFile, item: Item, store: Store, bucket: str) -> Rendition:
    key = f"items/{item.id}/{file.path.name}"
    store.upload(file.path, bucket, key, file.content_type)
    return Rendition(file.name, key, file.format, file.content_type, file.width, file.height, file.bytes, file.sha256)


def finished(renditions: list[Rendition], placeholder: str, phash: str = "") -> Thumbnails:
    """All renditions of an item under their digest."""
    return Thumbnails(tuple(renditions), placeholder, renditions_digest(renditions), phash)
