"""Expire: silence never publishes, a decision in time stands, and the same bytes may come again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from review_office import Browser, Office

from tasks.core.json import to_json
from tasks.core.models.review import Decision
from tasks.expire import ExpireRequest, expire
from tasks.request_approval import ApprovalRequest


def run(office: Office, item: Any, sha256: str = "5" * 64) -> Decision:
    """The Expire state for an item."""
    prepared = office.world.catalog.items.get(item.id).prepared or office.make.prepared()
    request = ExpireRequest(item, office.make.media(replace(prepared, sha256=sha256)))
    world = office.world
    return expire(request, store=world.store, catalog=world.catalog, reviews=world.reviews, settings=office.settings)


def test_an_expired_item_leaves_nothing_behind_but_its_tagged_original(office: Office) -> None:
    uploaded = office.world.upload("Summer/IMG_1.HEIC")["detail"]["object"]
    item = office.make.item("IMG_1.HEIC", version=uploaded["version-id"])
    world = office.world
    world.catalog.items.create(item)
    office.deliver(office.message(item, "token"))
    world.table.put({"pk": "content#" + "a" * 64, "sk": "claim", "item": item.id})

    decision = run(office, item)

    assert decision.verdict == "expired"
    record = world.catalog.items.get(item.id)
    assert (record.status, record.reason) == ("EXPIRED", "nobody decided in time")
    assert list(world.store.keys("work", f"items/{item.id}/")) == []
    assert world.catalog.items.claim_holder("a" * 64) == ""
    tags = world.s3.get_object_tagging(Bucket="inbox", Key=item.key, VersionId=item.version)["TagSet"]
    assert tags == [{"Key": "greenroom", "Value": "quarantined"}]
    assert [row.verdict for row in world.reviews.decisions(item.id)] == ["expired"]


def test_asked_again_it_says_the_same(office: Office) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    assert run(office, item) == run(office, item)
    assert len(office.world.reviews.decisions(item.id)) == 1


def test_a_decision_in_time_stands_though_the_machine_did_not_hear_it(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    office.machine.alive.clear()
    ann.decide(item, "approve")
    decision = run(office, item)
    assert (decision.verdict, decision.approver) == ("approve", "ann@example.org")
    assert office.world.catalog.items.get(item.id).status == "PENDING"
    assert list(office.world.store.keys("work", f"items/{item.id}/")) != []


def test_an_approval_of_other_pictures_does_not_stand(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    ann.decide(item, "approve")
    assert office.world.reviews.expire(item, "9" * 64).verdict == "expired"


def test_a_click_after_the_expiry_is_told_so(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    run(office, item)
    status, answer = ann.decide(item, "approve")
    assert (status, answer["outcome"]) == (410, "expired")
    assert "was not published" in answer["message"]
    assert office.machine.answers == []


def test_a_message_that_comes_after_the_expiry_asks_nobody(office: Office) -> None:
    item = office.make.item("IMG_1.HEIC")
    office.world.catalog.items.create(item)
    message = office.message(item, "token")
    assert run(office, item).verdict == "expired"
    office.machine.alive.clear()
    assert office.deliver(message) == []
    assert office.mails() == []
    assert office.world.catalog.items.get(item.id).status == "EXPIRED"


def test_an_older_attempt_s_timeout_leaves_the_newer_attempt_alone(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    again = office.world.catalog.items.next_attempt(item.id, 1)
    office.deliver(office.message(again, "second-token"))

    assert run(office, item).verdict == "expired"

    assert office.world.catalog.items.get(item.id).status == "PENDING"
    assert list(office.world.store.keys("work", f"items/{item.id}/")) != []
    ann.open(office.letter())
    assert ann.decide(item, "approve")[1]["outcome"] == "recorded"


def test_a_request_does_not_show_its_token() -> None:
    shown = repr(ApprovalRequest(None, None, "TOKEN-canary"))  # type: ignore[arg-type]
    assert "TOKEN-canary" not in shown
    assert to_json(Decision("expired")) == {"verdict": "expired", "reason": "", "approver": "", "decided_at": ""}
