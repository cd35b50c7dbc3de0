"""What ReceiveUpload and Sweep call on their most winding ways, compared action by action with what their roles allow."""

import pytest
from contracts.templates import grants

from tasks.core.queues import Message
from tasks.receive_upload import receive_upload
from tasks.sweep import SweepRequest, sweep

# The actions that S3's and Step Functions' operations ask for, from AWS's service authorization reference. DynamoDB's and SES's
# bear the names of their operations; what HEAD and GET ask for of a version, they ask for beside the object's.
ACTIONS = {
    "s3:HeadObject": {"s3:GetObject", "s3:GetObjectVersion"},
    "s3:ListObjectVersions": {"s3:ListBucketVersions"},
    "s3:HeadBucket": {"s3:ListBucket"},
    "states:start": {"states:StartExecution"},
    "states:running": {"states:ListExecutions"},
    "states:status": {"states:DescribeExecution"},
    "states:describe": {"states:DescribeExecution"},
    "states:succeed": {"states:SendTaskSuccess"},
}


def overheard(kind, asked):
    """Step Functions as `kind` plays it, telling of all that it is asked."""

    class Overheard(kind):
        def __getattribute__(self, name):
            asked.update(ACTIONS.get(f"states:{name}", ()))
            return super().__getattribute__(name)

    return Overheard()


@pytest.fixture
def asked(world):
    """The actions that the world's services are asked for; those on an index say so."""
    actions = set()

    def listen(params, model, **_):
        call = f"{model.service_model.service_name}:{model.name}"
        body = params["body"]  # bytes of a question to DynamoDB; a stream that may be read once of an object
        index = "/index" if isinstance(body, bytes) and b"IndexName" in body else ""
        actions.update(action + index for action in ACTIONS.get(call, {call}))

    for service in ("s3", "dynamodb", "ses"):
        world.aws.client(service).meta.events.register("before-call", listen)
    world.machine = overheard(type(world.machine), actions)
    return actions


def allowed_to(holder):
    return {
        grant.action + ("/index" if "/index/" in grant.resource else "")
        for grant in grants()
        if grant.holder == holder and grant.effect == "Allow"
    }


def receive(world, *events):
    messages = [Message(f"m{number}", event) for number, event in enumerate(events)]
    return receive_upload(messages, store=world.store, catalog=world.catalog, machine=world.machine)


def test_receive_upload_may_do_all_that_it_does(world, asked):
    plain, poison, older = (world.upload(f"Summer/{name}.jpg") for name in ("a", "b", "c"))
    world.upload("Summer/c.jpg", b"newer")
    del older["detail"]["object"]["version-id"]
    world.withhold("Summer/b.jpg", 400)
    asked.clear()
    assert receive(world, plain, plain, poison, older) == []
    assert {"s3:ListBucketVersions", "dynamodb:PutItem", "states:StartExecution"} <= asked
    assert asked - allowed_to("ReceiveUpload") == set()


def test_sweep_may_do_all_that_it_does(world, asked, make):
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
    assert {"dynamodb:DeleteItem", "dynamodb:BatchGetItem", "dynamodb:Query/index", "ses:SendRawEmail"} <= asked
    assert asked - allowed_to("Sweep") == set()
