"""A film that arrives in the moment of the decision: it was on the page that was approved, or it is an item of its own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from machines.stage import MOTO, SETTINGS, make_tables, shared_aws
from moto import mock_aws
from serial_moto import serial_dynamodb

from tasks.catalog import Catalog, Reviews
from tasks.core.aws.dynamodb import Table
from tasks.core.models.digests import film_digest, shown_digest
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.renditions import Rendition
from tasks.core.models.review import Film
from tasks.core.names import item_id

RACES = 30
PAIR = "7E1A0B52-4C2F-4D0B-9A41-2B6F2E8C9D10"
SEEN = "5" * 64
PARTS = (Rendition("motion", "items/f/preview.mp4", "mp4", "video/mp4", 480, 360, 7, "1" * 64),)
WHOLE = shown_digest(SEEN, film_digest(PARTS))


class Town:
    """A catalog and its reviews, and as many pairs as races."""

    def __init__(self) -> None:
        self.catalog, self.reviews = Catalog.open(shared_aws(), SETTINGS), Reviews.open(shared_aws(), SETTINGS)
        self.table = Table(shared_aws(), SETTINGS.catalog_table)

    def arrive(self, name: str, sha256: str, album: str) -> Item:
        words = ("etag", 10, album, "Summer", "Ben", "2026-07-05T08:00:00Z")
        item = Item(item_id("inbox", f"{album}/{name}", "v1"), 1, "inbox", f"{album}/{name}", "v1", *words)
        self.catalog.items.create(item)
        self.catalog.items.mark(item.id, "PROCESSING", attempt=1, media=Media("accepted", sha256=sha256, pair=PAIR))
        self.table.put({"pk": f"content#{sha256}", "sk": "claim", "item": item.id})
        return item

    def pair(self, number: int, films: int = 1) -> tuple[Item, list[Item]]:
        album = f"album-{number}"
        picture = self.arrive("IMG_1.HEIC", f"a{number}", album)
        assert self.catalog.pairs.offer_picture(picture, PAIR)
        return picture, [self.arrive(f"IMG_1-{each}.MOV", f"f{number}-{each}", album) for each in range(films)]

    def joining(self, film: Item) -> Callable[[], str]:
        told = Film(film.id, 2.9, PARTS, film_digest(PARTS))
        return lambda: self.catalog.pairs.join(film, Media("accepted", kind="video", pair=PAIR, live=True), told)

    def deciding(self, picture: Item, verdict: Any, sha256: str = SEEN, looks: int = 0) -> Callable[[], Any]:
        """A click, after so many reads of the table: joining begins with half a dozen."""

        def decide() -> Any:
            for _ in range(looks):
                self.reviews.review(picture.id)
            return self.reviews.record(picture.id, verdict, approver="ann@example.org", shown=sha256)

        return decide


@pytest.fixture
def town() -> Iterator[Town]:
    with mock_aws(config=MOTO), serial_dynamodb():
        make_tables(shared_aws(), SETTINGS)
        yield Town()


def at_once(number: int, *calls: Callable[[], Any]) -> list[Any]:
    """The calls from as many threads, started in another order each time; their results in order."""
    gate, order = Barrier(len(calls)), list(enumerate(calls))
    random.Random(number).shuffle(order)

    def go(call: Callable[[], Any]) -> Any:
        gate.wait(10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        waiting = {place: pool.submit(go, call) for place, call in order}
        return [waiting[place].result() for place in range(len(calls))]


def is_whole(town: Town, picture: Item, film: Item) -> bool:
    """Whether the film is the picture's; the two rows and the review must say the same."""
    record, review, alone = town.catalog.items.get(picture.id), town.reviews.review(picture.id), town.catalog.items.get(film.id)
    joined = record.film is not None and record.film.item == film.id
    assert review is not None and review.film == (record.film.sha256 if record.film else "")
    assert (alone.status, alone.duplicate_of) == (("DUPLICATE", picture.id) if joined else ("PROCESSING", ""))
    return joined


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_click_and_a_film_in_the_same_moment(town: Town, verdict: str) -> None:
    came: Counter[str] = Counter()
    for number in range(RACES):
        picture, (film,) = town.pair(number)
        town.reviews.request(picture, "token", SEEN)
        joined, outcome = at_once(number, town.joining(film), town.deciding(picture, verdict, looks=number % 10))
        assert is_whole(town, picture, film) == bool(joined)
        assert outcome.state == ("changed" if joined else "recorded"), f"race {number}"
        if joined:
            assert town.reviews.decision(picture.id) is None
            assert town.deciding(picture, verdict, WHOLE)().state == "recorded"
        found = town.reviews.decision(picture.id)
        assert found is not None and found[1] == (WHOLE if joined else SEEN)
        came[outcome.state] += 1
    assert len(came) == 2, f"both must come first now and then: {came}"


def test_the_question_and_a_film_in_the_same_moment(town: Town) -> None:
    for number in range(RACES):
        picture, (film,) = town.pair(number)
        joined, review = at_once(number, town.joining(film), lambda picture=picture: town.reviews.request(picture, "token", SEEN))
        assert joined and is_whole(town, picture, film), "nobody has decided: the film is the picture's in any case"
        assert review.shown_digest in (SEEN, WHOLE)


def test_the_timeout_and_a_film_in_the_same_moment(town: Town) -> None:
    for number in range(RACES):
        picture, (film,) = town.pair(number)
        town.reviews.request(picture, "token", SEEN)
        joined, decision = at_once(number, town.joining(film), lambda picture=picture: town.reviews.expire(picture, SEEN).verdict)
        assert decision == "expired" and is_whole(town, picture, film) == bool(joined)


def test_five_films_at_once_and_one_picture(town: Town) -> None:
    for number in range(RACES // 3):
        picture, films = town.pair(number, films=5)
        answers = at_once(number, *(town.joining(film) for film in films))
        assert sorted(answers) == ["", "", "", "", picture.id]
        kept = town.catalog.items.get(picture.id).film
        assert kept is not None and kept.item == films[answers.index(picture.id)].id
        assert [town.catalog.items.get(film.id).status for film in films].count("DUPLICATE") == 1


def test_a_rejection_and_a_film_in_the_same_moment(town: Town) -> None:
    """Who withdraws the picture reads its row after it has ended: a film is seen then, or never joins."""
    for number in range(RACES):
        picture, (film,) = town.pair(number)
        joined, _ = at_once(
            number, town.joining(film), lambda picture=picture: town.catalog.items.mark(picture.id, "REJECTED", attempt=1)
        )
        assert (town.catalog.items.get(picture.id).film is not None) == bool(joined)
        assert town.catalog.items.get(film.id).status == ("DUPLICATE" if joined else "PROCESSING")


def test_five_pictures_of_one_name_are_found_one_at_a_time(town: Town) -> None:
    for number in range(RACES // 3):
        pictures = [town.arrive(f"IMG_{each}.HEIC", f"p{number}-{each}", f"album-{number}") for each in range(5)]
        offers = at_once(
            number, *(lambda picture=picture: town.catalog.pairs.offer_picture(picture, PAIR) for picture in pictures)
        )
        assert sorted(offers) == [False] * 4 + [True]
