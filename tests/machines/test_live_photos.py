"""Live Photos with the real tasks: two uploads, two executions, in any order, one item."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import live_photos
import pytest
from machines.gallery import Gallery, Upload
from machines.stage import APPROVER

from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.json import from_json

PICTURE, FILM = "live.heic", "live.mov"
EXPLICIT = {"Name": "Explicit", "ParentName": "", "Confidence": 97.0}


def together(gallery: Gallery) -> tuple[Upload, Upload]:
    """A picture that waits for a person, and the film that joined it."""
    picture = gallery.upload(PICTURE).waiting()
    film = gallery.upload(FILM)
    assert film.ended().outcome == "Joined"
    return picture, film


def joined_in_the_making(gallery: Gallery, name: str, data: bytes | None = None) -> tuple[Upload, Upload]:
    """A film, and the picture that it joined while that was still being converted."""
    stage = gallery.stage
    pictures: list[Upload] = []
    stage.held["ConvertImage"] = go = threading.Event()

    def arrives() -> None:
        pictures.append(gallery.upload(name, data))
        until(lambda: bool(stage.given["ConvertImage"]))

    stage.meanwhile = arrives
    film = gallery.upload(FILM)
    assert film.ended().outcome == "Joined"
    go.set()
    return pictures[0], film


def films(gallery: Gallery) -> list[str]:
    return [key for key in gallery.site.media() if key.endswith(".mp4")]


def work(gallery: Gallery) -> list[str]:
    return list(gallery.stage.services.get(Store).keys(gallery.stage.settings.work_bucket, ""))


def tags(upload: Upload) -> dict[str, str]:
    where = {"Bucket": upload.location.bucket, "Key": upload.location.key, "VersionId": upload.location.version}
    found = upload.gallery.stage.aws.client("s3").get_object_tagging(**where)["TagSet"]
    return {row["Key"]: row["Value"] for row in found}


def impatient(body: dict[str, Any]) -> None:
    body["States"]["AwaitApproval"]["TimeoutSeconds"] = 1


def test_a_picture_and_then_its_film_become_one_item(gallery: Gallery) -> None:
    picture, film = together(gallery)
    assert gallery.stage.pauses == [], "the picture was there"
    assert (film.record.status, film.record.duplicate_of) == ("DUPLICATE", picture.id)
    picture.approve()
    (card,) = gallery.catalog.albums.page("summer", 0)
    assert (card.id, card.kind) == (picture.id, "image")
    assert {file.name for file in card.files} >= {"320w", "motion", "live"}
    assert sorted(films(gallery)) == sorted(file.path for file in card.files if file.name in ("motion", "live"))
    assert all(key.startswith(f"media/{picture.id}/") for key in films(gallery)), "a takedown deletes by this prefix"
    assert gallery.site.pages() == [picture.id]
    assert len(gallery.mails()) == 1, "nobody is asked twice"


def test_a_film_waits_a_moment_for_its_picture(gallery: Gallery) -> None:
    came: list[Upload] = []
    gallery.stage.meanwhile = lambda: came.append(gallery.upload(PICTURE).waiting())
    film = gallery.upload(FILM)
    assert film.ended().path[-5:] == ("IsJoined", "WaitForPicture", "JoinPicture", "IsJoined", "Joined")
    (seconds,) = gallery.stage.pauses
    assert 1 <= seconds <= 5
    came[0].approve()
    assert gallery.site.pages() == [came[0].id] and len(films(gallery)) == 2


def test_a_film_whose_picture_never_comes_is_a_video(gallery: Gallery) -> None:
    film = gallery.upload(FILM).approve()
    assert gallery.stage.pauses[:3] == [5, 10, 20] and len(gallery.stage.pauses) == 4
    assert film.record.status == "PUBLISHED"
    assert [card.kind for card in gallery.catalog.albums.page("summer", 0)] == ["video"]


def test_a_picture_never_waits_for_a_film(gallery: Gallery) -> None:
    assert gallery.upload(PICTURE).approve().record.status == "PUBLISHED"
    assert gallery.stage.pauses == [] and films(gallery) == []


def test_a_film_that_comes_after_the_decision_is_a_video_that_is_asked_about(gallery: Gallery) -> None:
    picture = gallery.upload(PICTURE).approve()
    film = gallery.upload(FILM).waiting()
    assert films(gallery) == [] and film.record.status == "PENDING"
    film.approve()
    assert sorted(gallery.site.pages()) == sorted([picture.id, film.id])


def test_the_mail_says_what_is_there_when_it_is_made(gallery: Gallery) -> None:
    joined_in_the_making(gallery, PICTURE)[0].waiting()
    (mail,) = gallery.mails()
    assert "Live Photo" in mail.replace("=C2=A0", " ").replace("\u00a0", " ")


def test_what_was_approved_without_the_film_is_published_without_it(gallery: Gallery) -> None:
    """The approver looked, the film came, the approver clicked: the click says what the page showed, and is not taken."""
    picture = gallery.upload(PICTURE).waiting()
    seen = picture.record.shown_digest
    film = gallery.upload(FILM)
    film.ended()
    late = gallery.reviews.record(picture.id, "approve", approver=APPROVER, shown=seen)
    assert (late.state, gallery.site.pages()) == ("changed", [])
    again = gallery.reviews.record(picture.id, "approve", approver=APPROVER, shown=picture.record.shown_digest)
    assert again.state == "recorded" and gallery.reviews.tell(picture.id, gallery.stage.services.get(Machine))
    picture.ended()
    assert len(films(gallery)) == 2


def test_a_film_that_changed_after_it_was_seen_is_not_published(gallery: Gallery) -> None:
    picture, _ = together(gallery)
    assert picture.record.film is not None
    shown = picture.record.film.renditions[0]
    store = gallery.stage.services.get(Store)
    store.put(gallery.stage.settings.work_bucket, shown.key, b"something else", shown.content_type)
    story = picture.approve().ended()
    assert (story.status, story.outcome, story.error) == ("FAILED", "Publish", "Stale")
    assert gallery.site.pages() == []


def test_a_rejected_picture_takes_its_film_along(gallery: Gallery) -> None:
    picture, film = together(gallery)
    picture.reject(reason="blurry")
    assert work(gallery) == [] and films(gallery) == []
    assert tags(picture) == tags(film) == {"greenroom": "quarantined"}
    again = gallery.upload(PICTURE).waiting(), gallery.upload(FILM)
    assert again[1].ended().outcome == "Joined", "both may be uploaded anew"
    assert again[0].approve().record.status == "PUBLISHED"


def test_a_picture_that_expires_takes_its_film_along(gallery: Gallery) -> None:
    gallery.stage.use(impatient)
    picture, film = joined_in_the_making(gallery, PICTURE)
    assert picture.settled().ended().outcome == "Expired"
    assert work(gallery) == [] and tags(film) == {"greenroom": "quarantined"}


def test_a_picture_that_turns_out_broken_lets_its_film_go_on_alone(gallery: Gallery) -> None:
    picture, film = joined_in_the_making(gallery, "broken.heic", damaged((gallery.drawer / PICTURE).read_bytes()))
    assert picture.ended().outcome == "Quarantined"
    assert film.record.attempt == 2
    assert film.approve().record.status == "PUBLISHED"
    assert gallery.site.pages() == [film.id]


def test_a_picture_whose_execution_was_lost_keeps_its_film(gallery: Gallery) -> None:
    picture, film = together(gallery)
    gallery.stage.lose_execution(picture.record.execution)
    gallery.stage.call("Sweep", {"grace_seconds": 0})
    assert picture.record.attempt == 2
    picture.approve()
    assert gallery.site.pages() == [picture.id] and len(films(gallery)) == 2
    assert film.record.status == "DUPLICATE"


def test_a_film_whose_execution_was_lost_joins_in_its_next_attempt(gallery: Gallery) -> None:
    picture = gallery.upload(PICTURE).waiting()
    gallery.stage.break_task("JoinPicture", *[ConnectionError("gone")] * 4)
    film = gallery.upload(FILM)
    assert film.ended().status == "FAILED"
    gallery.stage.lose_execution(film.record.execution)
    gallery.stage.call("Sweep", {"grace_seconds": 0})
    assert film.record.attempt == 2 and film.ended().outcome == "Joined"
    assert picture.approve().record.status == "PUBLISHED"
    assert len(films(gallery)) == 2


def test_the_sweeper_leaves_a_joined_film_alone(gallery: Gallery) -> None:
    picture, film = together(gallery)
    gallery.stage.call("Sweep", {"grace_seconds": 0})
    assert (film.record.attempt, film.record.status, picture.record.status) == (1, "DUPLICATE", "PENDING")


def test_a_failed_picture_lets_both_be_uploaded_anew(gallery: Gallery) -> None:
    picture, film = together(gallery)
    gallery.stage.break_task("Publish", *[ConnectionError("the site is away")] * 4)
    picture.approve().aftermath()
    assert picture.record.status == "FAILED" and picture.record.film is not None
    assert f"item {film.id}, the moving part" in gallery.mails()[-1], "the operator hears of both"
    again, its_film = gallery.upload(PICTURE).waiting(), gallery.upload(FILM)
    assert its_film.ended().outcome == "Joined"
    assert again.approve().record.status == "PUBLISHED"


def test_the_same_pair_twice_says_what_became_of_the_first(gallery: Gallery) -> None:
    picture, film = together(gallery)
    again = gallery.upload(FILM)
    assert again.ended().outcome == "Duplicate"
    assert again.record.duplicate_of == film.id
    assert again.record.reason.endswith(f"is {film.record.reason}") and picture.id in again.record.reason


def test_somebody_elses_film_joins_nothing(gallery: Gallery) -> None:
    picture = gallery.upload(PICTURE, by="Ben").waiting()
    film = gallery.upload(FILM, by="Eve").waiting()
    assert (picture.record.film, film.record.status) == (None, "PENDING")


def test_what_the_policy_marks_in_the_film_is_blurred_with_the_picture(gallery: Gallery) -> None:
    picture = gallery.upload(PICTURE).waiting()
    gallery.stage.eye.objects_to = [EXPLICIT]
    assert gallery.upload(FILM).ended().outcome == "Joined"
    picture.approve()
    assert [card.sensitive for card in gallery.catalog.albums.page("summer", 0)] == [True]


def test_nothing_private_of_either_is_published(gallery: Gallery) -> None:
    together(gallery)[0].approve()
    published = gallery.site.every_byte()
    for secret in (live_photos.CANARY, live_photos.PAIR, live_photos.PLACE, "+48.1372"):
        assert secret.encode() in (gallery.drawer / FILM).read_bytes()
        assert secret.encode() not in published and secret.lower().encode() not in published


@pytest.mark.parametrize("name", [PICTURE, FILM])
def test_what_a_state_says_of_a_pair_can_be_read_back(gallery: Gallery, name: str) -> None:
    upload = gallery.upload(name).waiting()
    media = upload.record.media
    assert media is not None and media.pair == live_photos.PAIR
    assert from_json(gallery.stage.given["Recognize"][0]["media"]["pair"], str) == live_photos.PAIR


def until(look: Callable[[], bool]) -> None:
    for _ in range(3000):
        if look():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def damaged(heic: bytes) -> bytes:
    """The same identifier, and a picture that no decoder reads to its end."""
    at = heic.index(b"mdat") + 4
    return heic[:at] + bytes(60) + heic[at + 60 :]
