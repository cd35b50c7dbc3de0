"""Admission: a version becomes one item with one execution, under a title that can be shown, or is said to be something else."""

from urllib.parse import quote

import pytest

from tasks.core.models.location import Location
from tasks.lifecycle.admission import receive_one
from tasks.lifecycle.announced import Announced


@pytest.fixture
def receive(world):
    """Receives one announced upload; what it was taken for."""
    return lambda event: receive_one(Announced.parse(event), world.store, world.catalog, world.machine)


def only(world):
    (record,) = world.catalog.items.newest()
    return record


def test_a_crash_between_item_and_execution_is_mended_by_the_next_delivery(world, receive):
    event = world.upload("Summer/a.jpg")
    receive(event)
    world.machine.executions.clear()  # as if the process had ended right after the write
    receive(event)
    assert list(world.machine.executions) == [only(world).execution]


def test_a_late_repeat_does_not_start_what_has_ended(world, receive):
    event = world.upload("Summer/a.jpg")
    receive(event)
    world.catalog.items.mark(only(world).id, "REJECTED", attempt=1)
    world.machine.executions.clear()
    receive(event)
    assert world.machine.executions == {}


def test_without_a_version_the_event_means_the_bytes_it_names(world, receive):
    first = world.upload("Summer/a.jpg", b"first")
    second = world.upload("Summer/a.jpg", b"second")
    versions = [event["detail"]["object"].pop("version-id") for event in (first, second)]
    assert [receive(event) for event in (second, first)] == ["upload", "upload"]
    assert {record.version for record in world.catalog.items.newest()} == set(versions)


def test_what_was_deleted_meanwhile_is_let_go(world, receive):
    event = world.upload("Summer/a.jpg")
    version = event["detail"]["object"]["version-id"]
    world.s3.delete_object(Bucket="inbox", Key="Summer/a.jpg", VersionId=version)
    assert receive(event) == "gone"
    assert list(world.catalog.items.newest()) == []


def test_a_deletion_by_name_keeps_the_version_that_was_uploaded(world, receive):
    event = world.upload("Summer/a.jpg")
    version = event["detail"]["object"].pop("version-id")
    world.s3.delete_object(Bucket="inbox", Key="Summer/a.jpg")
    receive(event)
    assert only(world).version == version


@pytest.mark.parametrize(
    ("key", "title", "slug"),
    [
        ("Summer/Day 1/a.jpg", "Summer / Day 1", "summer-day-1"),
        ("a.jpg", "Unsorted", "unsorted"),
        ("../../a.jpg", "Unsorted", "unsorted"),
        ("夏祭り/a.jpg", "夏祭り", "album-"),
    ],
)
def test_without_a_chosen_album_the_folder_is_the_album(world, receive, key, title, slug):
    receive(world.upload(key))
    assert only(world).album_title == title
    assert only(world).album.startswith(slug)


def test_names_are_one_short_line_without_tricks(world, receive):
    receive(world.upload("x/a.jpg", album=quote("Sum\nmer\u202e \u2066 2026"), contributor=quote("n" * 500)))
    assert only(world).album_title == "Sum mer 2026"
    assert len(only(world).contributor) == 80


def test_a_folders_marker_is_no_upload_and_an_empty_file_is(world, receive):
    events = world.upload("Summer/", b""), world.upload("Summer/empty.jpg", b"")
    assert [receive(event) for event in events] == ["folder", "upload"]
    assert only(world).key == "Summer/empty.jpg"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("Summer/.DS_Store", "by-product"),
        ("Summer/@eaDir/IMG_1.jpg/SYNOFILE_THUMB_M.jpg", "by-product"),
        ("Summer/IMG_1.HEIC.supplemental-metad.json", "sidecar"),
        ("a/b.XMP", "sidecar"),
    ],
)
def test_a_by_product_becomes_no_item_and_stays_where_it_is(world, receive, key, kind):
    event = world.upload(key, b'{"geoData": {"latitude": 48.1}}')
    assert receive(event) == kind
    assert (list(world.catalog.items.newest()), world.machine.executions) == ([], {})
    assert world.store.head(Location("inbox", key)).bytes > 0


def test_what_cannot_be_read_is_pinned_where_the_event_names_no_version(world, receive):
    event = world.upload("Summer/a.jpg")
    version = event["detail"]["object"].pop("version-id")
    world.withhold("Summer/a.jpg", 400)
    assert receive(event) == "unreadable"
    assert [noted.location.version for noted in world.catalog.unreadable.all()] == [version]


def test_a_by_product_that_s3_will_not_show_is_nobodys_loss(world, receive):
    event = world.upload("Summer/Thumbs.db")
    world.withhold("Summer/Thumbs.db", 400)
    assert receive(event) == "by-product"
    assert world.catalog.unreadable.all() == []


def test_an_event_that_means_a_delete_marker_is_of_something_gone(world, receive):
    event = world.upload("Summer/a.jpg")
    marker = world.s3.delete_object(Bucket="inbox", Key="Summer/a.jpg")["VersionId"]
    event["detail"]["object"]["version-id"] = marker
    assert receive(event) == "gone"
    assert (list(world.catalog.items.newest()), world.catalog.unreadable.all()) == ([], [])
