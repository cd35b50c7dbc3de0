"""Executions that began before decision 0018: their definition is pinned, the code that it calls is today's.

`before/ingest.asl.yaml` is the definition of then. `before/payloads.json` is what its states gave their tasks, recorded from
the code of then (`clip_before_0010`: from a plan of before decision 0010). Each rendition there has for its bytes its name and
format, as `hang` writes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machines.definition import Definition
from machines.gallery import Gallery, Upload, sqs_event
from machines.stage import APPROVER, raised

from tasks.catalog.rows import claim_key
from tasks.core.aws.dynamodb import Table
from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.json import from_json
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.core.names import item_id

BEFORE = Path(__file__).parent / "before"
OLD = Definition.read(BEFORE / "ingest.asl.yaml")
EXPLICIT = {"Name": "Explicit Nudity", "Confidence": 97.0, "ParentName": "Explicit"}
FILES = {"photo": "cat.jpg", "heic": "cat.heic", "clip": "clip.mov", "clip_before_0010": "clip.mov", "film": "live.mov"}


def impatient(body: dict[str, Any]) -> None:
    """AwaitApproval waits one second, not two weeks."""
    body["States"]["AwaitApproval"]["TimeoutSeconds"] = 1


@pytest.fixture
def old(drawer: Path) -> Iterator[Gallery]:
    """A gallery whose executions all began before."""
    with raised(OLD) as stage:
        yield Gallery(stage, drawer)


class Recorded:
    """One upload in the middle of its execution: its original and its row are there, and what the states of then say of it."""

    def __init__(self, gallery: Gallery, name: str) -> None:
        self.gallery, self.stage = gallery, gallery.stage
        self.upload = gallery.put(FILES[name])
        text = json.dumps(json.loads((BEFORE / "payloads.json").read_text())[name])
        first = next(iter(json.loads(text).values()))[0]["item"]
        for old, new in (
            (first["id"], self.upload.id),
            (first["version"], self.upload.location.version),
            (first["etag"], self.upload.etag),
        ):
            text = text.replace(old, new)
        self.given: dict[str, list[Any]] = json.loads(text)
        self.create()

    def create(self) -> None:
        item = from_json(next(iter(self.given.values()))[0]["item"], Item)
        assert item.id == item_id(item.bucket, item.key, item.version)
        assert self.gallery.catalog.items.create(item)

    def call(self, state: str) -> list[Any]:
        """Every call of one state's function; what it answers."""
        return [json.loads(json.dumps(self.stage.call(state, event))) for event in self.given[state]]

    def hang(self) -> None:
        """Put what the approver was shown into the work bucket."""
        for made in self.given["RequestApproval"][0]["prepared"]["renditions"]:
            body = f"{made['name']} {made['format']}".encode()
            assert hashlib.sha256(body).hexdigest() == made["sha256"]
            self.store.put(self.stage.settings.work_bucket, made["key"], body, made["content_type"])

    def asked(self) -> None:
        self.hang()
        answer = self.stage.call("RequestApproval", sqs_event(self.given["RequestApproval"]))
        assert answer == {"batchItemFailures": []}

    @property
    def store(self) -> Store:
        found: Store = self.stage.services.get(Store)
        return found


# --- the definition of then, from its beginning to its ends ---


@pytest.mark.parametrize("name", ["cat.jpg", "cat.heic", "clip.mov", "clip.mp4", "song.mp3", "programme.pdf"])
def test_an_execution_of_before_is_published(old: Gallery, name: str) -> None:
    upload = old.upload(name).approve()
    assert "Prepare" in [event["stateEnteredEventDetails"]["name"] for event in entered(old, upload)]
    assert upload.record.status == "PUBLISHED"
    assert old.site.pages() == [upload.id] and old.site.media()


def test_an_execution_of_before_is_rejected(old: Gallery) -> None:
    assert old.upload("cat.heic").reject("blurry").record.status == "REJECTED"
    assert old.site.objects() == []


def test_an_execution_of_before_expires(old: Gallery) -> None:
    old.stage.use(impatient)
    upload = old.upload("cat.heic").waiting()
    assert upload.settled().ended().status == "SUCCEEDED"
    assert upload.record.status == "EXPIRED"


def test_a_picture_of_before_that_breaks_in_the_decoder_is_quarantined_with_the_reason(old: Gallery) -> None:
    broken = bytearray((old.drawer / "dog.jpg").read_bytes())
    table = broken.index(b"\xff\xc4") + 5
    broken[table : table + 16] = b"\xff" * 16  # no Huffman table says what stands behind it
    upload = old.upload("broken.jpg", bytes(broken))
    assert upload.settled().ended().status == "SUCCEEDED"
    assert upload.record.status == "QUARANTINED" and "broken" in upload.record.reason


def test_what_the_policy_of_before_holds_is_blurred(old: Gallery) -> None:
    old.stage.eye.objects_to = [EXPLICIT]
    upload = old.upload("cat.heic").approve()
    assert upload.record.prepared is not None and upload.record.prepared.recognition.triage == "hold"
    assert [card.sensitive for card in old.catalog.albums.page("summer", 0)] == [True]


