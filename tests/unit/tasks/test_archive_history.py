"""ArchiveHistory: the whole story is kept once, in order, and no token or secret with it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tasks.archive_history import archive_history
from tasks.core.models.location import Location

TOKEN = "AQCEAAAAKgAAAAMAAAAAcanary+token/value=="
START = datetime(2026, 6, 1, 10, 0, 0, 120_000, UTC)


def history(*, waits=0, output=None):
    """An execution's events in AWS's shape: a message with a task token, nested as Step Functions nests it, then the end."""
    body = {"token": TOKEN, "item": {"id": "x"}}
    events = [
        {"type": "ExecutionStarted", "executionStartedEventDetails": {"input": json.dumps({"item": {"id": "x"}})}},
        {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "AwaitApproval", "input": "{}"}},
        {
            "type": "TaskScheduled",
            "taskScheduledEventDetails": {"parameters": json.dumps({"QueueUrl": "q", "MessageBody": body})},
        },
        {
            "type": "TaskSubmitted",
            "taskSubmittedEventDetails": {"output": json.dumps({"echo": json.dumps({"Body": json.dumps(body)})})},
        },
        {"type": "TaskFailed", "taskFailedEventDetails": {"error": "Odd", "cause": f"could not use {TOKEN} any more"}},
        {"type": "TaskFailed", "taskFailedEventDetails": {"error": "Odd", "cause": '{"token": "' + TOKEN[:20] + '", "cut'}},
        *({"type": "WaitStateEntered"} for _ in range(waits)),
        {"type": "ExecutionSucceeded", "executionSucceededEventDetails": {"output": json.dumps(output or {})}},
    ]
    return [{"id": n, "previousEventId": n - 1, "timestamp": START + timedelta(seconds=n), **e} for n, e in enumerate(events, 1)]


@pytest.fixture
def item(world, make):
    item = make.item()
    world.catalog.items.create(item)
    return item


@pytest.fixture
def run(world, item):
    def run(events, status="SUCCEEDED", name=f"{item.id}-1"):
        world.machine.histories[name] = events
        begun = int(START.timestamp() * 1000)
        detail = {"executionArn": world.machine.execution_arn(name), "name": name, "status": status}
        return archive_history(
            {"detail": {**detail, "startDate": begun, "stopDate": begun + 9_000}},
            machine=world.machine,
            store=world.store,
            catalog=world.catalog,
            reviews=world.reviews,
            settings=world.settings,
        )

    return run


def kept(world, key):
    return json.loads(world.store.read(Location("audit", key)))


def test_the_record_tells_the_whole_story_in_order(world, item, run):
    archived = run(history(waits=1200))
    assert archived.key == f"executions/2026/06/01/{item.id}-1.json"
    assert archived.written
    record = kept(world, archived.key)
    assert [event["id"] for event in record["events"]] == list(range(1, 1208))
    assert record["events"][0]["timestamp"] == "2026-06-01T10:00:01.120Z"
    assert (record["schema"], record["item"], record["attempt"]) == ("greenroom/execution/1", item.id, 1)
    assert (record["status"], record["started"], record["ended"]) == (
        "SUCCEEDED",
        "2026-06-01T10:00:00.120Z",
        "2026-06-01T10:00:09.120Z",
    )
    assert world.catalog.items.archives(item.id) == [archived.key]


def test_no_task_token_stands_in_any_byte(world, run):
    raw = world.store.read(Location("audit", run(history()).key)).decode()
    assert TOKEN[:20] not in raw
    assert "QueueUrl" in raw
    assert raw.count("[removed]") == 4


def test_who_decided_when_and_from_where_is_part_of_it(world, item, run):
    world.reviews.request(item, TOKEN, "s" * 64)
    world.reviews.record(
        item.id, "approve", "lovely", approver="ann@example.org", shown="s" * 64, address="203.0.113.9", agent="Firefox"
    )
    key = run(history()).key
    decision = kept(world, key)["decision"]
    assert (decision["verdict"], decision["approver"], decision["reason"]) == ("approve", "ann@example.org", "lovely")
    assert (decision["address"], decision["agent"]) == ("203.0.113.9", "Firefox")
    assert decision["decided_at"]
    assert TOKEN not in world.store.read(Location("audit", key)).decode()


def test_the_policys_own_decision_is_told_where_nobody_made_one(world, run):
    decision = {"verdict": "reject", "reason": "not allowed", "approver": "policy", "decided_at": ""}
    assert kept(world, run(history(output={"decision": decision})).key)["decision"] == decision


def test_a_later_attempts_decision_is_not_the_first_ones(world, item, run):
    following = world.catalog.items.next_attempt(item.id, 1)
    world.reviews.request(following, "another token", "s" * 64)
    world.reviews.record(item.id, "approve", approver="ann@example.org", shown="s" * 64)
    assert kept(world, run(history(), "FAILED").key)["decision"] is None
    assert kept(world, run(history(), name=f"{item.id}-2").key)["decision"]["verdict"] == "approve"


def test_the_same_end_announced_again_writes_nothing(world, run):
    first, again = run(history()), run(history())
    assert (first.key, first.written, again.written) == (again.key, True, False)
    versions = world.s3.list_object_versions(Bucket="audit")["Versions"]
    assert len(versions) == 1


def test_a_redriven_execution_gets_a_second_longer_version(world, run):
    run(history()[:-1], "FAILED")
    assert run(history()).written
    assert len(world.s3.list_object_versions(Bucket="audit")["Versions"]) == 2


def test_a_running_execution_is_not_archived(world, run):
    assert run(history(), "RUNNING") is None
    assert list(world.store.keys("audit", "")) == []


def test_the_bucket_gets_a_checksum_as_object_lock_demands(world, run):
    key = run(history()).key
    found = world.s3.head_object(Bucket="audit", Key=key, ChecksumMode="ENABLED")
    assert found["ChecksumSHA256"]
