"""MakeThumbnails: the files that approver and visitor see, and the digest that the decision is bound to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import InvalidMedia
from tasks.core.models.digests import FileSha256, RenditionsDigest
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.core.models.media import Master, Media
from tasks.core.models.recognition import Recognition
from tasks.core.models.renditions import Rendition, Thumbnails
from tasks.core.models.review import Prepared
from tasks.core.settings import Settings
from tasks.lifecycle.thumbnails import finished, keep
from tasks.media import Limits, make_renditions, workspace


@dataclass(frozen=True)
class MakeThumbnailsRequest:
    item: Item
    media: Media
    version: int = 1  # 1: an execution that began before decision 0018


def make_thumbnails(request: MakeThumbnailsRequest, *, store: Store, settings: Settings) -> Media | Prepared:
    """The media with every rendition in the work bucket under `items/<id>/`; rejected when the picture breaks in the decoder.

    An execution that began before decision 0018 asks for them alone, also where ConvertImage has made them.
    """
    made = request.media if request.media.thumbnails else _made(request.item, request.media, store, settings)
    return made if request.version > 1 else _as_before(made)


def _as_before(media: Media) -> Prepared:
    return media.prepared or Prepared(media.verdict, media.reason, (), "", RenditionsDigest(""), Recognition())


def _made(item: Item, media: Media, store: Store, settings: Settings) -> Media:
    try:
        made = _thumbnails(item, media, store, settings)
    except InvalidMedia as bad:
        return replace(media, verdict="rejected", reason=bad.reason)
    # What a video's master had beside it is among the renditions now.
    master = media.master and replace(media.master, preview=None, stream=())
    return replace(media, master=master, thumbnails=made)


def _thumbnails(item: Item, media: Media, store: Store, settings: Settings) -> Thumbnails:
    if media.kind == "document" and not _is_drawn(media):
        return finished([_file(item, media, store, settings.work_bucket)], "")
    if media.master is None:
        raise InvalidMedia("no picture was made of it that could be shown")
    return _pictured(item, media, media.master, store, settings)


def _pictured(item: Item, media: Media, master: Master, store: Store, settings: Settings) -> Thumbnails:
    """Each size of the picture that stands for the item: its master's, a video's poster or a recording's waveform."""
    with workspace() as folder:
        (out := folder / "renditions").mkdir()
        store.download(master.still, folder / "still")
        made = make_renditions(folder / "still", "jpeg" if master.poster_key else master.format, out, Limits.of(settings))
        pictures = keep(made, item, store, settings.work_bucket)
    if media.kind == "image":
        return pictures
    return finished([*_played(master, store, media), *pictures.renditions], pictures.placeholder)


def _is_drawn(media: Media) -> bool:
    """Whether a document has a picture: a recording whose sound could be read."""
    return bool(media.master and media.master.poster_key)


def _played(master: Master, store: Store, media: Media) -> list[Rendition]:
    """A recording is heard as its master. A video is shown as its master, as its preview under a pointer, and a long one as a
    stream."""
    if media.kind == "document":
        return [
            Rendition(
                "file", master.key, master.format, master.content_type, bytes=master.bytes, sha256=FileSha256(master.sha256)
            )
        ]
    if media.kind != "video":
        return []
    return [
        Rendition("video", master.key, "mp4", "video/mp4", master.width, master.height, master.bytes, FileSha256(master.sha256)),
        master.preview or _measured(master, store),
        *master.stream,
    ]


def _measured(master: Master, store: Store) -> Rendition:
    """The preview of a video that was joined before decision 0018."""
    from tasks.media.poster import preview_size

    body = store.read(Location(master.bucket, master.preview_key))
    width, height = preview_size(master.width, master.height)
    sha256 = FileSha256(hashlib.sha256(body).hexdigest())
    return Rendition("preview", master.preview_key, "mp4", "video/mp4", width, height, len(body), sha256)


def _file(item: Item, media: Media, store: Store, bucket: str) -> Rendition:
    """A document as it came, copied inside S3 from its pinned version; never shown, only downloaded."""
    key = f"items/{item.id}/file"
    store.copy(item.original, bucket, key, media.content_type, disposition="attachment", expect_etag=item.etag)
    return Rendition("file", key, media.format, media.content_type, bytes=media.bytes, sha256=FileSha256(media.sha256))


handler = lambda_handler(make_thumbnails)
