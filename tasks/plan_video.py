"""PlanVideo: a remux where browsers play the streams as they are, else segments that are transcoded side by side."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import InvalidMedia
from tasks.core.models.item import Item
from tasks.core.models.media import Media, VideoPlan
from tasks.core.settings import Settings
from tasks.media import Limits, workspace


@dataclass(frozen=True)
class PlanVideoRequest:
    item: Item
    media: Media


def plan_video(request: PlanVideoRequest, *, store: Store, settings: Settings) -> VideoPlan:
    """How the pinned version becomes its MP4; no segments and a reason when it cannot."""
    from tasks.media import video_facts
    from tasks.media.video_plan import plan_video as plan

    with workspace() as folder:
        store.download(request.item.original, folder / "original")
        try:
            # An execution that began before decision 0018 does not say them.
            facts = request.media.video or video_facts.read(folder / "original")
            return plan(folder / "original", facts, settings.segment_seconds, Limits.of(settings), settings.ffmpeg)
        except InvalidMedia as bad:
            return VideoPlan(remux=False, reason=bad.reason)


handler = lambda_handler(plan_video)
