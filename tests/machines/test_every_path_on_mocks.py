"""Every path through the ingest machine, with mocked tasks: which states, what each is told, how it ends.

The cases stand in MockConfigFile.json, in the format of AWS Step Functions Local. They run on MiniStack, and on a
Step Functions Local too when STEPFUNCTIONS_LOCAL_URL names one that was started with the same file.
"""

from __future__ import annotations

from typing import Any

import pytest
from machines.chronicle import Chronicle, every_case, mock_configuration
from machines.definition import Definition, Transition, at, definitions

ARRIVES = "ValidateMedia IsAccepted ClaimContent ByKind"
AS_JPEG = f"{ARRIVES} MakeThumbnails IsPrepared"
AS_HEIC = f"{ARRIVES} ConvertImage IsPrepared"
AS_SOUND = f"{ARRIVES} DrawWaveform MakeThumbnails IsPrepared"
AS_VIDEO = f"{ARRIVES} PlanVideo TranscodeSegments JoinVideo IsPrepared"
AS_POSTER = f"{AS_VIDEO} MakeThumbnails IsPrepared"
LOOKED = "Recognize Triage JoinPicture IsJoined"
SHOWN = "Recognize Triage AwaitApproval"
DECIDED = f"{SHOWN} Decided"
LATE = f"{SHOWN} Expire Decided"
PUBLISHED = "Publish RebuildIndexes Published"
REJECTED = "Discard Rejected"
QUARANTINED = "Quarantine Quarantined"

WAYS = {
    "JpegPublished": f"{AS_JPEG} {DECIDED} {PUBLISHED}",
    "HeicPublished": f"{AS_HEIC} {DECIDED} {PUBLISHED}",
    "VideoInSegmentsPublished": f"{AS_POSTER} {DECIDED} {PUBLISHED}",
    "VideoRemuxedPublished": f"{AS_POSTER} {DECIDED} {PUBLISHED}",
    "DocumentPublished": f"{AS_JPEG} AwaitApproval Decided {PUBLISHED}",
    "SoundPublished": f"{AS_SOUND} AwaitApproval Decided {PUBLISHED}",
    "HeldThenApproved": f"{AS_JPEG} {DECIDED} {PUBLISHED}",
    "QuarantinedAtValidation": f"ValidateMedia IsAccepted {QUARANTINED}",
    "QuarantinedAtConversion": f"{AS_HEIC} {QUARANTINED}",
    "QuarantinedAtJoin": f"{AS_VIDEO} {QUARANTINED}",
    "QuarantinedAtThumbnails": f"{AS_JPEG} {QUARANTINED}",
    "RejectedByPolicy": f"{AS_JPEG} Recognize Triage RejectByPolicy {REJECTED}",
    "RejectedByPerson": f"{AS_JPEG} {DECIDED} {REJECTED}",
    "Expired": f"{AS_JPEG} {LATE} Expired",
    "ExpiredButApprovedFirst": f"{AS_JPEG} {LATE} {PUBLISHED}",
    "ExpiredButRejectedFirst": f"{AS_JPEG} {LATE} {REJECTED}",
    "FilmOfALivePhotoJoined": f"{AS_POSTER} {LOOKED} Joined",
    "FilmWithoutAPicturePublished": f"{AS_POSTER} {LOOKED} WaitForPicture JoinPicture IsJoined AwaitApproval Decided {PUBLISHED}",
    "Duplicate": "ValidateMedia IsAccepted ClaimContent MarkDuplicate Duplicate",
}
TASKS = [(definition.name, task) for definition in definitions() for task in definition.tasks]


def given(chronicle: Chronicle, case: str, state: str, path: str) -> Any:
    """What a state was told, as the engine's history shows its input."""
    return at(path, chronicle.of(case).given[state])


@pytest.mark.parametrize("case", WAYS)
def test_an_upload_goes_its_way(chronicle: Chronicle, case: str) -> None:
    story = chronicle.of(case)
    assert " ".join(story.path) == WAYS[case]
    assert story.status == "SUCCEEDED"


