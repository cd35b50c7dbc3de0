"""Live Photos at the review: the page shows the film with the picture, and a click is about what the page showed."""

from __future__ import annotations

from typing import Any

import pytest
from review_office import Browser, Office

from tasks.catalog.rows import claim_key
from tasks.core.models.digests import film_digest
from tasks.core.models.item import Item
from tasks.core.models.recognition import Label
from tasks.core.models.renditions import Rendition
from tasks.core.models.review import Film

PAIR = "7E1A0B52-4C2F-4D0B-9A41-2B6F2E8C9D10"


def a_film_joins(office: Office, picture: Item, *marks: str) -> None:
    """As JoinPicture does it, while the picture waits."""
    world, make = office.world, office.make
    pk, sk = claim_key("a" * 64)
    world.table.put({"pk": pk, "sk": sk, "item": picture.id})
    film = make.item("IMG_1.MOV")
    world.catalog.items.create(film)
    world.catalog.pairs.offer_picture(picture, PAIR)
    parts = tuple(
        Rendition(name, f"items/{film.id}/{file}", "mp4", "video/mp4", 480, 360, 9, digit * 64)
        for name, file, digit in (("motion", "preview.mp4", "1"), ("live", "video.mp4", "2"))
    )
    moderation = tuple(Label(name, 90.0) for name in marks)
    told = Film(film.id, 2.9, parts, film_digest(parts), moderation, "hold" if marks else "clear")
    assert world.catalog.pairs.join(film, make.media(kind="video", sha256="f" * 64, pair=PAIR, live=True), told) == picture.id


def test_the_page_shows_the_film_with_its_picture(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    before = ann.open(office.letter())[1]["items"][0]
    a_film_joins(office, item)
    after = ann.open(office.letter())[1]["items"][0]
    assert "live" not in before["preview"] and "/video.mp4?" in after["preview"]["live"]
    assert (after["kind"], after["sensitive"]) == ("image", False)
    assert before["sha256"] == "5" * 64 != after["sha256"]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_who_had_not_seen_the_film_looks_again(office: Office, ann: Browser, verdict: str) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    a_film_joins(office, item)
    status, answer = ann.decide(item, verdict)
    assert (status, answer["outcome"], answer["standing"]["state"]) == (409, "changed", "pending")
    assert "look at it again" in answer["message"]
    assert office.machine.answers == [] and office.world.reviews.decisions(item.id) == []
    ann.open(office.letter())
    assert ann.decide(item, verdict)[1]["outcome"] == "recorded"


def test_a_film_that_comes_after_the_click_is_not_what_was_decided(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    assert ann.decide(item, "approve")[1]["outcome"] == "recorded"
    with pytest.raises(AssertionError):
        a_film_joins(office, item)
    assert office.world.catalog.items.get(item.id).film is None


def test_what_is_marked_in_the_film_is_said_of_the_whole(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    a_film_joins(office, item, "Smoking")
    shown = ann.open(office.letter())[1]["items"][0]
    assert shown["sensitive"] and shown["moderation"] == [{"name": "Smoking", "confidence": 90}]


def body_of(office: Office) -> str:
    text: Any = office.mails()[-1].get_body(("plain",)).get_content()
    return str(text).replace("\u00a0", " ")


def test_the_mail_says_live_photo_where_the_film_is_there(office: Office) -> None:
    item = office.make.item("IMG_1.HEIC")
    office.world.catalog.items.create(item)
    office.world.catalog.items.mark(item.id, "PROCESSING", attempt=1, media=office.make.media())
    a_film_joins(office, item, "Smoking")
    office.deliver(office.message(item, "token"))
    assert "Live Photo · HEIC" in body_of(office) and "Smoking 90%" in body_of(office)


def test_a_film_after_the_mail_needs_no_second_one(office: Office) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    assert "Live Photo" not in body_of(office)
    sent = len(office.mails())
    a_film_joins(office, item)
    office.deliver(office.message(item, "token-IMG_1.HEIC"))
    assert len(office.mails()) == sent
