"""An item's records: archived ones as they are kept, the others as Step Functions tells them, and none that nobody knows."""

import json

import pytest
from botocore.exceptions import ClientError

from tasks.lifecycle.record import records


class Forgetful:
    """Step Functions as `kind` plays it, which answers as AWS does when it knows no such execution."""

    @staticmethod
    def of(kind):
        class Machine(kind):
            def describe(self, arn):
                if arn.rsplit(":", 1)[1] not in self.executions:
                    raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
                return super().describe(arn)

        return Machine()


@pytest.fixture
def item(world, make):
    """An item whose third attempt runs."""
    world.machine = Forgetful.of(type(world.machine))
    item = make.item()
    world.catalog.items.create(item)
    for attempt in (1, 2):
        world.catalog.items.next_attempt(item.id, attempt)
    running = f"{item.id}-3"
    world.machine.start(running, {})
    world.machine.histories[running] = [
        {
            "id": 1,
            "type": "TaskScheduled",
            "taskScheduledEventDetails": {"parameters": '{"MessageBody": {"token": "AQCEcanary=="}}'},
        }
    ]
    return item


def archive(world, item, attempt, key="kept.json", **facts):
    body = {
        "schema": "greenroom/execution/1",
        "attempt": attempt,
        "execution": f"{item.id}-{attempt}",
        "status": "FAILED",
        **facts,
    }
    world.store.put("audit", key, json.dumps(body).encode(), "application/json")
    world.catalog.items.note_archive(item.id, attempt, key)
    return body


@pytest.fixture
def read(world, item):
    def read():
        services = (world.catalog, world.reviews, world.store, world.machine, world.settings)
        return records(world.catalog.items.get(item.id), *services)

    return read


def test_an_archived_attempt_is_read_as_it_is_kept_and_a_running_one_as_it_stands(world, item, read):
    kept = archive(world, item, 1)
    first, last = read()
    assert first == kept
    assert (last["attempt"], last["status"], last["ended"]) == (3, "RUNNING", "")


def test_no_token_is_told_of_what_still_runs(read):
    (record,) = read()
    assert "canary" not in json.dumps(record)


def test_an_archive_that_is_gone_is_told_by_step_functions_while_it_remembers(world, item, read):
    archive(world, item, 3)
    world.s3.delete_object(Bucket="audit", Key="kept.json")
    assert [record["status"] for record in read()] == ["RUNNING"]


def test_an_attempt_that_nobody_remembers_is_left_out(world, item, read):
    world.machine.executions.clear()
    assert read() == []