@pytest.mark.parametrize(("machine", "task"), TASKS)
def test_a_task_that_stays_broken_fails_the_execution_at_its_state(
    chronicle: Chronicle, machines: dict[str, Definition], machine: str, task: str
) -> None:
    story = chronicle.of(f"{task}Fails", machine)
    assert story.status == "FAILED"
    assert story.outcome == machines[machine].container.get(task, task), "a redrive must resume where it broke"
    assert story.error in ("ConnectionError", "DynamoDB.ThrottlingException", "SQS.SdkClientException")


def test_a_task_that_stays_throttled_fails_with_the_throttles_own_name(chronicle: Chronicle) -> None:
    story = chronicle.of("ValidateMediaThrottled")
    assert (story.status, story.error) == ("FAILED", "Lambda.TooManyRequestsException")


@pytest.mark.parametrize("case", [case for case, way in WAYS.items() if way.endswith(PUBLISHED)])
def test_nothing_is_published_that_nobody_approved(chronicle: Chronicle, case: str) -> None:
    assert given(chronicle, case, "Publish", "decision.verdict") == "approve"
    assert given(chronicle, case, "Publish", "decision.approver") == "ann@example.org"


@pytest.mark.parametrize("case", [case for case, way in WAYS.items() if "Publish " in way])
def test_publish_is_told_the_very_sha256_that_was_shown(chronicle: Chronicle, case: str) -> None:
    shown = given(chronicle, case, "AwaitApproval", "media.thumbnails")
    assert given(chronicle, case, "Publish", "media.thumbnails") == shown
    assert shown["renditions"] and len(shown["sha256"]) == 64


@pytest.mark.parametrize("case", WAYS)
def test_the_upload_travels_unchanged(chronicle: Chronicle, case: str) -> None:
    story = chronicle.of(case)
    start = story.given["ValidateMedia"]["item"]
    assert [name for name, told in story.given.items() if told.get("item", start) != start] == []


def test_a_jpeg_needs_no_master_of_its_own(chronicle: Chronicle) -> None:
    assert given(chronicle, "JpegPublished", "MakeThumbnails", "media.master.key") == "Summer/cat.jpg"


def test_what_was_made_with_a_heics_master_is_what_is_recognized_and_shown(chronicle: Chronicle) -> None:
    made = given(chronicle, "HeicPublished", "Recognize", "media")
    assert made["master"]["key"].endswith("/master.jpg") and made["thumbnails"]["renditions"]
    assert given(chronicle, "HeicPublished", "AwaitApproval", "media.thumbnails") == made["thumbnails"]


def test_a_recording_is_shown_as_its_waveform(chronicle: Chronicle) -> None:
    assert given(chronicle, "SoundPublished", "MakeThumbnails", "media.master.poster_key").endswith("/waveform.jpg")


def test_a_video_in_segments_is_joined_from_all_of_them_and_its_sound(chronicle: Chronicle) -> None:
    segments = given(chronicle, "VideoInSegmentsPublished", "JoinVideo", "segments")
    assert sorted(segment["index"] for segment in segments) == [0, 1, 2]
    assert [segment["index"] for segment in segments if segment.get("sound")] == [0]


def test_a_remuxed_video_has_no_segment(chronicle: Chronicle) -> None:
    assert given(chronicle, "VideoRemuxedPublished", "JoinVideo", "segments") == []
    assert given(chronicle, "VideoRemuxedPublished", "JoinVideo", "plan.remux") is True


def test_what_is_shown_and_what_was_recognized_reach_the_approver(chronicle: Chronicle) -> None:
    assert given(chronicle, "HeldThenApproved", "AwaitApproval", "media.recognition.triage") == "hold"
    assert given(chronicle, "HeldThenApproved", "AwaitApproval", "media.thumbnails.renditions")[0]["name"] == "320w"


