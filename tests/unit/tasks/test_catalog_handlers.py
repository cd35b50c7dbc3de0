"""The catalog's tasks behind their handlers: events in as AWS sends them, plain JSON out."""

import json

import pytest

from tasks.core.aws.stepfunctions import Machine
from tasks.core.entrypoint import Services, lambda_handler
from tasks.core.errors import BadRequest
from tasks.core.json import to_json
from tasks.core.queues import Message, queue_handler
from tasks.discard import discard
from tasks.mark_duplicate import mark_duplicate
from tasks.mark_failed import mark_failed
from tasks.publish import publish
from tasks.quarantine import quarantine
from tasks.receive_upload import receive_upload
from tasks.sweep import sweep


@pytest.fixture
def services(world):
    services = Services(world.settings, world.aws)
    services._opened[Machine] = world.machine
    return services


def sqs(*bodies):
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


def test_an_sqs_batch_is_received_and_what_cannot_be_read_goes_back(world, services):
    handler = queue_handler(receive_upload, services)
    answer = handler(sqs(json.dumps(world.upload("Summer/a.jpg")), "no json", "{}"), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert len(world.machine.executions) == 1


def test_a_consumers_own_fault_brings_the_whole_batch_back():
    def consume(messages: list[Message]) -> list[str]:
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"):
        queue_handler(consume)(sqs("{}"), None)


def test_an_empty_batch_is_nothing_to_do():
    def consume(messages: list[Message]) -> list[str]:
        raise AssertionError("called without messages")

    assert queue_handler(consume)(sqs(), None) == {"batchItemFailures": []}


def test_the_schedules_event_is_a_request_to_sweep(world, services):
    world.upload("Summer/a.jpg")
    event = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    assert lambda_handler(sweep, services)(event, None)["versions"] == 1
    assert lambda_handler(sweep, services)({"grace_seconds": 0}, None)["admitted"] == 1


def test_a_states_parameters_are_a_request_and_its_answer_is_plain_json(world, services, make):
    item, prepared = make.item(), make.prepared()
    world.catalog.items.create(item)
    world.reviews.request(item, "token", prepared.sha256)
    world.reviews.record(item.id, "approve", approver="ann@example.org", shown=prepared.sha256)
    event = {"item": item, "media": make.media(prepared), "decision": make.approved}
    answer = lambda_handler(publish, services)(json.loads(json.dumps(to_json(event))), None)
    assert (answer["url"], answer["sequence"], answer["page"]) == (f"/items/{item.id}/", 1, 0)


@pytest.mark.parametrize(
    ("task", "facts", "status"),
    [
        (discard, {"decision": {"verdict": "reject", "reason": "blurry"}}, "REJECTED"),
        (quarantine, {"media": {"verdict": "rejected", "reason": "not a picture"}}, "QUARANTINED"),
    ],
)
def test_outcomes_are_written_from_the_states_own_facts(world, services, make, task, facts, status):
    item = make.item()
    world.catalog.items.create(item)
    assert lambda_handler(task, services)({"item": to_json(item), **facts}, None) is None
    assert world.catalog.items.get(item.id).status == status


def test_a_duplicate_is_marked_from_the_states_own_facts(world, services, make):
    first, copy = make.item("a.jpg"), make.item("b.jpg")
    for item in (first, copy):
        world.catalog.items.create(item)
    world.table.put({"pk": f"content#{'a' * 64}", "sk": "claim", "item": first.id})  # as the ClaimContent state writes it
    event = {"item": to_json(copy), "media": to_json(make.media())}
    assert lambda_handler(mark_duplicate, services)(event, None) is None
    assert world.catalog.items.get(copy.id).duplicate_of == first.id


def test_an_event_of_another_shape_is_refused_in_words(services):
    with pytest.raises(BadRequest, match="no execution status event"):
        lambda_handler(mark_failed, services)({"detail": {}}, None)
