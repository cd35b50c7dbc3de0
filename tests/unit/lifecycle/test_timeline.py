"""The audit's timeline: told from the emulator's histories and from AWS's, so that a person can follow it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.lifecycle.timeline import as_lines, story, timeline
from tasks.lifecycle.timeline_words import after

START = datetime(2026, 6, 1, 10, 0, 0, tzinfo=UTC)
MEDIA = {
    "verdict": "accepted",
    "kind": "image",
    "format": "heic",
    "width": 4032,
    "height": 3024,
    "bytes": 2_345_678,
    "taken_at": "2024-05-01T12:00:00+02:00",
}
THUMBNAILS = {"renditions": [{"name": "320w"}, {"name": "320w"}, {"name": "640w"}]}
RECOGNITION = {"labels": [{"name": "Dog"}, {"name": "Grass"}], "moderation": []}
PREPARED = {"verdict": "accepted", **THUMBNAILS, "recognition": RECOGNITION}  # before decision 0018
DECISION = {"verdict": "approve", "reason": "", "approver": "ann@example.org", "decided_at": "2026-06-01T11:00:00Z"}
AUDITED = {**DECISION, "address": "203.0.113.9", "agent": "Firefox"}
PUBLICATION = {"url": "/items/x/", "album": "summer", "sequence": 12}


class Tape:
    """Writes a history as time goes by."""

    def __init__(self, chained: bool) -> None:
        self.events, self.now, self.chained = [], START, chained

    def add(self, type, seconds=0.0, previous=None, **details):
        self.now += timedelta(seconds=seconds)
        event = {"id": len(self.events) + 1, "type": type, "timestamp": self.now.isoformat(), **details}
        if self.chained:
            event["previousEventId"] = len(self.events) if previous is None else previous
        self.events.append(event)
        return event["id"]

    def enter(self, name, kind="Task", **more):
        return self.add(f"{kind}StateEntered", stateEnteredEventDetails={"name": name, "input": "{}"}, **more)

    def leave(self, name, seconds, output=None, kind="Task", **more):
        details = {"name": name, "output": json.dumps(output or {})}
        return self.add(f"{kind}StateExited", seconds, stateExitedEventDetails=details, **more)

    def record(self, status="SUCCEEDED", **more):
        ended = self.now.isoformat() if status != "RUNNING" else ""
        facts = {"item": "x", "attempt": 1, "execution": "x-1", "status": status, "started": START.isoformat(), "ended": ended}
        return {
            "schema": "greenroom/execution/1",
            "error": "",
            "cause": "",
            "decision": None,
            **facts,
            "events": self.events,
            **more,
        }


def published(chained, prepare=None):
    """A photo's way to the gallery."""
    prepare = prepare or one_after_the_other
    tape = Tape(chained)
    tape.add("ExecutionStarted")
    tape.enter("ValidateMedia")
    tape.add("TaskScheduled", taskScheduledEventDetails={})
    tape.leave("ValidateMedia", 0.41, {"media": MEDIA})
    tape.enter("IsAccepted", "Choice")
    tape.leave("IsAccepted", 0, kind="Choice")
    prepare(tape)
    tape.enter("AwaitApproval")
    tape.leave("AwaitApproval", 3_600, {"decision": DECISION})
    tape.enter("Publish")
    tape.leave("Publish", 0.2, {"publication": PUBLICATION})
    tape.enter("Published", "Succeed")
    tape.leave("Published", 0, kind="Succeed")
    tape.add("ExecutionSucceeded")
    return tape.record(decision=AUDITED)


def one_after_the_other(tape):
    tape.enter("MakeThumbnails")
    tape.leave("MakeThumbnails", 0.5, {"media": {**MEDIA, "thumbnails": THUMBNAILS}})
    tape.enter("Recognize")
    tape.add("LambdaFunctionFailed", 0.2, lambdaFunctionFailedEventDetails={"error": "Busy", "cause": "later"})
    tape.leave("Recognize", 0.3, {"media": {**MEDIA, "thumbnails": THUMBNAILS, "recognition": RECOGNITION}})


