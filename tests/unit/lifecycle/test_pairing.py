"""JoinPicture: a film finds its picture, waits for it once, or goes on as a video; and it shares its picture's fate."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tasks.catalog.rows import claim_key
from tasks.core.clock import iso, utc_now
from tasks.core.errors import Stale
from tasks.core.models.digests import film_digest
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.recognition import Label
from tasks.core.models.renditions import Rendition, Thumbnails
from tasks.core.models.review import Decision, Prepared
from tasks.discard import DiscardRequest, discard
from tasks.expire import ExpireRequest, expire
from tasks.join_picture import JoinPictureRequest, join_picture
from tasks.lifecycle.pairing import Joined
from tasks.mark_duplicate import MarkDuplicateRequest, mark_duplicate
from tasks.publish import PublishRequest, publish
from tasks.quarantine import QuarantineRequest, quarantine

PAIR = "7E1A0B52-4C2F-4D0B-9A41-2B6F2E8C9D10"


def _shown(media: Media, prepared: Prepared) -> Media:
    thumbnails = Thumbnails(prepared.renditions, prepared.placeholder, prepared.sha256)
    return replace(media, thumbnails=thumbnails, recognition=prepared.recognition)


class Pair:
    """A picture that waits and a film that was prepared, each with its file in the work bucket and its original."""

    def __init__(self, world: Any, make: Any) -> None:
        self.world, self.make, self.catalog = world, make, world.catalog
        self.picture_media = make.media(sha256="a" * 64, pair=PAIR)
        self.film_media = make.media(sha256="f" * 64, pair=PAIR, live=True, kind="video", duration=2.9)
        self.picture = self.arrived("IMG_1.HEIC", self.picture_media)
        self.film = self.arrived("IMG_1.MOV", self.film_media)
        self.pictures = make.prepared((self.file(self.picture, "320w", "jpeg"),))
        names = ("video", "preview", "320w", "640w")
        self.films = make.prepared(tuple(self.file(self.film, name, "mp4") for name in names))
        self.picture_media, self.film_media = _shown(self.picture_media, self.pictures), _shown(self.film_media, self.films)
        self.catalog.pairs.offer_picture(self.picture, PAIR)

    def arrived(self, name: str, media: Any) -> Item:
        stored = self.world.s3.put_object(Bucket="inbox", Key=f"Summer/{name}", Body=name.encode())
        item = self.make.item(name, version=stored["VersionId"], received_at=iso(utc_now()))
        self.catalog.items.create(item)
        self.catalog.items.mark(item.id, "PROCESSING", attempt=1, media=media)
        pk, sk = claim_key(media.sha256)
        self.world.table.put({"pk": pk, "sk": sk, "item": item.id})
        return item

    def file(self, item: Item, name: str, format: str) -> Rendition:
        body, key = f"{item.key} {name}".encode(), f"items/{item.id}/{name}.{format}"
        self.world.store.put("work", key, body, f"video/{format}")
        return Rendition(name, key, format, f"video/{format}", 480, 360, len(body), hashlib.sha256(body).hexdigest())

    def look(self, looks: int = 0, **more: Any) -> Joined:
        media = replace(self.film_media, recognition=more.pop("recognition", self.films.recognition))
        request = JoinPictureRequest(replace(self.film, **more), media, Joined(looks=looks))
        return join_picture(request, catalog=self.catalog, settings=self.world.settings)

    def tags(self, item: Item) -> dict[str, str]:
        found = self.world.s3.get_object_tagging(Bucket="inbox", Key=item.key, VersionId=item.version)
        return {row["Key"]: row["Value"] for row in found["TagSet"]}

    def means(self, *names: str) -> dict[str, Any]:
        every = {name: getattr(self.world, name) for name in ("store", "catalog", "settings", "reviews", "machine")}
        return {name: every[name] for name in names}

    def published(self) -> Any:
        request = PublishRequest(self.picture, self.picture_media, self.make.approved)
        publish(request, **self.means("store", "catalog", "settings", "reviews"))
        return self.catalog.albums.page("summer", 0)[0]


@pytest.fixture
def pair(world: Any, make: Any) -> Pair:
    return Pair(world, make)


def test_a_film_goes_with_its_picture_under_names_of_its_own(pair: Pair) -> None:
    assert pair.look() == Joined("joined", 1, picture=pair.picture.id) == pair.look()
    film = pair.catalog.items.get(pair.picture.id).film
    assert {one.name: one.key.rsplit("/", 1)[1] for one in film.renditions} == {"live": "video.mp4", "motion": "preview.mp4"}
    assert film.sha256 == film_digest(film.renditions)


def test_it_looks_often_at_first_and_for_no_longer_than_its_time(pair: Pair) -> None:
    pair.catalog.items.mark(pair.picture.id, "REJECTED", attempt=1)
    fresh, older = iso(utc_now()), iso(utc_now() - timedelta(seconds=50))
    assert [pair.look(looks, received_at=fresh).seconds for looks in (0, 1, 2)] == [5, 10, 20]
    assert 55 <= pair.look(3, received_at=fresh).seconds <= 60
    assert pair.look(4, received_at=fresh) == Joined("alone", 5), "a clock that stands still keeps nobody"
    assert 8 <= pair.look(2, received_at=older).seconds <= 10
    assert pair.look(received_at=iso(utc_now() - timedelta(seconds=61))) == Joined("alone", 1)


def test_a_clock_that_runs_ahead_makes_nobody_wait_longer(pair: Pair) -> None:
    pair.catalog.items.mark(pair.picture.id, "REJECTED", attempt=1)
    assert pair.look(3, received_at=iso(utc_now() + timedelta(hours=9))).seconds == 60


def test_the_picture_is_published_with_its_film(pair: Pair) -> None:
    pair.look()
    asked = pair.world.reviews.request(pair.picture, "token", pair.pictures.sha256)
    pair.world.reviews.record(pair.picture.id, "approve", approver="ann@example.org", shown=asked.shown_digest)
    card = pair.published()
    assert {file.name for file in card.files} == {"320w", "live", "motion"}
    assert all(file.path.startswith(f"media/{pair.picture.id}/") for file in card.files)
    assert pair.published() == card


def test_an_approval_of_the_picture_alone_publishes_no_film(pair: Pair) -> None:
    """A film that got into the row by whatever way: the catalog's decision does not cover it."""
    pair.world.reviews.request(pair.picture, "token", pair.pictures.sha256)
    pair.world.reviews.record(pair.picture.id, "approve", approver="ann@example.org", shown=pair.pictures.sha256)
    assert pair.look().outcome == "wait", "decided"
    pair.world.table.update(*_row(pair.picture), "SET #film = :film", film=_film_text(pair))
    with pytest.raises(Stale, match="other renditions"):
        pair.published()
    assert list(pair.world.store.keys("site", "")) == []


