"""Withdrawal: files go, the original stays with its tag, the bytes are free; and doing it again does no harm."""

import pytest

from tasks.catalog.rows import claim_key
from tasks.core.models.location import Location
from tasks.lifecycle.withdrawal import release, withdraw


@pytest.fixture
def item(world, make):
    """An item with an original in the inbox, files in the work bucket and a claim on its bytes."""
    stored = world.s3.put_object(Bucket="inbox", Key="Summer/cat.jpg", Body=b"cat")
    item = make.item("cat.jpg", version=stored["VersionId"])
    world.catalog.items.create(item)
    world.catalog.items.mark(item.id, "PROCESSING", attempt=1, media=make.media(sha256="a" * 64))
    claim(world, item.id)
    for key in (f"items/{item.id}/320w.jpg", f"items/{item.id}/segments/0000/0.mp4", f"items/{item.id}0/320w.jpg"):
        world.store.put("work", key, b"x", "image/jpeg")
    return item


def claim(world, holder):
    pk, sk = claim_key("a" * 64)
    world.table.put({"pk": pk, "sk": sk, "item": holder})


def test_its_files_go_its_original_is_tagged_and_its_bytes_are_free(world, item):
    for _ in range(2):
        withdraw(item, world.store, world.catalog, world.settings)
        assert list(world.store.keys("work", "")) == [f"items/{item.id}0/320w.jpg"]
        tags = world.s3.get_object_tagging(Bucket="inbox", Key=item.key, VersionId=item.version)["TagSet"]
        assert tags == [{"Key": "greenroom", "Value": "quarantined"}]
        assert world.catalog.items.claim_holder("a" * 64) == ""
    assert world.store.read(Location("inbox", item.key, item.version)) == b"cat"


def test_an_original_that_somebody_deleted_is_no_fault(world, item):
    world.s3.delete_object(Bucket="inbox", Key=item.key, VersionId=item.version)
    withdraw(item, world.store, world.catalog, world.settings)
    assert world.catalog.items.claim_holder("a" * 64) == ""


def test_bytes_that_another_item_holds_by_now_stay_its_own(world, item):
    claim(world, "b" * 20)
    release(world.catalog.items.get(item.id), world.catalog)
    assert world.catalog.items.claim_holder("a" * 64) == "b" * 20
