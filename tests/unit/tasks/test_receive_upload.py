"""ReceiveUpload: however often, late or strangely an upload is announced, it becomes one item and one execution."""

import random
from urllib.parse import quote

import pytest

from tasks.core.models.location import Location
from tasks.core.queues import Message
from tasks.receive_upload import receive_upload


@pytest.fixture
def deliver(world):
    """Delivers events as one batch; returns the ids of the messages that come back."""

    def run(*events):
        messages = [Message(f"m{number}", event) for number, event in enumerate(events)]
        return receive_upload(messages, store=world.store, catalog=world.catalog, machine=world.machine)

    return run


def only(world):
    (record,) = world.catalog.items.newest()
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
    assert len(list(world.catalog.items.newest())) == 6
    assert len(world.machine.executions) == 6


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
    (noted,) = world.catalog.unreadable.all()
    assert noted.location == Location("inbox", "Summer/a.jpg", poison["detail"]["object"]["version-id"])
    assert noted.reason and not noted.told


def test_a_passing_fault_of_s3_brings_its_message_back(world, deliver):
    event = world.upload("Summer/a.jpg")
    world.withhold("Summer/a.jpg", 501)
    assert deliver(event) == ["m0"]
    assert world.catalog.unreadable.all() == []


def test_one_unreadable_message_does_not_bring_the_others_back(world, deliver):
    assert deliver({"detail": {}}, world.upload("Summer/a.jpg"), ["nonsense"]) == ["m0", "m2"]
    assert only(world).key == "Summer/a.jpg"
