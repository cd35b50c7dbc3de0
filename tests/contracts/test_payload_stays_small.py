"""Step Functions carries at most 256 KiB from state to state (the emulators do not check): the worst upload stays below."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tasks.core.json import to_json
from tasks.core.models.item import Item
from tasks.core.models.media import Master, Media, Segment, SegmentResult, VideoFacts, VideoPlan
from tasks.core.models.publication import Publication
from tasks.core.models.recognition import Label, Recognition
from tasks.core.models.renditions import Rendition, Thumbnails
from tasks.core.models.review import Decision

LIMIT = 256 * 1024
TASK_TOKEN = "A" * 1024
# An S3 key has at most 1,024 bytes of UTF-8; of three bytes each, a character takes six (`\\u97f3`) in JSON.
LONGEST_KEY = "音" * 341
LONG_TITLE = "音" * 200
LONG_REASON = "the video stream cannot be decoded: " + "x" * 264
SHA = "f" * 64
ID = "k7q2mzx4w3ncdy5tvb6a"
HOURS_OF_VIDEO = 2
SEGMENTS = HOURS_OF_VIDEO * 3600 // 30 + 1  # with the sound

ITEM = Item(
    ID,
    5,
    "greenroom-inbox-123456789012-eu-central-1",
    LONGEST_KEY,
    "v" * 64,
    SHA,
    2 * 10**9,
    "a" * 80,
    LONG_TITLE,
    LONG_TITLE,
    "2026-07-05T08:00:00Z",
)
STREAM = tuple(
    Rendition(f"stream/{name}", f"items/{ID}/stream/{name}", kind, "application/vnd.apple.mpegurl", bytes=10**9, sha256=SHA)
    for stem in ("main", "top", "720p", "360p", "sound")
    for kind in ("m3u8", "mp4")
    for name in (f"{stem}.{kind}",)
)
MASTER = Master(
    "greenroom-work-123456789012-eu-central-1",
    LONGEST_KEY,
    "v" * 64,
    "mp4",
    "video/mp4",
    1920,
    1080,
    10**9,
    SHA,
    f"items/{ID}/poster.jpg",
    f"items/{ID}/preview.mp4",
    STREAM,
)
MEDIA = Media(
    "accepted",
    LONG_REASON,
    "video",
    "mov",
    "video/quicktime",
    SHA,
    10**9,
    3840,
    2160,
    7200.0,
    "2026-07-04T18:21:09+02:00",
    "x" * 100,
    "f" * 16,
    True,
    ("hevc", "aac"),
    True,
    video=VideoFacts("hevc", 3840, 2160, 270, 7200.0, "60000/1001", 10**8, 10, "4:2:0", "HLG", True, True, "mpeg-audio"),
    master=MASTER,
)
PLAN = VideoPlan(
    False,
    tuple(
        Segment(index, index * 30.033333, (index + 1) * 30.033333, 1800, index * 30.029999, "60000/1001", sound=not index)
        for index in range(SEGMENTS)
    ),
    LONG_REASON,
    ("720p", "360p"),
)
RENDITIONS = tuple(
    Rendition(f"{width}w", f"items/{ID}/{width}w.{kind}", kind, f"image/{kind}", width, width, 10**7, SHA)
    for width in (320, 640, 1280, 2048)
    for kind in ("webp", "jpeg")
) + tuple(Rendition(name, f"items/{ID}/{name}.mp4", "mp4", "video/mp4", 1920, 1080, 10**9, SHA) for name in ("video", "preview"))
RENDITIONS += STREAM
LABELS = tuple(Label("A long label of some words", 99.99887084960938, "Its own long parent") for _ in range(25))
THUMBNAILS = Thumbnails(RENDITIONS, "x" * 1024, SHA, "f" * 16)
SHOWN = replace(MEDIA, thumbnails=THUMBNAILS, recognition=Recognition(LABELS, LABELS, "3.0", "hold"))
DECISION = Decision("reject", "音" * 500, "somebody.with.a.long.name@a-long-domain.example.org", "2026-07-05T09:12:44Z")
PUBLICATION = Publication(f"/items/{ID}/", "a" * 80, 10**9, 10**7, "2026-07-05T09:12:46Z")


def size(state: dict[str, Any]) -> int:
    """Bytes as Step Functions counts them."""
    return len(json.dumps(to_json(state)).encode())


def broken(index: int) -> SegmentResult:
    return SegmentResult(index, "", LONG_REASON)


def whole(index: int) -> SegmentResult:
    return SegmentResult(index, f"items/{ID}/segments/{index:04d}/")


@pytest.mark.parametrize("segment", [whole, broken])
def test_two_hours_of_video_fit(segment: Any) -> None:
    segments = tuple(segment(index) for index in range(SEGMENTS))
    state = {"item": ITEM, "media": SHOWN, "plan": PLAN, "segments": segments}
    state |= {
        "timeout": {"Error": "States.Timeout", "Cause": "x" * 200},
        "decision": DECISION,
        "publication": PUBLICATION,
        "pages": {"paths": ["/albums/x/"] * 20},
    }
    assert size(state) < LIMIT


def test_the_approvers_message_fits_a_queue() -> None:
    assert size({"token": TASK_TOKEN, "item": ITEM, "media": SHOWN}) < LIMIT // 4


def test_a_result_without_bound_would_be_found() -> None:
    """The measure itself can fail: a reason as long as ffmpeg's whole log, in every segment, is too much."""
    segments = tuple(replace(broken(index), reason="x" * 2000) for index in range(SEGMENTS))
    assert size({"item": ITEM, "segments": segments}) > LIMIT
