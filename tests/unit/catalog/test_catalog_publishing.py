"""Publishing: one transaction, one place for good, no gap in an album however many arrive at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from tasks.catalog import Catalog
from tasks.catalog.albums import Albums
from tasks.core.aws.dynamodb import Table
from tasks.core.errors import NotFound, Stale


class OneAtATime:
    """A client whose calls never overlap: moto undoes a refused transaction for every thread, DynamoDB for its own alone."""

    def __init__(self, client) -> None:
        self._client, self._lock = client, threading.Lock()

    def __getattr__(self, name):
        def call(**arguments):
            with self._lock:
                return getattr(self._client, name)(**arguments)

        return call


class Serial:
    """An Aws with one such client."""

    def __init__(self, aws) -> None:
        self._client = OneAtATime(aws.client("dynamodb"))

    def client(self, service):
        return self._client


def publish(catalog, make, item, **prepared):
    catalog.items.create(item)
    return catalog.albums.publish(item, make.media(), make.prepared(**prepared), make.approved, make.files)


def test_an_approved_item_gets_its_place(world, make):
    item = make.item()
    publication, card = publish(world.catalog, make, item)
    assert (publication.url, publication.album, publication.sequence, publication.page) == (f"/items/{item.id}/", "summer", 1, 0)
    assert (card.title, card.labels, card.files) == ("IMG_0042", ("Dog", "Green Grass"), make.files)
    record = world.catalog.items.get(item.id)
    assert (record.status, record.publication, record.decision) == ("PUBLISHED", publication, make.approved)
    assert world.catalog.albums.page("summer", 0) == [card]
    album = world.catalog.albums.get("summer")
    assert (album.title, album.count, album.cover) == ("Summer", 1, card)


def test_publishing_again_gives_the_same_answer(world, make):
    item = make.item()
    first = publish(world.catalog, make, item)
    again = world.catalog.albums.publish(item, make.media(), make.prepared(), make.approved, ())
    assert again == first
    assert world.catalog.albums.get("summer").count == 1
    assert world.catalog.search.labels() == [("Dog", 1), ("Green Grass", 1)]


def test_thirty_publications_to_one_album_at_once_leave_no_gap(world, make):
    catalog = Catalog.of(Table(Serial(world.aws), "catalog"), world.reviews, world.catalog.approvers, page_size=7)
    items = [make.item(f"{number}.jpg") for number in range(30)]
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda item: publish(catalog, make, item)[0], items))
    assert sorted(each.sequence for each in found) == list(range(1, 31))
    assert all(each.page == (each.sequence - 1) // 7 for each in found)
    pages = [[card.sequence for card in catalog.albums.page("summer", page)] for page in range(6)]
    assert [len(page) for page in pages] == [7, 7, 7, 7, 2, 0]
    assert [number for page in pages for number in page] == list(range(1, 31))
    assert catalog.albums.get("summer").count == 30


def test_what_ended_otherwise_is_not_published(world, make):
    item = make.item()
    world.catalog.items.create(item)
    world.catalog.items.mark(item.id, "EXPIRED", attempt=1)
    with pytest.raises(Stale, match="EXPIRED"):
        world.catalog.albums.publish(item, make.media(), make.prepared(), make.approved, ())
    assert world.catalog.albums.all() == []


def test_an_older_attempt_does_not_publish(world, make):
    item = make.item()
    world.catalog.items.create(item)
    world.catalog.items.next_attempt(item.id, 1)
    with pytest.raises(Stale, match="superseded by attempt 2"):
        world.catalog.albums.publish(item, make.media(), make.prepared(), make.approved, ())


def test_a_redriven_publish_goes_on_from_failed(world, make):
    item = make.item()
    world.catalog.items.create(item)
    world.catalog.items.mark(item.id, "FAILED", attempt=1, reason="S3 was down")
    world.catalog.albums.publish(item, make.media(), make.prepared(), make.approved, ())
    record = world.catalog.items.get(item.id)
    assert (record.status, record.reason) == ("PUBLISHED", "")


def test_an_unknown_item_is_not_published(world, make):
    with pytest.raises(NotFound):
        world.catalog.albums.publish(make.item(), make.media(), make.prepared(), make.approved, ())


def test_an_expiry_between_look_and_write_wins(world, make):
    item = make.item()

    class Late(Albums):
        def _look(self, asked):
            seen = super()._look(asked)
            world.catalog.items.mark(item.id, "EXPIRED", attempt=1)
            return seen

    world.catalog.items.create(item)
    with pytest.raises(Stale, match="EXPIRED"):
        Late(world.table, world.catalog.items).publish(item, make.media(), make.prepared(), make.approved, ())
    assert world.catalog.albums.page("summer", 0) == []


def test_the_cover_is_the_newest_picture_for_everyone(world, make):
    _, photo = publish(world.catalog, make, make.item("photo.jpg"))
    publish(world.catalog, make, make.item("delicate.jpg"), triage="hold")
    note = make.item("note.pdf")
    world.catalog.items.create(note)
    world.catalog.albums.publish(note, make.media(kind="document", format="pdf"), make.prepared(), make.approved, ())
    album = world.catalog.albums.get("summer")
    assert album.cover == photo
    assert [card.sensitive for card in world.catalog.albums.page("summer", 0)] == [False, True, False]


def test_albums_are_listed_latest_publication_first(world, make):
    days = count(1)

    def clock():
        return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=next(days))

    catalog = Catalog.of(world.table, world.reviews, world.catalog.approvers, clock=clock)
    for name, album in (("a.jpg", "Spring"), ("b.jpg", "Autumn"), ("c.jpg", "Spring")):
        publish(catalog, make, make.item(name, album))
    assert [album.slug for album in catalog.albums.all()] == ["spring", "autumn"]
    with pytest.raises(NotFound, match="no album 'winter'"):
        catalog.albums.get("winter")


def test_many_labels_stay_within_one_transaction(world, make):
    labels = tuple(f"Label{number} word{number}" for number in range(80))
    publication, card = publish(world.catalog, make, make.item(), labels=labels)
    assert publication.sequence == 1
    assert world.catalog.search.find("label3") == [card]
