"""ReceiveUpload: however often, late or strangely an upload is announced, it becomes one item and one execution."""

import random
from urllib.parse import quote, quote_plus

import pytest

from tasks.core.models.location import Location
from tasks.core.queues import Message
from tasks.lifecycle.announced import Announced, pin
from tasks.receive_upload import receive_upload


@pytest.fixture
def deliver(world):
    """Delivers events as one batch; returns the ids of the messages that come back."""

    def run(*events):
        messages = [Message(f"m{number}", event) for number, event in enumerate(events)]
        return receive_upload(messages, store=world.store, catalog=world.catalog, machine=world.machine)

    return run


def only(world):
    (record,) = world.catalog.items()
    return record


def test_an_upload_becomes_an_item_and_an_execution(world, deliver):
    event = world.upload("uploads/1/IMG_0042.HEIC", album=quote("Été à la mer"), contributor=quote("Zoë"))
    assert deliver(event) == []
    record = only(world)
    assert (record.album_title, record.album, record.contributor) == ("Été à la mer", "ete-a-la-mer", "Zoë")
    assert (record.bytes, record.status, record.version) == (5, "RECEIVED", event["detail"]["object"]["version-id"])
    started = world.machine.executions[f"{record.id}-1"]["input"]["item"]
    assert (started["key"], started["version"]) == (record.key, record.version)


def test_every_event_three_times_in_any_order_is_one_item_and_one_execution_each(world, deliver):
    events = [world.upload(f"Summer/{number}.jpg", bytes([number])) for number in range(6)] * 3
    random.Random(7).shuffle(events)
    assert deliver(*events) == []
    assert len(list(world.catalog.items())) == 6
    assert len(world.machine.executions) == 6


def test_a_crash_between_item_and_execution_is_mended_by_the_next_delivery(world, deliver):
    event = world.upload("Summer/a.jpg")
    deliver(event)
    world.machine.executions.clear()  # as if the process had ended right after the write
    deliver(event)
    assert list(world.machine.executions) == [only(world).execution]


def test_a_late_repeat_does_not_start_what_has_ended(world, deliver):
    event = world.upload("Summer/a.jpg")
    deliver(event)
    world.catalog.mark(only(world).id, "REJECTED", attempt=1)
    world.machine.executions.clear()
    deliver(event)
    assert world.machine.executions == {}


KEYS = [
    "with space.jpg",
    "a+b.jpg",
    "100%.jpg",
    "already%20encoded.jpg",
    "🦊 im Wald.jpg",
    "../../etc/passwd.jpg",
    "a&b=c;d,e'f\"g.jpg",
    "k" * 1020 + ".jpg",
]


@pytest.mark.parametrize("key", KEYS, ids=[key[:24] for key in KEYS])
@pytest.mark.parametrize("encode", [str, quote_plus], ids=["as it is", "encoded"])
def test_any_key_is_found_however_it_is_written(world, key, encode):
    event = world.upload(key)
    event["detail"]["object"]["key"] = encode(key)
    head = pin(world.store, Announced.parse(event))
    assert head.location == Location("inbox", key, event["detail"]["object"]["version-id"])


def test_a_key_that_looks_encoded_is_not_taken_for_its_neighbour(world):
    plain, encoded = world.upload("a b.jpg", b"one"), world.upload("a+b.jpg", b"two")
    for event, key in ((plain, "a b.jpg"), (encoded, "a+b.jpg")):
        assert pin(world.store, Announced.parse(event)).location.key == key
        del event["detail"]["object"]["version-id"]
        assert pin(world.store, Announced.parse(event)).location.key == key


def test_without_a_version_the_event_means_the_bytes_it_names(world, deliver):
    first = world.upload("Summer/a.jpg", b"first")
    second = world.upload("Summer/a.jpg", b"second")
    versions = [event["detail"]["object"].pop("version-id") for event in (first, second)]
    deliver(second, first)
    assert {record.version for record in world.catalog.items()} == set(versions)


def test_what_was_deleted_meanwhile_is_let_go(world, deliver):
    event = world.upload("Summer/a.jpg")
    version = event["detail"]["object"]["version-id"]
    world.s3.delete_object(Bucket="inbox", Key="Summer/a.jpg", VersionId=version)
    assert deliver(event) == []
    assert list(world.catalog.items()) == []


