"""Every Retry of the ingest machine, with the real tasks: what breaks in passing is mended, what stays broken fails in place.

Errors are thrown where Lambda, DynamoDB or SQS would throw them. Nobody waits: `stage.waits` says how long a retry would have.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from machines.definition import definitions
from machines.gallery import Gallery, Upload
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models import DynamoDBBackend
from moto.sqs.models import SQSBackend

INGEST = next(definition for definition in definitions() if definition.name == "ingest")
PHOTO, CLIP, SONG, TEXT = "cat.heic", "clip.mov", "song.mp3", "text.jpg"
LIVE_PICTURE, LIVE_FILM = "live.heic", "live.mov"

# Which upload, decided how, comes by each function's state.
COMES_BY = {
    "ValidateMedia": (PHOTO, "approve"),
    "ConvertImage": (PHOTO, "approve"),
    "DrawWaveform": (SONG, "approve"),
    "PlanVideo": (CLIP, "approve"),
    "TranscodeSegment": (CLIP, "approve"),
    "JoinVideo": (CLIP, "approve"),
    "MakeThumbnails": (CLIP, "approve"),
    "Recognize": (PHOTO, "approve"),
    "JoinPicture": (LIVE_FILM, "joined"),
    "Publish": (PHOTO, "approve"),
    "RebuildIndexes": (PHOTO, "approve"),
    "Discard": (PHOTO, "reject"),
    "Expire": (PHOTO, "nobody"),
    "Quarantine": (TEXT, "nobody"),
    "MarkDuplicate": (PHOTO, "twice"),
}
ENDS = {"approve": "PUBLISHED", "reject": "REJECTED", "twice": "DUPLICATE", "joined": "DUPLICATE"}


class Throttle(Exception):
    """Lambda refuses for a while, under the name that AWS gives it."""


Throttle.__name__ = "Lambda.TooManyRequestsException"


def goes_through(gallery: Gallery, name: str, decided: str) -> Upload:
    """Upload, and decide as told; the upload when all is over."""
    if decided == "twice":
        gallery.upload(name, album="Earlier").waiting()
    if decided == "joined":
        gallery.upload(LIVE_PICTURE).waiting()
    upload = gallery.upload(name)
    if decided in ("approve", "reject"):
        return upload.decide(decided)
    if name != TEXT and decided == "nobody":
        upload.waiting()
    upload.ended()
    return upload


def test_every_function_has_its_story() -> None:
    assert set(COMES_BY) == set(INGEST.functions)


@pytest.mark.parametrize("state", COMES_BY)
def test_a_task_that_breaks_once_is_tried_again_and_works(gallery: Gallery, state: str) -> None:
    name, decided = COMES_BY[state]
    if decided == "nobody":
        gallery.stage.use(lambda body: body["States"]["AwaitApproval"].update(TimeoutSeconds=1))
    gallery.stage.break_task(state, ConnectionError("gone for a moment"))
    upload = goes_through(gallery, name, decided)
    assert upload.ended().status == "SUCCEEDED"
    assert upload.record.status == ENDS.get(decided, "QUARANTINED" if name == TEXT else "EXPIRED")
    assert len(gallery.stage.waits) == 1


@pytest.mark.parametrize(
    "state", ["Publish", "RebuildIndexes", "MakeThumbnails", "ConvertImage", "DrawWaveform", "JoinPicture", "Discard"]
)
def test_a_lost_answer_changes_nothing(gallery: Gallery, state: str) -> None:
    """The work was done, its answer never came: the second time must find it done, not do it twice."""
    name, decided = COMES_BY[state]
    gallery.stage.lose_answer(state, TimeoutError("the answer was lost"))
    upload = goes_through(gallery, name, decided)
    assert upload.record.status == ENDS[decided]
    assert len(gallery.stage.given[state]) == 2
    cards = gallery.catalog.albums.page("summer", 0)
    assert [card.id for card in cards] == ([upload.id] if decided == "approve" else [])


def test_a_task_that_stays_broken_fails_in_place_under_its_own_name(gallery: Gallery) -> None:
    gallery.stage.break_task("Recognize", *[ConnectionError("gone for good")] * 4)
    story = gallery.upload(PHOTO).ended()
    assert (story.status, story.outcome, story.error) == ("FAILED", "Recognize", "ConnectionError")
    assert len(gallery.stage.waits) == 3


def test_throttles_are_waited_out_with_backoff_jitter_and_a_cap(gallery: Gallery) -> None:
    gallery.stage.break_task("ValidateMedia", *[Throttle("Rate exceeded")] * 8)
    assert goes_through(gallery, PHOTO, "approve").record.status == "PUBLISHED"
    longest = [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(gallery.stage.waits) == 8
    assert all(0 <= wait <= most for wait, most in zip(gallery.stage.waits, longest, strict=True))
    assert len(set(gallery.stage.waits)) > 1, "jitter spreads them"


def test_a_table_that_fails_in_passing_is_asked_again(gallery: Gallery) -> None:
    with refusing(DynamoDBBackend, "put_item", JsonRESTError("InternalServerError", "try again"), times=2):
        upload = gallery.upload(PHOTO)
        upload.approve()
    assert upload.record.status == "PUBLISHED"
    assert len(gallery.stage.waits) == 2


def test_a_queue_that_fails_in_passing_is_asked_again(gallery: Gallery) -> None:
    with refusing(SQSBackend, "send_message", JsonRESTError("InternalFailure", "try again"), times=2):
        upload = gallery.upload(PHOTO).approve()
    assert upload.record.status == "PUBLISHED"
    assert len(gallery.stage.waits) == 2


@contextmanager
def refusing(backend: type, method: str, error: Exception, times: int) -> Iterator[None]:
    """moto's backend refuses what the interpreter asks of it; the tasks' own calls go through."""
    real = getattr(backend, method)
    left = [error] * times

    def refuse(*args: object, **kwargs: object) -> object:
        if left and _asked_by_a_machine():
            raise left.pop()
        return real(*args, **kwargs)

    with patch.object(backend, method, refuse):
        yield


def _asked_by_a_machine() -> bool:
    """Whether the call comes from a service integration of the interpreter."""
    return any("state_task_service" in frame.filename for frame in traceback.extract_stack()) and not any(
        f"{Path('tasks', 'core')}" in frame.filename for frame in traceback.extract_stack()
    )
