"""ConvertImage: of a picture that browsers don't show, an upright JPEG (WebP where it is see-through) and all that is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import InvalidMedia
from tasks.core.models.digests import MasterSha256
from tasks.core.models.item import Item
from tasks.core.models.media import Master, Media
from tasks.core.settings import Settings
from tasks.lifecycle.thumbnails import keep
from tasks.media import Limits, workspace
from tasks.media import convert_image as convert


@dataclass(frozen=True)
class ConvertImageRequest:
    item: Item
    media: Media


def convert_image(request: ConvertImageRequest, *, store: Store, settings: Settings) -> Media:
    """The media with its master and its thumbnails in the work bucket; rejected when its pixels turn out broken."""
    item, media = request.item, request.media
    with workspace() as folder:
        store.download(item.original, folder / "original")
        try:
            made = convert(folder / "original", media.format, folder / "master.jpg", Limits.of(settings))
        except InvalidMedia as bad:
            return replace(media, verdict="rejected", reason=bad.reason)
        key = f"items/{item.id}/{made.file.path.name}"
        store.upload(made.file.path, settings.work_bucket, key, made.file.content_type)
        thumbnails = keep(made.renditions, item, store, settings.work_bucket)
    master = Master(
        bucket=settings.work_bucket,
        key=key,
        format=made.file.format,
        content_type=made.file.content_type,
        width=made.file.width,
        height=made.file.height,
        bytes=made.file.bytes,
        sha256=MasterSha256(made.file.sha256),
    )
    # What the pixels turned out to be, where the header said otherwise.
    return replace(media, width=master.width, height=master.height, master=master, thumbnails=thumbnails)


handler = lambda_handler(convert_image)