def side_by_side(tape):
    """As it was before decision 0018; what runs inside a Parallel state stands in AWS's history alone."""
    entered = tape.enter("Prepare", "Parallel")
    if tape.chained:
        first = tape.enter("MakeThumbnails", previous=entered)
        second = tape.enter("Recognize", previous=entered)
        failed = tape.add(
            "LambdaFunctionFailed", 0.2, previous=second, lambdaFunctionFailedEventDetails={"error": "Busy", "cause": "later"}
        )
        tape.leave("MakeThumbnails", 0.5, PREPARED, previous=first)
        tape.leave("Recognize", 0.3, PREPARED["recognition"], previous=failed)
    tape.leave("Prepare", 1, {"prepared": PREPARED}, "Parallel")


def told(record):
    return {line.step: line for line in timeline(record)}


@pytest.mark.parametrize("chained", [False, True], ids=["emulator", "aws"])
def test_every_step_is_told_with_its_time_and_what_happened(chained):
    lines = told(published(chained))
    assert lines["ValidateMedia"].text == "image, heic, 4032x3024, 2.3 MB, taken 2024-05-01T12:00:00+02:00"
    assert (lines["ValidateMedia"].seconds, lines["ValidateMedia"].at) == (0.41, "2026-06-01T10:00:00.000Z")
    assert lines["MakeThumbnails"].text == "3 renditions (320w, 640w)"
    assert lines["Recognize"].text == "sees Dog, Grass (after one failed try: Busy: later)"
    assert lines["AwaitApproval"].text == "approved by ann@example.org at 2026-06-01T11:00:00Z from 203.0.113.9 with Firefox"
    assert lines["AwaitApproval"].seconds == 3_600
    assert lines["Publish"].text == "number 12 in album summer, at /items/x/"
    assert lines["Execution"].text == "SUCCEEDED in Published"
    assert "IsAccepted" not in lines


@pytest.mark.parametrize("chained", [False, True], ids=["emulator", "aws"])
def test_a_record_of_years_ago_is_still_told(chained):
    assert told(published(chained, side_by_side))["Prepare"].text == "3 renditions (320w, 640w); sees Dog, Grass"


def test_what_was_made_with_a_master_is_told_with_it():
    media = {**MEDIA, "master": {"format": "jpeg", "width": 4032, "height": 3024, "bytes": 2_000_000}, "thumbnails": THUMBNAILS}
    assert after("ConvertImage", {"media": media}, {}) == "master is jpeg, 4032x3024, 2 MB; 3 renditions (320w, 640w)"
    assert after("JoinVideo", {"media": {**media, "thumbnails": None}}, {}) == "master is jpeg, 4032x3024, 2 MB"
    broken = {"media": {"verdict": "rejected", "reason": "it is cut off", "thumbnails": None}}
    assert after("MakeThumbnails", broken, {}) == "rejected: it is cut off"


def test_steps_that_ran_side_by_side_keep_their_own_tries():
    lines = told(published(chained=True, prepare=side_by_side))
    assert lines["Recognize"].text == "sees Dog, Grass (after one failed try: Busy: later)"
    assert lines["MakeThumbnails"].text == "3 renditions (320w, 640w)"


def test_a_maps_iterations_are_told_one_by_one():
    tape = Tape(chained=True)
    tape.add("ExecutionStarted")
    entered = tape.enter("TranscodeSegments", "Map")
    begun = [tape.enter("TranscodeSegment", previous=entered) for _ in range(3)]
    for index, previous in reversed(list(enumerate(begun))):
        tape.leave("TranscodeSegment", 1, {"index": index, "sound": index == 0}, previous=previous)
    tape.leave("TranscodeSegments", 0, {"segments": [{"sound": True}, {}, {"reason": "cut off"}]}, "Map", previous=entered)
    lines = [(line.text, line.seconds) for line in timeline(tape.record())]
    assert lines[1] == ("2 segments and the sound encoded; 1 broken: cut off", 3.0)
    assert lines[2:5] == [("the sound", 3.0), ("segment 1", 2.0), ("segment 2", 1.0)]