def test_a_deletion_by_name_keeps_the_version_that_was_uploaded(world, deliver):
    event = world.upload("Summer/a.jpg")
    version = event["detail"]["object"].pop("version-id")
    world.s3.delete_object(Bucket="inbox", Key="Summer/a.jpg")
    deliver(event)
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
def test_without_a_chosen_album_the_folder_is_the_album(world, deliver, key, title, slug):
    deliver(world.upload(key))
    assert only(world).album_title == title
    assert only(world).album.startswith(slug)


def test_names_are_one_short_line_without_tricks(world, deliver):
    deliver(world.upload("x/a.jpg", album=quote("Sum\nmer\u202e \u2066 2026"), contributor=quote("n" * 500)))
    assert only(world).album_title == "Sum mer 2026"
    assert len(only(world).contributor) == 80


def test_a_folders_marker_is_no_upload_and_an_empty_file_is(world, deliver):
    deliver(world.upload("Summer/", b""), world.upload("Summer/empty.jpg", b""))
    assert only(world).key == "Summer/empty.jpg"


@pytest.mark.parametrize(
    "key",
    ["Summer/.DS_Store", "Summer/@eaDir/IMG_1.jpg/SYNOFILE_THUMB_M.jpg", "Summer/IMG_1.HEIC.supplemental-metad.json", "a/b.XMP"],
)
def test_a_by_product_becomes_no_item_and_stays_where_it_is(world, deliver, key):
    event = world.upload(key, b'{"geoData": {"latitude": 48.1}}')
    assert deliver(event) == []
    assert (list(world.catalog.items()), world.machine.executions) == ([], {})
    assert world.store.head(Location("inbox", key)).bytes > 0


def test_how_many_were_left_out_is_logged(world, deliver, caplog):
    names = ("a.jpg", "b.jpg", ".DS_Store", "Thumbs.db", "a.xmp", "")
    with caplog.at_level("INFO"):
        deliver(*[world.upload(f"Summer/{name}", b"bytes" if name else b"") for name in names])
    (line,) = [record.received for record in caplog.records if record.getMessage() == "received"]
    assert line == {"upload": 2, "by-product": 2, "sidecar": 1, "folder": 1}


@pytest.mark.parametrize("status", [400, 403])
def test_what_s3_has_and_will_not_show_is_noted_and_not_delivered_again(world, deliver, status):
    poison, good = world.upload("Summer/a.jpg"), world.upload("Summer/b.jpg")
    world.withhold("Summer/a.jpg", status)
    assert deliver(poison, good) == []
    assert only(world).key == "Summer/b.jpg"
    (noted,) = world.catalog.unreadable()
    assert noted.location == Location("inbox", "Summer/a.jpg", poison["detail"]["object"]["version-id"])
    assert noted.reason and not noted.told


def test_what_cannot_be_read_is_pinned_where_the_event_names_no_version(world, deliver):
    event = world.upload("Summer/a.jpg")
    version = event["detail"]["object"].pop("version-id")
    world.withhold("Summer/a.jpg", 400)
    assert deliver(event) == []
    assert [noted.location.version for noted in world.catalog.unreadable()] == [version]


def test_a_passing_fault_of_s3_brings_its_message_back(world, deliver):
    event = world.upload("Summer/a.jpg")
    world.withhold("Summer/a.jpg", 501)
    assert deliver(event) == ["m0"]
    assert world.catalog.unreadable() == []


def test_a_by_product_that_s3_will_not_show_is_nobodys_loss(world, deliver):
    event = world.upload("Summer/Thumbs.db")
    world.withhold("Summer/Thumbs.db", 400)
    assert deliver(event) == []
    assert world.catalog.unreadable() == []


def test_an_event_that_means_a_delete_marker_is_of_something_gone(world, deliver):
    event = world.upload("Summer/a.jpg")
    marker = world.s3.delete_object(Bucket="inbox", Key="Summer/a.jpg")["VersionId"]
    event["detail"]["object"]["version-id"] = marker
    assert deliver(event) == []
    assert (list(world.catalog.items()), world.catalog.unreadable()) == ([], [])


def test_one_unreadable_message_does_not_bring_the_others_back(world, deliver):
    assert deliver({"detail": {}}, world.upload("Summer/a.jpg"), ["nonsense"]) == ["m0", "m2"]
    assert only(world).key == "Summer/a.jpg"
