"""Items: created once, told by their newest attempt, and ended for good."""

import pytest

from tasks.catalog.rows import claim_key
from tasks.core.errors import NotFound
from tasks.core.models.media import VideoFacts


def test_the_same_upload_is_created_once(world, make):
    item = make.item()
    assert [world.catalog.items.create(item) for _ in range(2)] == [True, False]
    record = world.catalog.items.get(item.id)
    assert (record.status, record.item) == ("RECEIVED", item)


def test_an_unknown_item_is_not_found(world):
    with pytest.raises(NotFound, match="no item 'nobody'"):
        world.catalog.items.get("nobody")
    with pytest.raises(NotFound, match="no item 'nobody'"):
        world.catalog.items.mark("nobody", "FAILED", attempt=1)
    assert world.catalog.items.next_attempt("nobody", 1) is None


def test_facts_are_kept_and_added_to(world, make):
    item, media, prepared = make.item(), make.media(codecs=("h264",), duration=1.5), make.prepared()
    world.catalog.items.create(item)
    assert world.catalog.items.mark(item.id, "PROCESSING", attempt=1, media=media)
    assert world.catalog.items.mark(item.id, "PENDING", attempt=1, prepared=prepared)
    record = world.catalog.items.get(item.id)
    assert (record.status, record.media, record.prepared) == ("PENDING", media, prepared)


def test_what_is_shown_is_kept_once_and_what_was_of_use_on_the_way_is_not_kept(world, make):
    item, prepared = make.item(), make.prepared()
    told = make.media(prepared, kind="video", video=VideoFacts("hevc", 1920, 1080))
    world.catalog.items.create(item)
    assert world.catalog.items.mark(item.id, "PENDING", attempt=1, media=told, prepared=prepared)
    assert world.catalog.items.get(item.id).media == make.media(kind="video")
    world.catalog.albums.publish(item, told, prepared, make.approved, make.files)
    record = world.catalog.items.get(item.id)
    assert (record.media, record.prepared) == (make.media(kind="video"), prepared)


def test_the_same_mark_again_succeeds(world, make):
    item = make.item()
    world.catalog.items.create(item)
    assert [world.catalog.items.mark(item.id, "QUARANTINED", attempt=1, reason="no") for _ in range(2)] == [True, True]


@pytest.mark.parametrize("end", ["REJECTED", "EXPIRED", "QUARANTINED", "DUPLICATE"])
@pytest.mark.parametrize("late", ["PROCESSING", "PENDING", "FAILED", "ESCALATED", "TAKEN_DOWN"])
def test_what_has_ended_stays_ended(world, make, end, late):
    item = make.item()
    world.catalog.items.create(item)
    assert world.catalog.items.mark(item.id, end, attempt=1)
    assert not world.catalog.items.mark(item.id, late, attempt=1)
    assert world.catalog.items.get(item.id).status == end


def test_a_late_retry_of_validation_does_not_take_a_pending_item_back(world, make):
    item = make.item()
    world.catalog.items.create(item)
    world.catalog.items.mark(item.id, "PENDING", attempt=1)
    assert not world.catalog.items.mark(item.id, "PROCESSING", attempt=1)


def test_an_older_attempts_story_changes_nothing(world, make):
    item = make.item()
    world.catalog.items.create(item)
    following = world.catalog.items.next_attempt(item.id, 1)
    assert following.attempt == 2
    assert not world.catalog.items.mark(item.id, "FAILED", attempt=1)
    assert world.catalog.items.mark(item.id, "PROCESSING", attempt=2)


def test_one_of_two_sweepers_begins_the_next_attempt(world, make):
    item = make.item()
    world.catalog.items.create(item)
    assert world.catalog.items.next_attempt(item.id, 1) is not None
    assert world.catalog.items.next_attempt(item.id, 1) is None
    assert world.catalog.items.get(item.id).attempt == 2


def test_a_failed_item_may_be_tried_again_and_an_ended_one_may_not(world, make):
    failed, ended = make.item("a.jpg"), make.item("b.jpg")
    for item, status in ((failed, "FAILED"), (ended, "REJECTED")):
        world.catalog.items.create(item)
        world.catalog.items.mark(item.id, status, attempt=1)
    assert world.catalog.items.next_attempt(failed.id, 1) is not None
    assert world.catalog.items.next_attempt(ended.id, 1) is None


def test_a_redriven_execution_goes_on_from_failed(world, make):
    item = make.item()
    world.catalog.items.create(item)
    world.catalog.items.mark(item.id, "FAILED", attempt=1, reason="broke")
    assert world.catalog.items.mark(item.id, "PENDING", attempt=1)
    assert world.catalog.items.get(item.id).reason == ""


def test_items_are_listed_newest_first_by_status_and_altogether(world, make):
    for hour in range(5):
        item = make.item(f"{hour}.jpg", received_at=f"2026-06-01T1{hour}:00:00Z")
        world.catalog.items.create(item)
        if hour % 2:
            world.catalog.items.mark(item.id, "PENDING", attempt=1)
    names = [record.item.filename for record in world.catalog.items.newest()]
    assert names == ["4.jpg", "3.jpg", "2.jpg", "1.jpg", "0.jpg"]
    assert [record.item.filename for record in world.catalog.items.newest("PENDING")] == ["3.jpg", "1.jpg"]
    assert [record.item.filename for record in world.catalog.items.newest(limit=2)] == ["4.jpg", "3.jpg"]


def test_a_claim_is_released_by_its_holder_only(world):
    pk, sk = claim_key("a" * 64)
    world.table.put({"pk": pk, "sk": sk, "item": "first"})
    world.catalog.items.release_claim("a" * 64, "second")
    assert world.catalog.items.claim_holder("a" * 64) == "first"
    world.catalog.items.release_claim("a" * 64, "first")
    assert world.catalog.items.claim_holder("a" * 64) == ""


def test_archives_are_found_by_item_in_the_order_of_attempts(world, make):
    for attempt in (10, 2, 1):
        world.catalog.items.note_archive("x", attempt, f"key-{attempt}")
    assert world.catalog.items.archives("x") == ["key-1", "key-2", "key-10"]


def test_where_an_item_was_taken_is_kept_apart_from_its_record(world, make):
    item = make.item()
    world.catalog.items.create(item)
    assert world.catalog.items.place(item.id) == ""
    world.catalog.items.note_place(item.id, "48.137222,11.575278")
    assert world.catalog.items.place(item.id) == "48.137222,11.575278"
    assert "48.137" not in str(world.catalog.items.get(item.id))