def test_what_a_file_says_of_its_video_reaches_whoever_works_at_it(chronicle: Chronicle) -> None:
    said = given(chronicle, "VideoInSegmentsPublished", "IsAccepted", "media.video")
    assert said["codec"] == "hevc"
    for state in ("PlanVideo", "TranscodeSegments", "JoinVideo"):
        assert given(chronicle, "VideoInSegmentsPublished", state, "media.video") == said


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("QuarantinedAtValidation", "this is text, not a picture"),
        ("QuarantinedAtConversion", "the picture ends in its middle"),
        ("QuarantinedAtJoin", "the video stream cannot be decoded"),
        ("QuarantinedAtThumbnails", "the picture breaks off when it is decoded"),
    ],
)
def test_quarantine_is_told_the_reason_in_words(chronicle: Chronicle, case: str, reason: str) -> None:
    assert given(chronicle, case, "Quarantine", "media.reason") == reason


@pytest.mark.parametrize(
    ("case", "approver", "reason"),
    [
        ("RejectedByPerson", "ann@example.org", "blurry"),
        ("RejectedByPolicy", "policy", "the gallery's policy does not allow what was recognized in it"),
        ("ExpiredButRejectedFirst", "ann@example.org", "blurry"),
    ],
)
def test_discard_is_told_who_rejected_and_why(chronicle: Chronicle, case: str, approver: str, reason: str) -> None:
    assert given(chronicle, case, "Discard", "decision.approver") == approver
    assert given(chronicle, case, "Discard", "decision.reason") == reason


def test_a_click_that_came_before_the_timeouts_catch_still_counts(chronicle: Chronicle) -> None:
    """Expire answers with the decision that the catalog holds, and the machine follows it."""
    assert chronicle.of("ExpiredButApprovedFirst").outcome == "Published"
    assert chronicle.of("ExpiredButRejectedFirst").outcome == "Rejected"


def test_a_duplicate_takes_the_claims_catch_and_never_reaches_an_approver(chronicle: Chronicle) -> None:
    assert "AwaitApproval" not in chronicle.of("Duplicate").path


def test_every_state_is_visited(chronicle: Chronicle, machines: dict[str, Definition]) -> None:
    missed = [
        f"{name}.{state}"
        for name, definition in machines.items()
        for state in sorted(set(definition.states) - visited(chronicle, definition))
    ]
    assert not missed, f"no case of MockConfigFile.json visits {', '.join(missed)}"


def test_every_way_is_walked(chronicle: Chronicle, machines: dict[str, Definition]) -> None:
    """Every Next, every rule of every Choice, every Default and every Catch."""
    missed = [
        f"{name}: {way}"
        for name, definition in machines.items()
        for way in sorted(set(definition.transitions) - walked(chronicle, definition))
    ]
    assert not missed, "no case of MockConfigFile.json walks\n" + "\n".join(missed)


def test_the_search_for_gaps_finds_a_gap(chronicle: Chronicle, machines: dict[str, Definition]) -> None:
    forgotten = {key: story for key, story in chronicle.stories.items() if key[1] != "RejectedByPolicy"}
    fewer = Chronicle(chronicle.engine, forgotten)
    ingest = machines["ingest"]
    assert set(ingest.states) - visited(fewer, ingest) == {"RejectByPolicy"}
    assert {str(way) for way in set(ingest.transitions) - walked(fewer, ingest)} == {
        "Triage --Choices[0]--> RejectByPolicy",
        "RejectByPolicy --Next--> Discard",
    }


def test_no_case_is_left_without_a_story() -> None:
    told = set(WAYS) | {f"{task}Fails" for _, task in TASKS} | {"ValidateMediaThrottled"}
    assert {case for machine, case in every_case() if machine == "ingest"} == told


def visited(chronicle: Chronicle, definition: Definition) -> set[str]:
    """States that a history shows, and, inside Map and Parallel, whose mocked answers came out of it."""
    seen: set[str] = set()
    mocks = mock_configuration()["StateMachines"].get(definition.name, {"TestCases": {}})["TestCases"]
    for (machine, case), story in chronicle.stories.items():
        if machine == definition.name:
            left = {way.source for way in story.ways}
            seen |= set(story.path) | story.inside
            seen |= {state for state in mocks[case] if definition.container.get(state) in left}
    return seen


def walked(chronicle: Chronicle, definition: Definition) -> set[Transition]:
    return {way for (machine, _), story in chronicle.stories.items() if machine == definition.name for way in story.ways}
