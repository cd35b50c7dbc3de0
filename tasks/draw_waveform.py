"""DrawWaveform: a recording gets a picture of how loud it is, and its sound is kept without the tags around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import InvalidMedia
from tasks.core.models.digests import MasterSha256, file_sha256
from tasks.core.models.item import Item
from tasks.core.models.media import Master, Media
from tasks.core.settings import Settings
from tasks.media import Limits, workspace

if TYPE_CHECKING:
    from tasks.media.sound import Plain

AS_IT_CAME = "its sound could not be read: it has no picture, and is published as it came"


@dataclass(frozen=True)
class DrawWaveformRequest:
    item: Item
    media: Media


def draw_waveform(request: DrawWaveformRequest, *, store: Store, settings: Settings) -> Media:
    """The media with its master in the work bucket; as it was, with a note, when its sound cannot be read."""
    from tasks.media import sound, video_facts

    item, media, limits = request.item, request.media, Limits.of(settings)
    with workspace() as folder:
        source, picture = folder / "original", folder / "waveform.jpg"
        store.download(item.original, source)
        try:
            facts = video_facts.read(source)
            sound.waveform(source, media.format, picture, limits, settings.ffmpeg)
            plain = sound.without_tags(source, media.format, folder / "file", limits, settings.ffmpeg)
        except InvalidMedia:
            return replace(media, note=AS_IT_CAME)
        master = _keep(plain, picture, item, media, store, settings.work_bucket)
    return replace(media, duration=facts.duration, codecs=(facts.audio,), master=master)


def _keep(plain: Plain, picture: Path, item: Item, media: Media, store: Store, bucket: str) -> Master:
    key, poster_key = f"items/{item.id}/file", f"items/{item.id}/{picture.name}"
    store.upload(plain.path, bucket, key, plain.content_type)
    store.upload(picture, bucket, poster_key, "image/jpeg")
    return Master(
        bucket=bucket,
        key=key,
        format=media.format,
        content_type=plain.content_type,
        bytes=plain.path.stat().st_size,
        sha256=MasterSha256(file_sha256(plain.path)),
        poster_key=poster_key,
    )


handler = lambda_handler(draw_waveform)
