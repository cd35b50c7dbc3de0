"""Search: every word must match, newest first, and rare words are found behind frequent ones."""

from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest

from tasks.catalog import Catalog, search
from tasks.core.aws.dynamodb import Table


@pytest.fixture
def gallery(world, make):
    """Publishes (name, album, labels) at one minute after the other; returns the catalog."""
    minutes = count()

    def clock():
        return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=next(minutes))

    catalog = Catalog.of(world.table, world.reviews, world.catalog.approvers, clock=clock)

    def publish(name, album="Summer", labels=()):
        item = make.item(name, album)
        catalog.items.create(item)
        catalog.albums.publish(item, make.media(), make.prepared(labels=labels), make.approved, ())

    return SimpleNamespace(add=publish, find=catalog.search.find, labels=catalog.search.labels)


def titles(cards):
    return [card.title for card in cards]


def test_words_meet_across_labels_title_album_and_contributor(gallery):
    gallery.add("Cat on roof.jpg", "Café Day", ("Animal",))
    gallery.add("dog.jpg", "Café Day", ("Animal",))
    assert titles(gallery.find("animal")) == ["dog", "Cat on roof"]
    assert titles(gallery.find("ANIMAL cafe")) == ["dog", "Cat on roof"]
    assert titles(gallery.find("roof ada")) == ["Cat on roof"]
    assert gallery.find("roof dog") == []


@pytest.mark.parametrize("query", ["", "  ", "!!", "%' OR 1=1", "nothing"])
def test_a_query_that_finds_nothing_is_no_error(gallery, query):
    gallery.add("dog.jpg")
    assert gallery.find(query) == []


def test_the_limit_takes_the_newest(gallery):
    for number in range(6):
        gallery.add(f"{number}.jpg", labels=("Sea",))
    assert titles(gallery.find("sea", limit=2)) == ["5", "4"]


def test_a_rare_word_is_found_far_behind_a_frequent_one(gallery, world):
    gallery.add("treasure.jpg", labels=("Gold",))
    for number in range(130):
        world.table.put({"pk": "label#summer", "sk": f"2026-07-01T{number:04d}#x", "page": "none", "card": "none"})
    assert titles(gallery.find("summer gold")) == ["treasure"]


def test_suggestions_are_the_most_frequent_labels(gallery):
    gallery.add("a.jpg", labels=("Sea", "Dog"))
    gallery.add("b.jpg", labels=("Sea",))
    assert gallery.labels() == [("Sea", 2), ("Dog", 1)]
    assert gallery.labels(limit=1) == [("Sea", 2)]


def test_two_frequent_words_that_never_meet_cost_sixty_queries_and_no_more(world, monkeypatch):
    class Counting(Table):
        queries = 0

        def query(self, *arguments, **options):
            self.queries += 1
            return super().query(*arguments, **options)

    monkeypatch.setattr(search, "READ_AHEAD", 1)  # every row is a query
    for number in range(80):
        word = ("sea", "sky")[number % 2]
        world.table.put({"pk": f"label#{word}", "sk": f"2026-07-01T{number:04d}#x", "page": "none", "card": "none"})
    table = Counting(world.aws, "catalog")
    assert search.Search(table, lambda keys: []).find("sea sky") == []
    assert table.queries == 60
