"""MarkFailed: the item says FAILED, and the operator gets one mail that a person can act on."""

import json
from email import message_from_string, policy

import pytest

from tasks.mark_failed import mark_failed


def ended(item, status="FAILED", **more):
    name = f"{item.id}-{item.attempt}"
    detail = {"executionArn": f"arn:x:{name}", "name": name, "status": status, "startDate": 1, "stopDate": 2, **more}
    return {"detail-type": "Step Functions Execution Status Change", "detail": detail}


@pytest.fixture
def item(world, make):
    item = make.item("holiday\npicture.jpg")
    world.catalog.items.create(item)
    return item


def run(world, event, settings=None):
    mark_failed(event, catalog=world.catalog, mailer=world.mailer, settings=settings or world.settings)


def test_a_failed_execution_marks_its_item_and_tells_the_operator(world, item):
    cause = json.dumps({"errorMessage": "no space left", "errorType": "OSError", "stackTrace": ["secret path"]})
    run(world, ended(item, error="OSError", cause=cause))
    record = world.catalog.items.get(item.id)
    assert (record.status, record.reason) == ("FAILED", "its processing failed: OSError: no space left")
    (mail,) = [message_from_string(text, policy=policy.default) for text in world.mails()]
    assert (mail["To"], mail["Subject"]) == ("operator@example.org", "Not finished: holiday picture.jpg")
    assert f"greenroom audit {item.id}" in mail.get_content()
    assert "secret path" not in mail.get_content()


def test_a_newer_attempt_makes_it_old_news(world, item):
    world.catalog.items.next_attempt(item.id, 1)
    run(world, ended(item))
    assert world.catalog.items.get(item.id).status == "RECEIVED"
    assert world.mails() == []


def test_an_outcome_is_not_overwritten(world, item):
    world.catalog.items.mark(item.id, "REJECTED", attempt=1)
    run(world, ended(item))
    assert world.catalog.items.get(item.id).status == "REJECTED"
    assert world.mails() == []


def test_an_execution_lost_with_its_engine_is_left_to_the_sweeper(world, item):
    run(world, ended(item, error="States.ServiceRestart"))
    assert world.catalog.items.get(item.id).status == "RECEIVED"
    assert world.mails() == []


def test_other_executions_and_unknown_items_are_no_fault(world, item):
    stranger = ended(item)
    stranger["detail"]["name"] = "nightly-backup"
    run(world, stranger)
    stranger["detail"]["name"] = "aaaaaaaaaaaaaaaaaaaa-1"
    run(world, stranger)
    assert world.mails() == []
