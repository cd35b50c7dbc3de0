"""S3 announces uploads at least once, in any order, to a function that may die anywhere: one item and one execution each."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from machines.gallery import Gallery

from tasks.core.aws.s3 import Store
from tasks.core.aws.session import Aws
from tasks.core.aws.stepfunctions import Machine
from tasks.core.errors import NotFound

NAMES = ("cat.jpg", "dog.jpg", "rose.png")


class DyingMachine(Machine):
    """Step Functions as a function sees it that dies around its call: before it is sent, or before its answer comes."""

    def __init__(self, aws: Aws, name: str, *, sent: bool) -> None:
        super().__init__(aws, name)
        self._sent = sent
        self._dies = True

    def start(self, name: str, payload: Any) -> bool:
        if not self._dies:
            return super().start(name, payload)
        self._dies = False
        if self._sent:
            super().start(name, payload)
        raise ConnectionError("the worker died")


def dying(gallery: Gallery, *, sent: bool) -> None:
    stage = gallery.stage
    stage.services._opened[Machine] = DyingMachine(stage.aws, stage.settings.machine_name, sent=sent)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_times_and_shuffled_is_still_once(gallery: Gallery, seed: int) -> None:
    uploads = [gallery.put(name) for name in NAMES]
    events = [upload for upload in uploads for _ in range(3)]
    random.Random(seed).shuffle(events)
    for start in range(0, len(events), 4):
        assert gallery.announce(*events[start : start + 4]) == []
    for upload in uploads:
        upload.approve()
    gallery.announce(*events)  # and once more when all is over

    assert gallery.executions() == sorted(f"{upload.id}-1" for upload in uploads)
    assert [upload.record.status for upload in uploads] == ["PUBLISHED"] * 3
    assert sorted(gallery.site.pages()) == sorted(upload.id for upload in uploads)
    assert [card.sequence for card in gallery.catalog.albums.page("summer", 0)] == [1, 2, 3]


def test_an_older_version_announced_late_is_an_item_of_its_own(gallery: Gallery) -> None:
    older = gallery.put("photo.jpg", (gallery.drawer / "cat.jpg").read_bytes())
    newer = gallery.put("photo.jpg", (gallery.drawer / "dog.jpg").read_bytes())
    gallery.announce(newer)
    gallery.announce(older)
    assert older.id != newer.id
    assert [older.waiting().record.version, newer.waiting().record.version] == [older.location.version, newer.location.version]


@pytest.mark.parametrize("sent", [False, True], ids=["before the start was sent", "before its answer came"])
def test_a_crash_between_item_and_execution_is_mended_by_the_next_delivery(gallery: Gallery, sent: bool) -> None:
    dying(gallery, sent=sent)
    upload = gallery.put("cat.jpg")
    assert gallery.announce(upload) == ["message-0"], "the queue must bring it again"
    assert gallery.announce(upload) == []
    assert gallery.executions() == [f"{upload.id}-1"]
    assert upload.approve().record.status == "PUBLISHED"


def test_a_crash_without_another_delivery_is_mended_by_the_sweeper(gallery: Gallery) -> None:
    dying(gallery, sent=False)
    upload = gallery.put("cat.jpg")
    gallery.announce(upload)
    gallery.stage.call("Sweep", {"grace_seconds": 0})
    assert upload.approve().record.status == "PUBLISHED"
    assert gallery.executions() == [f"{upload.id}-1"]


def test_an_upload_that_nobody_announced_is_found_by_the_sweeper(gallery: Gallery) -> None:
    upload = gallery.put("cat.jpg")
    gallery.stage.call("Sweep", {"grace_seconds": 0})
    assert upload.approve().record.status == "PUBLISHED"


def test_an_upload_that_was_deleted_before_its_event_is_no_item(gallery: Gallery) -> None:
    upload = gallery.put("cat.jpg")
    gallery.stage.aws.client("s3").delete_object(
        Bucket=upload.location.bucket, Key=upload.location.key, VersionId=upload.location.version
    )
    assert gallery.announce(upload) == []
    with pytest.raises(NotFound):
        _ = upload.record


def test_one_unreadable_event_does_not_hold_up_the_others(gallery: Gallery) -> None:
    upload = gallery.put("cat.jpg")
    records = [{"messageId": "bad", "body": '{"no": "event"}'}, {"messageId": "worse", "body": "{"}]
    good = {"messageId": "good", "body": _text(upload.announcement)}
    answer = gallery.stage.call("ReceiveUpload", {"Records": [records[0], good, records[1]]})
    assert sorted(row["itemIdentifier"] for row in answer["batchItemFailures"]) == ["bad", "worse"]
    assert upload.waiting().record.status == "PENDING"


def test_a_redelivered_approval_request_sends_no_second_mail(gallery: Gallery) -> None:
    upload = gallery.upload("cat.jpg").waiting()
    again = {"token": "another token of a retry", **_asked(gallery, upload.id)}
    gallery.stage.call("RequestApproval", {"Records": [{"messageId": "again", "body": _text(again)}]})
    assert len(gallery.mails()) == 1
    assert upload.approve().record.status == "PUBLISHED", "the token that lives is found"


def _asked(gallery: Gallery, id: str) -> dict[str, Any]:
    """What AwaitApproval told of an item, but for its token."""
    (told,) = [told for told in gallery.stage.given["Recognize"] if told["item"]["id"] == id]
    return {"item": told["item"], "media": told["media"] | {"recognition": {}}}


def _text(value: Any) -> str:
    return json.dumps(value)


def test_the_inbox_keeps_the_original_whatever_happens(gallery: Gallery) -> None:
    upload = gallery.upload("cat.jpg").reject()
    assert gallery.stage.services.get(Store).read(upload.location) == (gallery.drawer / "cat.jpg").read_bytes()
