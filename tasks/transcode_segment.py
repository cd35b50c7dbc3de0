"""TranscodeSegment: one stretch of a video's picture, or the sound of the whole, in a work directory of its own."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import InvalidMedia
from tasks.core.models.item import Item
from tasks.core.models.media import Media, Segment, SegmentResult
from tasks.core.settings import Settings
from tasks.media import Limits, workspace


@dataclass(frozen=True)
class TranscodeSegmentRequest:
    item: Item
    media: Media
    segment: Segment


def transcode_segment(request: TranscodeSegmentRequest, *, store: Store, settings: Settings) -> SegmentResult:
    """The segment's folder in the work bucket, or the reason why it cannot be decoded."""
    from tasks.media import video, video_facts

    item, segment = request.item, request.segment
    key = f"items/{item.id}/segments/{segment.index:04d}/"
    with workspace() as folder:
        source, out = folder / "original", folder / "out"
        out.mkdir()
        store.download(item.original, source)
        try:
            facts = request.media.video or video_facts.read(source)
            made = video.transcode_segment(source, segment, facts, out, Limits.of(settings), settings.ffmpeg)
        except InvalidMedia as bad:
            return SegmentResult(segment.index, reason=bad.reason, sound=segment.sound)
        for path in made:
            store.upload(path, settings.work_bucket, key + path.name, "video/mp4")
    return SegmentResult(segment.index, key, sound=segment.sound)


handler = lambda_handler(transcode_segment)
