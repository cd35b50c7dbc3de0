"""What those who read or write reviews ask of the two tables, compared table by table with what their roles allow.

Each does its work once on rows of its own and once on those that an earlier version left in the catalog's table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from contracts.templates import grants
from review_office import Browser, Office
from test_review_moved import CODE, LINK, SECRET, SHA, Earlier

from tasks.archive_history import archive_history
from tasks.core.models.review import Film
from tasks.expire import ExpireRequest, expire
from tasks.mark_failed import mark_failed
from tasks.quarantine import QuarantineRequest, quarantine
from tasks.request_approval import EVERYTHING_PENDING

TABLES = {"CatalogTable": "catalog", "ReviewsTable": "reviews"}
# A transaction asks for the action of each of its writes, on the write's own table (AWS: "IAM policies for transactions").
MEMBERS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def asked_by(operation: str, body: dict[str, Any]) -> set[str]:
    """`PutItem reviews`, ...: the rights that one call needs."""
    if operation == "TransactWriteItems":
        return {f"{MEMBERS[kind]} {write['TableName']}" for each in body["TransactItems"] for kind, write in each.items()}
    if operation == "BatchGetItem":
        return {f"{operation} {table}" for table in body["RequestItems"]}
    return {f"{operation} {body['TableName']}{'/index' if 'IndexName' in body else ''}"}


def allowed_to(holder: str) -> set[str]:
    found = set()
    for grant in grants():
        for parameter, table in TABLES.items():
            if grant.holder == holder and grant.action.startswith("dynamodb:") and grant.on(parameter):
                index = "/index" if "/index/" in grant.resource else ""
                found.add(f"{grant.action.removeprefix('dynamodb:')} {table}{index}")
    return found


@pytest.fixture
def asked(office: Office) -> set[str]:
    """The rights that the world's DynamoDB was asked for."""
    found: set[str] = set()

    def listen(params: Any, model: Any, **_: Any) -> None:
        found.update(asked_by(model.name, json.loads(params["body"])))

    office.world.aws.client("dynamodb").meta.events.register("before-call.dynamodb", listen)
    return found


@pytest.fixture(params=["its own", "an earlier version's"])
def earlier(request: Any, office: Office) -> Earlier:
    found = Earlier(office)
    if request.param == "its own":
        found.settle()
    return found


def services(earlier: Earlier, *names: str) -> dict[str, Any]:
    return {name: getattr(earlier.world, name) for name in names}


def ended(earlier: Earlier, status: str) -> dict[str, Any]:
    name = f"{earlier.item.id}-1"
    earlier.world.machine.histories[name] = []
    detail = {"executionArn": earlier.world.machine.execution_arn(name), "name": name, "status": status}
    return {"detail": {**detail, "startDate": 1, "stopDate": 2}}


# Each story prepares what others do, and then clears what was asked until then.


def review(earlier: Earlier, clear: Callable[[], None]) -> None:
    browser = Browser(earlier.office)
    browser.open((LINK, SECRET, CODE))
    assert browser.decide(earlier.item, "approve", sha256=SHA)[1]["outcome"] == "recorded"


def request_approval(earlier: Earlier, clear: Callable[[], None]) -> None:
    fresh = earlier.office.make.item("IMG_2.HEIC")
    earlier.world.catalog.items.create(fresh)
    clear()
    earlier.office.deliver({"messageId": "by-hand", "body": json.dumps(EVERYTHING_PENDING)})
    assert earlier.office.deliver(earlier.office.message(earlier.item, "another-token")) == []
    assert earlier.office.deliver(earlier.office.message(fresh, "its-token")) == []


def expired(earlier: Earlier, clear: Callable[[], None]) -> None:
    record = earlier.world.catalog.items.get(earlier.item.id)
    clear()
    request = ExpireRequest(earlier.item, record.media.with_prepared(record.prepared))
    assert expire(request, **services(earlier, "store", "catalog", "reviews", "settings")).verdict == "expired"


def published(earlier: Earlier, clear: Callable[[], None]) -> None:
    if earlier.left():
        earlier.decided()
    else:
        earlier.world.reviews.record(earlier.item.id, "approve", approver="ann@example.org", shown=SHA)
    clear()
    assert earlier.publish().album == "summer"


def joined(earlier: Earlier, clear: Callable[[], None]) -> None:
    catalog, make = earlier.world.catalog, earlier.office.make
    film = make.item("IMG_1.MOV")
    catalog.items.create(film)
    catalog.pairs.offer_picture(earlier.item, "A-PAIR")
    earlier.world.table.put({"pk": "content#" + "a" * 64, "sk": "claim", "item": earlier.item.id})
    media = make.media(kind="video", sha256="f" * 64, pair="A-PAIR", live=True)
    clear()
    assert catalog.pairs.join(film, media, Film(film.id, 2.0, (), "9" * 64)) == earlier.item.id


def quarantined(earlier: Earlier, clear: Callable[[], None]) -> None:
    joined(earlier, clear)
    clear()
    request = QuarantineRequest(earlier.item, earlier.office.make.media(verdict="rejected", reason="broken"))
    quarantine(request, **services(earlier, "store", "catalog", "machine", "settings"))


def archived(earlier: Earlier, clear: Callable[[], None]) -> None:
    assert archive_history(ended(earlier, "SUCCEEDED"), **services(earlier, "machine", "store", "catalog", "reviews", "settings"))


def failed(earlier: Earlier, clear: Callable[[], None]) -> None:
    nobody = replace(earlier.world.settings, operator="")
    mark_failed(ended(earlier, "FAILED"), settings=nobody, **services(earlier, "catalog", "mailer"))


@pytest.mark.parametrize(
    ("holder", "work", "telling"),
    [
        ("Review", review, "ConditionCheckItem reviews"),
        ("RequestApproval", request_approval, "ConditionCheckItem catalog"),
        ("Expire", expired, "PutItem"),
        ("Publish", published, "GetItem reviews"),
        ("JoinPicture", joined, "ConditionCheckItem reviews"),
        ("Quarantine", quarantined, "UpdateItem catalog"),
        ("ArchiveHistory", archived, "Query reviews"),
        ("MarkFailed", failed, "Query reviews"),
    ],
)
def test_a_role_allows_all_that_is_asked_and_the_right_table(
    earlier: Earlier, asked: set[str], holder: str, work: Callable[[Earlier, Callable[[], None]], None], telling: str
) -> None:
    asked.clear()
    work(earlier, asked.clear)
    assert any(right.startswith(telling) for right in asked), f"the story does not reach it: {asked}"
    assert asked - allowed_to(holder) == set()