def test_a_film_of_before_joins_its_picture(old: Gallery) -> None:
    picture = old.upload("live.heic").waiting()
    film = old.upload("live.mov")
    assert film.settled().ended().status == "SUCCEEDED"
    assert (film.record.status, film.record.duplicate_of) == ("DUPLICATE", picture.id)
    assert picture.approve().record.status == "PUBLISHED"


# --- what the code of then left behind in the middle ---


@pytest.mark.parametrize("name", ["photo", "heic", "clip"])
def test_what_waits_for_approval_since_before_is_published_as_it_was_shown(gallery: Gallery, name: str) -> None:
    waits = Recorded(gallery, name)
    waits.asked()
    shown = waits.given["RequestApproval"][0]["prepared"]
    record = waits.upload.record
    assert (record.status, record.prepared and record.prepared.sha256) == ("PENDING", shown["sha256"])
    assert gallery.reviews.record(waits.upload.id, "approve", approver=APPROVER, shown=shown["sha256"]).state == "recorded"
    waits.call("Publish")
    assert waits.upload.record.status == "PUBLISHED"
    (card,) = gallery.catalog.albums.page("summer", 0)
    assert [(file.name, file.format) for file in card.files] == [(one["name"], one["format"]) for one in shown["renditions"]]
    assert card.labels == ("Cat",)
    assert [gallery.site.read(file.path) for file in card.files] == [f"{file.name} {file.format}".encode() for file in card.files]


def test_what_waits_since_before_expires(gallery: Gallery) -> None:
    waits = Recorded(gallery, "photo")
    waits.asked()
    (decision,) = waits.call("Expire")
    assert (decision["verdict"], waits.upload.record.status) == ("expired", "EXPIRED")


def test_a_film_of_before_looks_for_its_picture(gallery: Gallery) -> None:
    picture = gallery.upload("live.heic").waiting()
    film = Recorded(gallery, "film")
    media = film.given["JoinPicture"][0]["media"]
    gallery.catalog.items.mark(film.upload.id, "PROCESSING", attempt=1)
    claim(gallery, media["sha256"], film.upload.id)
    (joined,) = film.call("JoinPicture")
    assert joined == {"outcome": "joined", "looks": 1, "seconds": 0, "picture": picture.id}
    found = picture.record.film
    assert found is not None and [one.name for one in found.renditions] == ["live", "motion"]


@pytest.mark.parametrize("name", ["photo", "heic"])
def test_a_picture_of_before_is_told_what_its_definition_selects(gallery: Gallery, name: str) -> None:
    upload = Recorded(gallery, name)
    (made,) = upload.call("MakeThumbnails")
    selected = OLD.states["Prepare"]["ResultSelector"]
    wanted = {path.removeprefix("$[0].") for path in selected.values() if path.startswith("$[0].")}
    assert wanted == {"verdict", "reason", "renditions", "placeholder", "sha256", "phash"} and wanted <= set(made)
    assert (made["verdict"], made["renditions"][-1]["name"]) == ("accepted", "320w")
    if name == "photo":  # of the HEIC it is handed on what was made with its master
        (seen,) = upload.call("Recognize")
        assert (seen["triage"], seen["labels"][0]["name"]) == ("clear", "Cat")


def test_a_clip_of_before_is_planned_transcoded_joined_and_shown(gallery: Gallery) -> None:
    """Nothing says what its streams are, nor what its preview's hash is: each looks for itself."""
    clip = Recorded(gallery, "clip")
    (plan,) = clip.call("PlanVideo")
    assert (plan["remux"], [part["sound"] for part in plan["segments"]]) == (False, [True, False])
    made = sorted(clip.call("TranscodeSegment"), key=lambda part: part["index"])
    assert made == clip.given["JoinVideo"][0]["segments"]
    (joined,) = clip.call("JoinVideo")
    assert (joined["verdict"], joined["codecs"]) == ("accepted", ["mpeg4", "aac"])
    (made,) = clip.call("MakeThumbnails")
    preview = next(one for one in made["renditions"] if one["name"] == "preview")
    body = clip.store.read(Location(gallery.stage.settings.work_bucket, preview["key"]))
    assert (preview["sha256"], preview["bytes"]) == (hashlib.sha256(body).hexdigest(), len(body))


def test_a_clip_that_was_planned_before_its_sound_was_a_segment_keeps_its_sound(gallery: Gallery) -> None:
    today, then = Recorded(gallery, "clip"), Recorded(gallery, "clip_before_0010")
    joined = []
    for clip in (today, then):
        clip.call("TranscodeSegment")
        joined += clip.call("JoinVideo")
    assert joined[0]["master"]["sha256"] == joined[1]["master"]["sha256"], "the same picture and the same sound"


def entered(gallery: Gallery, upload: Upload) -> list[dict[str, Any]]:
    arn = gallery.stage.services.get(Machine).execution_arn(upload.record.execution)
    pages = gallery.stage.aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"] if "stateEnteredEventDetails" in event]


def claim(gallery: Gallery, sha256: str, id: str) -> None:
    pk, sk = claim_key(sha256)
    Table(gallery.stage.aws, gallery.stage.settings.catalog_table).put({"pk": pk, "sk": sk, "item": id})