def test_a_rejection_is_about_both(pair: Pair) -> None:
    pair.look()
    rejected = Decision("reject", "blurry", "ann@example.org", "2026-06-01T11:00:00Z")
    for _ in range(2):  # a retry finds it done
        discard(DiscardRequest(pair.picture, rejected), **pair.means("store", "catalog", "settings"))
    gone(pair)
    assert pair.catalog.items.get(pair.film.id).status == "DUPLICATE"


def test_silence_is_about_both(pair: Pair) -> None:
    pair.look()
    pair.world.reviews.request(pair.picture, "token", pair.pictures.sha256)
    decision = expire(ExpireRequest(pair.picture, pair.picture_media), **pair.means("store", "catalog", "settings", "reviews"))
    assert decision.verdict == "expired"
    gone(pair)


def gone(pair: Pair) -> None:
    assert list(pair.world.store.keys("work", "")) == []
    assert pair.tags(pair.picture) == pair.tags(pair.film) == {"greenroom": "quarantined"}
    assert [pair.catalog.items.claim_holder(letter * 64) for letter in "af"] == ["", ""]


def test_a_broken_picture_lets_its_film_go_on_alone(pair: Pair) -> None:
    pair.look()
    broken = replace(pair.picture_media, verdict="rejected", reason="the picture ends in its middle")
    for _ in range(2):
        quarantine(QuarantineRequest(pair.picture, broken), **pair.means("store", "catalog", "settings", "machine"))
    film = pair.catalog.items.get(pair.film.id)
    assert (film.status, film.attempt, film.duplicate_of) == ("RECEIVED", 2, "")
    assert list(pair.world.machine.executions) == [f"{film.id}-2"]
    assert pair.tags(pair.film) == {} and pair.catalog.items.claim_holder("f" * 64) == film.id
    assert len(list(pair.world.store.keys("work", f"items/{film.id}/"))) == 4


def test_a_picture_that_proves_a_duplicate_lets_its_film_go_on_alone(pair: Pair) -> None:
    pair.look()
    first = pair.arrived("First.HEIC", pair.picture_media)  # took the claim while the picture had failed
    mark_duplicate(MarkDuplicateRequest(pair.picture, pair.picture_media), catalog=pair.catalog, machine=pair.world.machine)
    assert pair.catalog.items.get(pair.picture.id).duplicate_of == first.id
    assert f"{pair.film.id}-2" in pair.world.machine.executions


def test_what_was_recognized_in_the_film_stays_with_it(pair: Pair) -> None:
    seen = replace(pair.films.recognition, moderation=(Label("Smoking", 80.0),), triage="hold")
    pair.look(recognition=seen)
    film = pair.catalog.items.get(pair.picture.id).film
    assert (film.moderation, film.triage) == ((Label("Smoking", 80.0),), "hold")


def _row(item: Item) -> tuple[str, str]:
    return f"item#{item.id}", "item"


def _film_text(pair: Pair) -> str:
    from tasks.catalog.rows import text
    from tasks.lifecycle.pairing import film

    return text(film(pair.film, pair.film_media, pair.films))
