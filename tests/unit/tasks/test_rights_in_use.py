"""What ReceiveUpload and Sweep call on their most winding ways, compared call by call with what their roles allow.

The other functions' are compared in tests/machines/test_permissions.py, over whole stories.
"""

import pytest
from rights import Call, brief, calls, granted, may

from tasks.core.queues import Message
from tasks.receive_upload import receive_upload
from tasks.sweep import SweepRequest, sweep

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:greenroom-ingest"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:greenroom-ingest:any"
# What core.aws.Machine's methods ask for.
ASKS = {
    "start": Call("states:StartExecution", MACHINE),
    "running": Call("states:ListExecutions", MACHINE),
    "status": Call("states:DescribeExecution", EXECUTION),
    "describe": Call("states:DescribeExecution", EXECUTION),
    "succeed": Call("states:SendTaskSuccess", "*"),
}
# Granted without such a call: the poller's, what makes S3 answer 404 instead of 403, and an inbox without versions.
BESIDES = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "s3:ListBucket", "s3:GetObject"}


def overheard(kind, asked):
    """Step Functions as `kind` plays it, telling of all that it is asked."""

    class Overheard(kind):
        def __getattribute__(self, name):
            if name in ASKS:
                asked.add(ASKS[name])
            return super().__getattribute__(name)

    return Overheard()


@pytest.fixture
def asked(world):
    """The calls that the world's services are asked for."""
    found = set()

    def listen(params, model, **_):
        found.update(calls(model.service_model.service_name, model.name, params))

    for service in ("s3", "dynamodb", "ses"):
        world.aws.client(service).meta.events.register_first("before-parameter-build", listen)
    world.machine = overheard(type(world.machine), found)
    return found


def denied(holder, asked, settings):
    return [str(call) for call in asked if not may(holder, call, settings)]


def unused(holder, asked):
    return granted(holder) - set(map(brief, asked)) - BESIDES


def receive(world, *events):
    messages = [Message(f"m{number}", event) for number, event in enumerate(events)]
    return receive_upload(messages, store=world.store, catalog=world.catalog, machine=world.machine)


def test_receive_upload_has_the_iam_permissions_that_its_calls_need(world, asked):
    plain, poison, older = (world.upload(f"Summer/{name}.jpg") for name in ("a", "b", "c"))
    world.upload("Summer/c.jpg", b"newer")
    del older["detail"]["object"]["version-id"]
    world.withhold("Summer/b.jpg", 400)
    asked.clear()
    assert receive(world, plain, plain, poison, older) == []
    assert denied("ReceiveUpload", asked, world.settings) == []
    assert unused("ReceiveUpload", asked) == set()


def test_sweep_has_the_iam_permissions_that_its_calls_need(world, asked, make):
    def swept():
        services = {name: getattr(world, name) for name in ("store", "catalog", "reviews", "machine", "mailer", "settings")}
        return sweep(SweepRequest(grace_seconds=0), **services)

    receive(world, *[world.upload(f"Summer/{name}.jpg") for name in ("failed", "lost", "decided", "never", "worn")])
    items = {record.item.filename.removesuffix(".jpg"): record.item for record in world.catalog.items.newest()}
    world.catalog.items.mark(items["failed"].id, "PROCESSING", attempt=1, media=make.media())
    world.machine.end(f"{items['failed'].id}-1", "FAILED", "OSError")
    world.machine.end(f"{items['lost'].id}-1", "FAILED", "States.ServiceRestart")
    world.catalog.items.mark(items["decided"].id, "PENDING", attempt=1)
    world.reviews.request(items["decided"], "token", "s" * 64)
    world.reviews.record(items["decided"].id, "approve", approver="ann@example.org", shown="s" * 64)
    del world.machine.executions[f"{items['never'].id}-1"]
    for attempt in (1, 2):
        world.catalog.items.next_attempt(items["worn"].id, attempt)
    world.machine.start(f"{items['worn'].id}-3", {})
    world.machine.end(f"{items['worn'].id}-3", "ABORTED")
    world.upload("Lost/a.jpg")
    world.upload("Lost/b.jpg")
    world.withhold("Lost/b.jpg", 403)
    asked.clear()
    first = swept()
    assert (first.failed, first.restarted, first.started, first.answered, first.admitted) == (2, 1, 1, 1, 1)
    assert (first.unreadable, first.faults) == (1, 0)
    world.withheld.clear()
    assert swept().admitted == 1
    assert denied("Sweep", asked, world.settings) == []
    assert unused("Sweep", asked) == set()
