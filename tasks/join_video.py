"""JoinVideo: pictures and sound become one MP4, with the poster and the preview that stand for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import InvalidMedia
from tasks.core.models.digests import MasterSha256, file_sha256
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.core.models.media import Master, Media, SegmentResult, VideoPlan
from tasks.core.models.renditions import Rendition
from tasks.core.settings import Settings
from tasks.media import Limits, workspace

if TYPE_CHECKING:
    from tasks.media.video import Joined


@dataclass(frozen=True)
class JoinVideoRequest:
    item: Item
    media: Media
    plan: VideoPlan
    segments: tuple[SegmentResult, ...] = ()


@dataclass(frozen=True)
class Fetched:
    """Material in S3: on this disk only while it is needed, as all of it at once would not fit there."""

    request: JoinVideoRequest
    folder: Path
    store: Store
    bucket: str

    @contextmanager
    def source(self) -> Iterator[Path]:
        path = self.folder / "original"
        self.store.download(self.request.item.original, path)
        yield path
        path.unlink()

    @contextmanager
    def segments(self, size: str) -> Iterator[list[Path]]:
        found = []
        for segment in sorted(self.request.segments, key=lambda each: each.index):
            if segment.sound:
                continue
            found.append(self.folder / f"{size}-{segment.index:04d}.mp4")
            self.store.download(Location(self.bucket, f"{segment.key}{size}.mp4"), found[-1])
        yield found
        for path in found:
            path.unlink()

    @contextmanager
    def sound(self) -> Iterator[Path | None]:
        from tasks.media.video import SOUND

        path = self.folder / SOUND
        if found := next((segment for segment in self.request.segments if segment.sound), None):
            self.store.download(Location(self.bucket, found.key + SOUND), path)
        yield path if path.exists() else None
        path.unlink(missing_ok=True)


def join_video(request: JoinVideoRequest, *, store: Store, settings: Settings) -> Media:
    """The media with its master in the work bucket; rejected when the plan or a segment says why."""
    item, media = request.item, request.media
    reason = request.plan.reason or next((segment.reason for segment in request.segments if segment.reason), "")
    if reason:
        return replace(media, verdict="rejected", reason=reason)
    with workspace() as folder:
        try:
            joined = _join(request, folder, store, settings)
        except InvalidMedia as bad:
            return replace(media, verdict="rejected", reason=bad.reason)
        master = _keep(joined, item, store, settings.work_bucket)
    # What the upload's own streams were is of no use any more.
    return replace(media, width=master.width, height=master.height, video=None, master=master)


def _join(request: JoinVideoRequest, folder: Path, store: Store, settings: Settings) -> Joined:
    from tasks.media import video

    material, plan = Fetched(request, folder, store, settings.work_bucket), request.plan
    if plan.segments and plan.smaller is None:
        plan = _catch_up(material, plan, settings)
    return video.join_video(material, plan, folder, Limits.of(settings), settings.ffmpeg, request.media.video)


def _catch_up(material: Fetched, plan: VideoPlan, settings: Settings) -> VideoPlan:
    """A plan from before decision 0010, whose sound nobody has encoded: that is done here, and the plan completed."""
    from tasks.media import video, video_facts

    limits = Limits.of(settings)
    with material.source() as source:
        facts = video_facts.read(source)
        whole = video.completed(source, plan, facts, limits, settings.ffmpeg)
        for segment in whole.segments:
            if segment.sound:
                video.transcode_segment(source, segment, facts, material.folder, limits, settings.ffmpeg)
    return whole


def _keep(joined: Joined, item: Item, store: Store, bucket: str) -> Master:
    from tasks.media.poster import preview_size

    folder = f"items/{item.id}/"
    store.upload(joined.video, bucket, folder + joined.video.name, "video/mp4")
    store.upload(joined.poster, bucket, folder + joined.poster.name, "image/jpeg")
    width, height = preview_size(joined.facts.width, joined.facts.height)
    preview = replace(_kept(joined.preview, "preview", folder, store, bucket), width=width, height=height)
    return Master(
        bucket=bucket,
        key=folder + joined.video.name,
        format="mp4",
        content_type="video/mp4",
        width=joined.facts.width,
        height=joined.facts.height,
        bytes=joined.video.stat().st_size,
        sha256=MasterSha256(file_sha256(joined.video)),
        poster_key=folder + joined.poster.name,
        preview=preview,
        stream=tuple(_kept(path, f"stream/{path.name}", f"{folder}stream/", store, bucket) for path in joined.stream),
    )


def _kept(path: Path, name: str, folder: str, store: Store, bucket: str) -> Rendition:
    """A preview, or one file of a stream, in the work bucket."""
    format, content_type = ("mp4", "video/mp4") if path.suffix == ".mp4" else ("m3u8", "application/vnd.apple.mpegurl")
    store.upload(path, bucket, folder + path.name, content_type)
    return Rendition(name, folder + path.name, format, content_type, bytes=path.stat().st_size, sha256=file_sha256(path))


handler = lambda_handler(join_video)