def test_a_plan_says_how_much_there_is_to_encode():
    def planned(*segments: dict[str, Any], **more: Any) -> str:
        return after("PlanVideo", {"plan": {"segments": list(segments), **more}}, {})

    assert planned({"sound": True}, {}, {}) == "2 segments and the sound to encode"
    assert planned({}) == "1 segment to encode"
    assert planned({}, remux=True) == "the streams fit as they are"


def test_a_failed_execution_says_where_it_stopped_and_why():
    tape = Tape(chained=False)
    tape.add("ExecutionStarted")
    tape.enter("ConvertImage")
    cause = json.dumps({"errorMessage": "no space left", "stackTrace": ["..."]})
    for _ in range(2):
        tape.add("TaskFailed", 2, taskFailedEventDetails={"error": "OSError", "cause": cause})
    tape.add("ExecutionFailed", executionFailedEventDetails={"error": "OSError", "cause": cause})
    lines = timeline(tape.record("FAILED", error="OSError", cause=cause))
    assert (lines[1].step, lines[1].text, lines[1].seconds) == (
        "ConvertImage",
        "not finished (2 failed tries: OSError: no space left)",
        None,
    )
    assert lines[2].text == "FAILED: OSError: no space left"


def test_a_timeout_and_a_rejection_by_policy_are_told():
    tape = Tape(chained=False)
    tape.enter("AwaitApproval")
    tape.add("TaskTimedOut", 9, taskTimedOutEventDetails={"error": "States.Timeout"})
    tape.leave("AwaitApproval", 0, {"timeout": {}})
    tape.enter("RejectByPolicy", "Pass")
    tape.leave("RejectByPolicy", 0, {"decision": {"verdict": "reject", "reason": "not allowed", "approver": "policy"}}, "Pass")
    lines = told(tape.record())
    assert lines["AwaitApproval"].text == "nobody decided in time (after one failed try: States.Timeout)"
    assert lines["RejectByPolicy"].text == "rejected by policy: not allowed"


def test_what_still_runs_is_told_as_far_as_it_is():
    tape = Tape(chained=False)
    tape.add("ExecutionStarted")
    tape.enter("AwaitApproval")
    lines = timeline(tape.record("RUNNING"))
    assert (lines[1].text, lines[1].seconds) == ("not finished", None)
    assert (lines[2].text, lines[2].seconds) == ("RUNNING", None)


ITEM = {
    "id": "x",
    "status": "PUBLISHED",
    "key": "Summer/IMG_0042.HEIC",
    "album": "summer",
    "album_title": "Summer",
    "contributor": "Ada",
    "received_at": "2026-06-01T09:59:58Z",
    "reason": "",
    "publication": PUBLICATION,
}


def test_the_story_reads_from_the_upload_to_where_it_stands():
    lines = as_lines(story([published(chained=False)], ITEM))
    text = "\n".join(lines)
    assert lines[0] == "x  IMG_0042.HEIC for Summer from Ada, received 2026-06-01T09:59:58Z"
    assert "  10:00:00.000  ValidateMedia      0.41 s  image, heic" in text
    assert "1 h 0 min  approved by ann@example.org" in text
    assert "Decision: approved by ann@example.org at 2026-06-01T11:00:00Z from 203.0.113.9 with Firefox" in text
    assert lines[-1] == "Stands:   PUBLISHED: /items/x/"


def test_every_attempt_is_part_of_the_story():
    lost = Tape(chained=False).record("FAILED", error="States.ServiceRestart", execution="x-1")
    found = story([lost, {**published(chained=False), "attempt": 2, "execution": "x-2"}], ITEM)
    assert [line["attempt"] for line in found["lines"]] == [1, 1] + [2] * 7
    assert found["decision"] == AUDITED
    assert json.loads(json.dumps(found)) == found


def test_an_item_without_any_record_still_says_where_it_stands():
    quarantined = {**ITEM, "status": "QUARANTINED", "reason": "this is text, not a picture", "publication": None}
    assert as_lines(story([], quarantined))[-1] == "Stands:   QUARANTINED: this is text, not a picture"
