"""Discard, Quarantine and MarkDuplicate: items that end without being published, each with a reason in words."""

import pytest

from tasks.catalog.rows import claim_key
from tasks.core.models.review import Decision
from tasks.discard import DiscardRequest, discard
from tasks.lifecycle.admission import receive_one
from tasks.lifecycle.announced import Announced
from tasks.mark_duplicate import MarkDuplicateRequest, mark_duplicate
from tasks.quarantine import QuarantineRequest, quarantine

REJECTED = Decision("reject", "blurry", "ann@example.org", "2026-06-01T11:00:00Z")


@pytest.fixture
def item(world, make):
    """An item with an original in the inbox, renditions in the work bucket and a claim on its bytes."""
    receive_one(Announced.parse(world.upload("Summer/cat.jpg")), world.store, world.catalog, world.machine)
    (record,) = world.catalog.items.newest()
    world.catalog.items.mark(record.id, "PROCESSING", attempt=1, media=make.media())
    claim(world, record.id)
    for name in ("master.jpg", "320w.jpg", "segments/0.mp4"):
        world.store.put("work", f"items/{record.id}/{name}", b"x", "image/jpeg")
    world.store.put("work", "items/other/320w.jpg", b"x", "image/jpeg")
    return record.item


def claim(world, id):
    pk, sk = claim_key("a" * 64)
    world.table.put({"pk": pk, "sk": sk, "item": id})


def tags(world, item):
    found = world.s3.get_object_tagging(Bucket="inbox", Key=item.key, VersionId=item.version)
    return {row["Key"]: row["Value"] for row in found["TagSet"]}


def services(world):
    return {"store": world.store, "catalog": world.catalog, "settings": world.settings}


def test_a_rejected_item_keeps_its_original_and_loses_its_renditions(world, item):
    discard(DiscardRequest(item, REJECTED), **services(world))
    record = world.catalog.items.get(item.id)
    assert (record.status, record.reason, record.decision) == ("REJECTED", "blurry", REJECTED)
    assert tags(world, item) == {"greenroom": "quarantined"}
    assert list(world.store.keys("work", "")) == ["items/other/320w.jpg"]


def test_a_retry_finishes_what_a_crash_left(world, item):
    world.catalog.items.mark(item.id, "REJECTED", attempt=1, reason="blurry", decision=REJECTED)
    discard(DiscardRequest(item, REJECTED), **services(world))
    assert tags(world, item) == {"greenroom": "quarantined"}
    assert world.catalog.items.claim_holder("a" * 64) == ""


def test_a_rejection_by_policy_gets_its_time(world, item):
    discard(DiscardRequest(item, Decision("reject", "not allowed", "policy", "")), **services(world))
    assert world.catalog.items.get(item.id).decision.decided_at.endswith("Z")


def test_a_newer_attempts_files_are_left_alone(world, item):
    world.catalog.items.next_attempt(item.id, 1)
    discard(DiscardRequest(item, REJECTED), **services(world))
    assert world.catalog.items.get(item.id).status == "RECEIVED"
    assert len(list(world.store.keys("work", f"items/{item.id}/"))) == 3
    assert tags(world, item) == {}


def test_quarantine_keeps_the_reason_in_words(world, item, make):
    media = make.media(verdict="rejected", reason="the file ends in the middle of the picture")
    quarantine(QuarantineRequest(item, media), machine=world.machine, **services(world))
    record = world.catalog.items.get(item.id)
    assert (record.status, record.reason, record.media) == ("QUARANTINED", media.reason, media)
    assert tags(world, item) == {"greenroom": "quarantined"}
    assert world.catalog.items.claim_holder(media.sha256) == ""


def second(world, make):
    item = make.item("copy of cat.jpg")
    world.catalog.items.create(item)
    return item


def test_a_duplicate_points_to_the_first_and_says_what_became_of_it(world, item, make):
    copy = second(world, make)
    mark_duplicate(MarkDuplicateRequest(copy, make.media()), catalog=world.catalog, machine=world.machine)
    record = world.catalog.items.get(copy.id)
    assert (record.status, record.duplicate_of) == ("DUPLICATE", item.id)
    assert record.reason == f"the same file was uploaded before, as cat.jpg (item {item.id}), and is being prepared"
    assert world.catalog.items.claim_holder("a" * 64) == item.id


@pytest.mark.parametrize("holder", ["", "aaaaaaaaaaaaaaaaaaaa"], ids=["released", "gone"])
def test_when_the_first_lets_go_in_the_same_moment_the_second_takes_its_turn(world, item, make, holder):
    copy = second(world, make)
    world.catalog.items.release_claim("a" * 64, item.id)
    if holder:
        claim(world, holder)
    mark_duplicate(MarkDuplicateRequest(copy, make.media()), catalog=world.catalog, machine=world.machine)
    assert world.catalog.items.get(copy.id).attempt == 2
    assert f"{copy.id}-2" in world.machine.executions
