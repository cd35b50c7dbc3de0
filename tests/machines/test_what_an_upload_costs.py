"""What one upload costs inside the machine: state transitions, as AWS bills them, and calls of Lambda functions."""

from __future__ import annotations

from collections import Counter

import pytest
from machines.engine import Story
from machines.gallery import Gallery, Upload


def transitions(story: Story) -> int:
    """Each state that was entered, those inside a Map too, and each further try of one."""
    kinds = Counter(event["type"] for event in story.events)
    entered = sum(count for kind, count in kinds.items() if kind.endswith("StateEntered"))
    failed = sum(count for kind, count in kinds.items() if kind in ("LambdaFunctionFailed", "TaskFailed"))
    return entered + failed


def calls(gallery: Gallery, upload: Upload, attempt: int = 1) -> int:
    """How often the machine called a function for one attempt of an item."""
    machine = set(gallery.stage.definition.functions.values())
    told = [event["item"] for name, events in gallery.stage.given.items() if name in machine for event in events]
    return sum((item["id"], item["attempt"]) == (upload.id, attempt) for item in told)


@pytest.mark.parametrize(
    ("name", "transitioned", "called"),
    [
        ("cat.jpg", 13, 5),
        ("cat.heic", 13, 5),
        ("clip.mp4", 17, 7),  # remuxed: no segment
        ("clip.mov", 19, 9),  # one segment, and the sound
        ("song.mp3", 12, 5),
        ("programme.pdf", 11, 4),
    ],
)
def test_a_published_upload(gallery: Gallery, name: str, transitioned: int, called: int) -> None:
    upload = gallery.upload(name).approve()
    story = upload.ended()
    assert story.outcome == "Published"
    assert (transitions(story), calls(gallery, upload)) == (transitioned, called), story.path


@pytest.mark.parametrize("name", ["cat.jpg", "cat.heic"])
def test_an_item_whose_execution_was_lost_costs_no_more_in_its_next_attempt(gallery: Gallery, name: str) -> None:
    upload = gallery.upload(name).waiting()
    gallery.stage.lose_execution(upload.record.execution)
    gallery.stage.call("Sweep", {"grace_seconds": 0})
    assert upload.record.attempt == 2
    story = upload.approve().ended()
    assert story.outcome == "Published"
    assert (transitions(story), calls(gallery, upload, attempt=2)) == (13, 5), story.path


def test_a_try_that_fails_is_counted(gallery: Gallery) -> None:
    gallery.stage.break_task("Recognize", ConnectionError("gone for a moment"))
    upload = gallery.upload("cat.jpg").approve()
    assert (transitions(upload.ended()), calls(gallery, upload)) == (14, 6)
