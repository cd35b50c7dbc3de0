"""The life of uploads with the real task code, on moto's interpreter: real files in, real pages out, no mocked answer."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from machines.definition import Definition
from machines.drawer import SERIAL, picture
from machines.gallery import Gallery
from machines.stage import APPROVER, SETTINGS, raised
from PIL import Image

from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.models.location import Location
from tasks.media.transcoder import find_ffmpeg

EXPLICIT = {"Name": "Explicit Nudity", "Confidence": 97.0, "ParentName": "Explicit"}


def impatient(body: dict[str, Any]) -> None:
    """AwaitApproval waits one second, not two weeks."""
    body["States"]["AwaitApproval"]["TimeoutSeconds"] = 1


@pytest.fixture
def strict(machines: dict[str, Definition], drawer: Path) -> Iterator[Gallery]:
    """A gallery whose policy rejects what moderation marks, and which cuts videos every second."""
    with raised(machines["ingest"], replace(SETTINGS, moderation_policy="reject", segment_seconds=1)) as stage:
        yield Gallery(stage, drawer)


def published_picture(gallery: Gallery, name: str) -> Image.Image:
    key = next(key for key in gallery.site.media() if name in key and key.endswith(".jpg"))
    return Image.open(io.BytesIO(gallery.site.read(key)))


def red(image: Image.Image, x: int, y: int) -> bool:
    colours = image.convert("RGB").getpixel((x, y))
    assert isinstance(colours, tuple)
    return colours[0] - colours[1] > 80


def test_an_approved_photo_stands_in_the_gallery(gallery: Gallery) -> None:
    cat = gallery.upload("cat.jpg").approve()
    assert cat.ended().outcome == "Published"
    assert cat.record.status == "PUBLISHED"
    assert gallery.site.pages() == [cat.id]
    assert "albums/summer/index.html" in gallery.site.objects()
    assert cat.id in gallery.site.read("albums/summer/index.html").decode()


def test_a_rejected_photo_is_never_published(gallery: Gallery) -> None:
    gallery.upload("cat.heic").reject(reason="blurry")
    assert gallery.site.pages() == []
    assert gallery.site.media() == []


def test_a_rejection_says_who_and_why_and_leaves_nothing_behind(gallery: Gallery) -> None:
    cat = gallery.upload("cat.jpg").reject(reason="blurry")
    store, settings = gallery.stage.services.get(Store), gallery.stage.settings
    assert (cat.record.status, cat.record.reason) == ("REJECTED", "blurry")
    assert cat.record.decision is not None and cat.record.decision.approver == APPROVER
    assert list(store.keys(settings.work_bucket, "")) == []


def test_nothing_is_public_while_a_photo_waits(gallery: Gallery) -> None:
    cat = gallery.upload("cat.jpg").waiting()
    assert cat.record.status == "PENDING"
    assert gallery.site.pages() == [] and gallery.site.media() == []
    cat.reject()


def test_a_photo_that_was_held_sideways_is_published_upright(gallery: Gallery) -> None:
    gallery.upload("cat.jpg").approve()
    upright = published_picture(gallery, "320w")
    assert upright.height > upright.width
    assert red(upright, upright.width - 8, 8) and not red(upright, 8, 8), "the red corner belongs to the upper right"


def test_no_private_metadata_is_published(gallery: Gallery) -> None:
    gallery.upload("cat.jpg").approve()
    published = gallery.site.every_byte()
    assert SERIAL.encode() not in published and b"Exif" not in published
    original = gallery.stage.services.get(Store).read(gallery.upload("cat.jpg").location)
    assert SERIAL.encode() in original, "the canary sings in the original"


def test_a_heic_is_converted_and_published(gallery: Gallery) -> None:
    cat = gallery.upload("cat.heic").approve()
    assert "ConvertImage" in cat.ended().path
    assert published_picture(gallery, "320w").size == (320, 240)


def test_a_clip_that_browsers_play_is_only_remuxed(gallery: Gallery) -> None:
    clip = gallery.upload("clip.mp4").approve()
    assert gallery.stage.given["TranscodeSegment"] == []
    assert gallery.stage.given["JoinVideo"][0]["plan"]["remux"] is True
    assert clip.record.status == "PUBLISHED"
    assert [key for key in gallery.site.media() if key.endswith(".mp4")]


def test_an_old_ffmpeg_that_is_first_on_the_path_is_never_run(
    strict: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, old = tmp_path / "it was run", tmp_path / "ffmpeg"
    old.write_text(f'#!/bin/sh\necho "ffmpeg version 5.1.9" | tee "{found}"\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(old))
    find_ffmpeg.cache_clear()
    assert shutil.which("ffmpeg") == str(old)
    assert strict.upload("clip.mov").approve().record.status == "PUBLISHED"
    assert not found.exists()


def test_a_clip_of_another_codec_is_transcoded_in_segments_beside_its_sound(strict: Gallery) -> None:
    clip = strict.upload("clip.mov").approve()
    segments = {given["segment"]["index"]: given["segment"]["sound"] for given in strict.stage.given["TranscodeSegment"]}
    assert segments == {0: True, 1: False, 2: False}
    assert clip.record.status == "PUBLISHED"


def test_a_document_is_published_to_download_only(gallery: Gallery) -> None:
    gallery.upload("programme.pdf").approve()
    key = next(key for key in gallery.site.media() if "file" in key)
    found = gallery.stage.aws.client("s3").head_object(Bucket=gallery.stage.settings.site_bucket, Key=key)
    assert found["ContentDisposition"].startswith("attachment;")


def test_a_recording_is_published_with_its_picture_and_without_its_tags(gallery: Gallery) -> None:
    song = gallery.upload("song.mp3").approve()
    assert "DrawWaveform" in song.ended().path
    assert song.record.media is not None and song.record.media.duration == pytest.approx(2, abs=0.1)
    assert published_picture(gallery, "1280w").size == (1280, 320)
    key = next(key for key in gallery.site.media() if key.endswith("-file.mp3"))
    assert SERIAL.encode() in (gallery.drawer / "song.mp3").read_bytes()
    assert SERIAL.encode() not in gallery.site.read(key)
    page = gallery.site.read(f"items/{song.id}/index.html").decode()
    assert "<audio controls" in page and key in page


@pytest.mark.parametrize("name", ["text.jpg", "truncated.jpg", "empty.jpg"])
def test_what_is_no_photo_goes_to_quarantine_with_a_reason(gallery: Gallery, name: str) -> None:
    upload = gallery.upload(name)
    assert upload.ended().outcome == "Quarantined"
    assert upload.record.status == "QUARANTINED"
    assert len(upload.record.reason.split()) >= 3, "a contributor reads this"
    assert gallery.site.objects() == []


def test_a_sidecar_under_another_name_goes_to_quarantine_and_asks_nobody(gallery: Gallery) -> None:
    takeout = b'{"title": "cat.jpg", "photoTakenTime": {"timestamp": "1"}, "geoData": {"latitude": 48.137154}}'
    upload = gallery.upload("about the cat.txt", takeout)
    assert upload.ended().outcome == "Quarantined"
    assert upload.record.reason.startswith("a sidecar of a picture (Google Takeout)")
    assert (gallery.site.objects(), gallery.mails()) == ([], [])


def test_a_folder_as_it_is_becomes_its_pictures_and_nothing_else(gallery: Gallery) -> None:
    beside = [".DS_Store", "Thumbs.db", "cat.xmp", "cat.jpg.supplemental-metadata.json", "@eaDir/cat.jpg/SYNOFILE_THUMB_M.jpg"]
    for name in beside:
        gallery.announce(gallery.put(name, b"latitude 48.137154"))
    cat = gallery.upload("cat.jpg").approve()
    assert [record.id for record in gallery.catalog.items.newest()] == [cat.id]
    assert gallery.site.pages() == [cat.id]


def test_the_original_in_quarantine_is_tagged_for_its_end(gallery: Gallery) -> None:
    upload = gallery.upload("text.jpg")
    upload.ended()
    where = {"Bucket": upload.location.bucket, "Key": upload.location.key, "VersionId": upload.location.version}
    tags = gallery.stage.aws.client("s3").get_object_tagging(**where)["TagSet"]
    assert tags == [{"Key": "greenroom", "Value": "quarantined"}]


def test_the_same_bytes_are_published_once(gallery: Gallery) -> None:
    first = gallery.upload("cat.jpg").approve()
    second = gallery.upload("cat.jpg", album="Winter")
    assert second.ended().outcome == "Duplicate"
    assert (second.record.status, second.record.duplicate_of) == ("DUPLICATE", first.id)
    assert gallery.site.pages() == [first.id]


def test_rejected_bytes_may_be_tried_again(gallery: Gallery) -> None:
    gallery.upload("cat.jpg").reject()
    again = gallery.upload("cat.jpg", album="Winter").approve()
    assert gallery.site.pages() == [again.id]


def test_what_the_policy_rejects_asks_nobody(strict: Gallery) -> None:
    strict.stage.eye.objects_to = [EXPLICIT]
    upload = strict.upload("cat.jpg")
    assert "RejectByPolicy" in upload.ended().path
    assert upload.record.status == "REJECTED"
    assert upload.record.decision is not None and upload.record.decision.approver == "policy"


def test_what_the_policy_holds_is_blurred_and_a_person_decides(gallery: Gallery) -> None:
    gallery.stage.eye.objects_to = [EXPLICIT]
    upload = gallery.upload("cat.jpg").approve()
    assert upload.record.prepared is not None and upload.record.prepared.recognition.triage == "hold"
    assert [card.sensitive for card in gallery.catalog.albums.page("summer", 0)] == [True]


def test_silence_never_publishes(gallery: Gallery) -> None:
    gallery.stage.use(impatient)
    upload = gallery.upload("cat.jpg").waiting()
    assert upload.ended().outcome == "Expired"
    assert upload.record.status == "EXPIRED"
    assert gallery.site.objects() == []


def test_a_decision_that_was_recorded_but_never_told_still_counts(gallery: Gallery) -> None:
    """The click came in time, the process died before it told Step Functions: Expire finds the decision."""
    gallery.stage.use(impatient)
    upload = gallery.upload("cat.jpg").waiting()
    assert gallery.reviews.record(upload.id, "approve", approver=APPROVER).state == "recorded"
    assert upload.ended().path[-5:] == ("Expire", "Decided", "Publish", "RebuildIndexes", "Published")


def test_a_click_after_the_timeout_learns_that_it_is_late(gallery: Gallery) -> None:
    gallery.stage.use(impatient)
    upload = gallery.upload("cat.jpg").waiting()
    upload.ended()
    assert gallery.reviews.record(upload.id, "approve", approver=APPROVER).state == "expired"
    assert not gallery.reviews.tell(upload.id, gallery.stage.services.get(Machine))


def test_the_published_bytes_are_those_that_were_reviewed(gallery: Gallery) -> None:
    """Another upload under the same key, before the decision, is another item; the first keeps its own bytes."""
    cat = gallery.upload("cat.jpg").waiting()
    dog = gallery.upload("cat.jpg", (gallery.drawer / "dog.jpg").read_bytes()).waiting()
    cat.approve()
    assert gallery.site.pages() == [cat.id]
    assert published_picture(gallery, "320w").height > published_picture(gallery, "320w").width
    dog.reject()


def test_renditions_that_changed_after_the_mail_are_not_published(gallery: Gallery) -> None:
    cat = gallery.upload("cat.jpg").waiting()
    assert cat.record.prepared is not None
    settings, store = gallery.stage.settings, gallery.stage.services.get(Store)
    shown = cat.record.prepared.renditions[0]
    store.put(settings.work_bucket, shown.key, b"something else", shown.content_type)
    story = cat.approve().ended()
    assert (story.status, story.outcome, story.error) == ("FAILED", "Publish", "Stale")
    assert gallery.site.pages() == []


def test_a_key_of_any_shape_arrives_whole(gallery: Gallery) -> None:
    name = "a b+c%20d/🎉/../ö.jpg"
    upload = gallery.upload(name, (gallery.drawer / "dog.jpg").read_bytes())
    upload.approve()
    assert upload.record.key == f"Summer/{name}"
    assert all(".." not in key for key in gallery.site.objects())


def test_the_approvers_mail_holds_no_task_token(gallery: Gallery) -> None:
    upload = gallery.upload("cat.jpg").waiting()
    tokens, mails = upload.task_tokens(), gallery.mails()
    assert len(tokens) == 1 and len(mails) == 1
    assert tokens[0] not in mails[0]
    upload.reject()


def test_the_drawer_holds_what_the_stories_say(drawer: Path) -> None:
    assert Image.open(drawer / "cat.jpg").getexif()[0x0112] == 6
    assert picture(8, 8).getpixel((0, 0)) == (200, 30, 30)
    assert Location("b", "k").version == ""
