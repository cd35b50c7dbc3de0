"""Live Photos in the catalog: a film joins its picture whole or not at all, and is never lost between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.catalog.rows import claim_key
from tasks.core.models.digests import film_digest, shown_digest
from tasks.core.models.item import Item
from tasks.core.models.recognition import Label
from tasks.core.models.renditions import Rendition
from tasks.core.models.review import Film

PAIR = "7E1A0B52-4C2F-4D0B-9A41-2B6F2E8C9D10"
PARTS = (
    Rendition("motion", "items/f/preview.mp4", "mp4", "video/mp4", 480, 360, 7, "1" * 64),
    Rendition("live", "items/f/video.mp4", "mp4", "video/mp4", 1440, 1080, 9, "2" * 64),
)


class Shelf:
    """A picture that was validated and claimed, and films that look for it."""

    def __init__(self, world: Any, make: Any) -> None:
        self.world, self.make = world, make
        self.catalog = world.catalog
        self.picture = self.arrived("IMG_1.HEIC", "a" * 64)
        self.offered = self.catalog.pairs.offer_picture(self.picture, PAIR)
        self.film = self.arrived("IMG_1.MOV", "f" * 64, kind="video", live=True, duration=2.9)

    def arrived(self, name: str, sha256: str, claim: bool = True, **facts: Any) -> Item:
        item: Item = self.make.item(name)
        self.catalog.items.create(item)
        self.catalog.items.mark(item.id, "PROCESSING", attempt=1, media=self.make.media(sha256=sha256, pair=PAIR, **facts))
        if claim:
            pk, sk = claim_key(sha256)
            self.world.table.put({"pk": pk, "sk": sk, "item": item.id})
        return item

    def join(self, item: Item | None = None, **more: Any) -> str:
        item = item or self.film
        media = self.make.media(**{"sha256": "f" * 64, "pair": PAIR, "kind": "video", "live": True, **more})
        found: str = self.catalog.pairs.join(
            item, media, Film(item.id, 2.9, PARTS, film_digest(PARTS), (Label("Smoking", 80.0),), "hold")
        )
        return found

    def kept(self) -> Film | None:
        found: Film | None = self.catalog.items.get(self.picture.id).film
        return found


@pytest.fixture
def shelf(world: Any, make: Any) -> Shelf:
    return Shelf(world, make)


def test_a_film_joins_its_picture_and_ends_as_its_duplicate(shelf: Shelf) -> None:
    assert shelf.offered and shelf.join() == shelf.picture.id
    film, kept = shelf.catalog.items.get(shelf.film.id), shelf.kept()
    assert kept is not None and (kept.item, kept.renditions) == (shelf.film.id, PARTS)
    assert (film.status, film.duplicate_of) == ("DUPLICATE", shelf.picture.id)
    assert film.reason == f"the moving part of a Live Photo: it goes with IMG_1.HEIC (item {shelf.picture.id})"


def test_asked_again_it_answers_the_same(shelf: Shelf) -> None:
    assert [shelf.join(), shelf.join()] == [shelf.picture.id] * 2


def test_the_first_picture_keeps_its_place_until_it_is_decided(shelf: Shelf) -> None:
    second = shelf.arrived("IMG_1 edited.JPG", "b" * 64)
    assert [shelf.catalog.pairs.offer_picture(item, PAIR) for item in (second, shelf.picture, second)] == [False, True, False]
    shelf.catalog.items.mark(shelf.picture.id, "REJECTED", attempt=1)
    assert shelf.catalog.pairs.offer_picture(second, PAIR)
    assert shelf.join() == second.id


@pytest.mark.parametrize("stranger", [{"album": "Winter"}, {"contributor": "Eve"}, {"contributor": ""}], ids=str)
def test_an_identifier_says_nothing_to_strangers(shelf: Shelf, stranger: dict[str, str]) -> None:
    film = shelf.make.item("IMG_2.MOV", **stranger)
    shelf.catalog.items.create(film)
    assert shelf.join(film) == ""
    assert shelf.kept() is None and shelf.catalog.items.get(film.id).status == "RECEIVED"


def test_another_identifier_is_another_picture(shelf: Shelf) -> None:
    assert shelf.join(pair=PAIR.replace("7", "8")) == ""


@pytest.mark.parametrize("status", ["PUBLISHED", "REJECTED", "EXPIRED", "QUARANTINED", "DUPLICATE", "FAILED"])
def test_a_picture_that_is_decided_takes_no_film(shelf: Shelf, status: str) -> None:
    shelf.catalog.items.mark(shelf.picture.id, status, attempt=1)
    assert shelf.join() == ""
    assert shelf.kept() is None and shelf.catalog.items.get(shelf.film.id).status == "PROCESSING"


def test_a_picture_whose_decision_the_machine_has_not_heard_takes_no_film(shelf: Shelf) -> None:
    shelf.world.reviews.request(shelf.picture, "token", "5" * 64)
    shelf.world.reviews.record(shelf.picture.id, "approve", approver="ann@example.org", shown="5" * 64)
    assert shelf.join() == "" and shelf.kept() is None


def test_a_picture_that_may_be_a_duplicate_itself_takes_no_film(shelf: Shelf) -> None:
    shelf.world.catalog.items.release_claim("a" * 64, shelf.picture.id)
    assert shelf.join() == "" and shelf.kept() is None


def test_a_film_that_people_were_asked_about_stays_a_video(shelf: Shelf) -> None:
    shelf.world.reviews.request(shelf.film, "token", "6" * 64)
    assert shelf.join() == "" and shelf.kept() is None


def test_a_picture_has_one_film(shelf: Shelf) -> None:
    shelf.join()
    again = shelf.arrived("IMG_1 again.MOV", "e" * 64, kind="video", live=True)
    assert shelf.join(again, sha256="e" * 64) == ""
    assert shelf.catalog.items.get(again.id).status == "PROCESSING"


def test_an_overtaken_attempt_joins_nothing(shelf: Shelf) -> None:
    shelf.catalog.items.next_attempt(shelf.film.id, 1)
    assert shelf.join() == "" and shelf.kept() is None
    assert shelf.join(replace(shelf.film, attempt=2)) == shelf.picture.id


def test_a_new_attempt_of_the_picture_keeps_its_film(shelf: Shelf) -> None:
    shelf.join()
    assert shelf.catalog.items.next_attempt(shelf.picture.id, 1)
    shelf.catalog.items.mark(shelf.picture.id, "PROCESSING", attempt=2)
    kept = shelf.kept()
    assert kept is not None and kept.item == shelf.film.id


def test_a_film_changes_what_is_asked(shelf: Shelf) -> None:
    reviews, id = shelf.world.reviews, shelf.picture.id
    reviews.request(shelf.picture, "token", "5" * 64)
    shelf.join()
    whole = shown_digest("5" * 64, film_digest(PARTS))
    assert reviews.review(id).shown_digest == whole != "5" * 64
    assert reviews.record(id, "approve", approver="ann@example.org", shown="5" * 64).state == "changed"
    assert reviews.record(id, "approve", approver="ann@example.org", shown=whole).state == "recorded"
    assert reviews.decisions(id)[0].sha256 == whole
    assert reviews.decision(id)[1] == whole


def test_who_is_asked_after_the_film_is_asked_about_both(shelf: Shelf) -> None:
    shelf.join()
    review = shelf.world.reviews.request(shelf.picture, "token", "5" * 64)
    assert review.shown_digest == shown_digest("5" * 64, film_digest(PARTS))


def test_a_decision_about_both_counts_for_the_next_attempt(shelf: Shelf) -> None:
    shelf.join()
    asked = shelf.world.reviews.request(shelf.picture, "token", "5" * 64)
    shelf.world.reviews.record(shelf.picture.id, "approve", approver="ann@example.org", shown=asked.shown_digest)
    again = shelf.world.reviews.request(replace(shelf.picture, attempt=2), "token 2", "5" * 64)
    assert (again.status, again.shown_digest) == ("DECIDED", asked.shown_digest)


def test_a_film_that_comes_between_looking_and_asking_is_asked_about(shelf: Shelf) -> None:
    """The review is written while the item has the very film that it names; else it is written anew."""
    asking = shelf.world.reviews
    ask = type(asking)._ask

    def slowly(reviews: Any, *told: Any) -> None:
        if shelf.kept() is None:
            assert shelf.join() == shelf.picture.id
        ask(reviews, *told)

    asking._ask = slowly.__get__(asking)
    assert asking.request(shelf.picture, "token", "5" * 64).film == film_digest(PARTS)


def test_a_film_is_let_go_as_an_item_of_its_own(shelf: Shelf) -> None:
    shelf.join()
    alone = shelf.catalog.pairs.part(shelf.picture.id)
    record = shelf.catalog.items.get(shelf.film.id)
    assert (alone.attempt, record.attempt, record.status) == (2, 2, "RECEIVED")
    assert (record.reason, record.duplicate_of, shelf.kept()) == ("", "", None)
    assert shelf.catalog.pairs.part(shelf.picture.id) is None


def test_what_is_marked_in_the_film_veils_the_picture(shelf: Shelf) -> None:
    shelf.join()
    make = shelf.make
    _, card = shelf.catalog.albums.publish(shelf.picture, make.media(), make.prepared(), make.approved, make.files)
    assert card.sensitive and card.kind == "image"
