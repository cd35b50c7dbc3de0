"""What remains when an execution has ended: the audit record, the operator's mail, another attempt where one was lost."""

from __future__ import annotations

import json
import re

import pytest
from machines.gallery import Gallery
from machines.stage import APPROVER, SETTINGS

LINK = re.compile(r"/review/(\S+)#(\S+)")


@pytest.mark.parametrize(
    ("name", "through"),
    [
        ("cat.heic", {"ConvertImage", "Recognize"}),
        ("clip.mov", {"TranscodeSegments", "TranscodeSegment", "JoinVideo", "MakeThumbnails"}),
    ],
)
def test_the_audit_tells_the_whole_story_of_what_was_published(gallery: Gallery, name: str, through: set[str]) -> None:
    cat = gallery.upload(name).approve()
    cat.aftermath()
    record = cat.audit()
    names = [event["stateEnteredEventDetails"]["name"] for event in record["events"] if "stateEnteredEventDetails" in event]
    assert names[0] == "ValidateMedia" and names[-1] == "Published"
    assert through <= set(names), "a state inside a Map too"
    assert [event["id"] for event in record["events"]] == list(range(1, len(record["events"]) + 1))
    assert (record["decision"]["verdict"], record["decision"]["approver"]) == ("approve", APPROVER)


def test_no_token_and_no_link_secret_stands_in_the_audit(gallery: Gallery) -> None:
    cat = gallery.upload("cat.jpg").approve()
    cat.aftermath()
    written = json.dumps(cat.audit())
    (token,) = cat.task_tokens()
    found = LINK.search(gallery.mails()[0].replace("=\n", "").replace("=3D", "="))
    assert found, "the mail holds a personal link"
    assert token not in written
    assert found[2] not in written


def test_what_the_policy_rejected_says_so_in_the_audit(gallery: Gallery) -> None:
    upload = gallery.upload("text.jpg")
    upload.ended()
    upload.aftermath()
    assert upload.audit()["status"] == "SUCCEEDED"
    assert upload.audit()["decision"] is None, "nobody decided about what is no photo"


def test_a_failed_execution_marks_its_item_and_tells_the_operator(gallery: Gallery) -> None:
    gallery.stage.break_task("Recognize", *[ConnectionError("rekognition is away")] * 4)
    upload = gallery.upload("cat.jpg")
    upload.ended()
    upload.aftermath()
    assert upload.record.status == "FAILED"
    assert "rekognition is away" in upload.record.reason
    (mail,) = gallery.mails()
    assert f"To: {SETTINGS.operator}" in mail
    assert upload.audit()["error"] == "ConnectionError"


def test_a_failure_of_an_attempt_that_was_overtaken_is_old_news(gallery: Gallery) -> None:
    gallery.stage.break_task("Recognize", *[ConnectionError("away")] * 4)
    upload = gallery.upload("cat.jpg")
    upload.ended()
    before = upload.record.execution
    assert gallery.catalog.items.next_attempt(upload.id, 1)
    event = {"detail": {"executionArn": f"arn:aws:states:us-east-1:123456789012:execution:x:{before}", "name": before}}
    gallery.stage.call("MarkFailed", {"detail": event["detail"] | {"status": "FAILED", "error": "ConnectionError"}})
    assert upload.record.status == "RECEIVED"
    assert gallery.mails() == []


def test_a_waiting_item_whose_execution_died_is_asked_about_again(gallery: Gallery) -> None:
    """An engine that restarts takes its executions with it; the sweeper starts the next attempt, and one click publishes."""
    upload = gallery.upload("cat.jpg").waiting()
    gallery.stage.lose_execution(upload.record.execution)
    gallery.stage.call("Sweep", {"grace_seconds": 0})
    assert upload.record.attempt == 2
    assert upload.approve().record.status == "PUBLISHED"
    assert gallery.site.pages() == [upload.id]


def test_a_decision_made_while_the_engine_was_away_counts_for_the_next_attempt(gallery: Gallery) -> None:
    upload = gallery.upload("cat.jpg").waiting()
    gallery.stage.lose_execution(upload.record.execution)
    assert gallery.reviews.record(upload.id, "approve", approver=APPROVER).state == "recorded"
    gallery.stage.call("Sweep", {"grace_seconds": 0})
    assert upload.settled().record.status == "PUBLISHED", "nobody has to click twice"
    assert len(gallery.mails()) == 1
