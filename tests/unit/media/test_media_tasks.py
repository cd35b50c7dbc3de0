"""The media tasks on S3 (moto), with a catalog and an eye that only remember: files in, keys and facts out."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from media_samples import CANARY, corners, private_exif, quadrants
from PIL import Image
from task_bench import SETTINGS, Ledger, thumbnailed, thumbnails, validated

from tasks.convert_image import ConvertImageRequest, convert_image
from tasks.core.aws.s3 import Store
from tasks.core.models.digests import renditions_digest
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.core.models.media import Master, Media
from tasks.core.models.recognition import Label
from tasks.draw_waveform import AS_IT_CAME, DrawWaveformRequest, draw_waveform
from tasks.recognize import RecognizeRequest, recognize
from tasks.validate_media import ValidateMediaRequest, validate_media


class OneEye:
    """Sees a cat in everything, and whatever is to be marked."""

    def __init__(self, *marks: str) -> None:
        self.marks = marks
        self.seen: list[bytes] = []

    def labels(self, image: bytes, confidence: int) -> dict[str, Any]:
        self.seen.append(image)
        cat = {"Name": "Cat", "Confidence": 97.345, "Parents": [{"Name": "Animal"}], "Instances": []}
        return {"Labels": [cat, {"Name": "Grass", "Confidence": 61.0}], "LabelModelVersion": "3.0"}

    def moderation(self, image: bytes, confidence: int) -> dict[str, Any]:
        rows = [{"Name": name, "ParentName": "", "Confidence": 88.0} for name in self.marks]
        return {"ModerationLabels": rows, "ModerationModelVersion": "7.0"}


def _written(picture: Image.Image, format: str, **options: Any) -> bytes:
    body = io.BytesIO()
    if format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    picture.save(body, format=format, **options)
    return body.getvalue()


def test_a_photo_is_its_own_master_and_the_catalog_is_told(store: Store, dropped: Callable[[str, bytes], Item]) -> None:
    body = _written(quadrants(), "JPEG", exif=private_exif())
    item, ledger = dropped("cat.jpg", body), Ledger()
    media = validate_media(ValidateMediaRequest(item), store=store, catalog=ledger, settings=SETTINGS)
    assert (media.verdict, media.format, media.sha256) == ("accepted", "jpeg", hashlib.sha256(body).hexdigest())
    assert media.master == Master(
        *("inbox", "Summer/cat.jpg", item.version, "jpeg", "image/jpeg"), 96, 64, len(body), media.sha256
    )
    assert ledger.marks == [(item.id, "PROCESSING", 1, media)]


@pytest.mark.parametrize(("keep", "places"), [("no", []), ("yes", ["48.137222,11.575278"])])
def test_where_it_was_goes_into_the_catalog_alone_and_only_if_asked(
    store: Store, dropped: Callable[[str, bytes], Item], keep: str, places: list[str]
) -> None:
    item, ledger = dropped("cat.jpg", _written(quadrants(), "JPEG", exif=private_exif())), Ledger()
    settings = replace(SETTINGS, keep_gps=keep)
    media = validate_media(ValidateMediaRequest(item), store=store, catalog=ledger, settings=settings)
    assert list(ledger.places.values()) == places
    assert "48.13" not in str(media) and "48.13" not in str(ledger.marks)


@pytest.mark.parametrize(("keep", "places"), [("no", []), ("yes", ["48.137192,11.575485"])])
def test_where_a_video_was_filmed_goes_there_alone_too(
    store: Store, dropped: Callable[[str, bytes], Item], ffmpeg: Callable[..., None], tmp_path: Path, keep: str, places: list[str]
) -> None:
    scene = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=10:d=1", "-c:v", "mpeg4")
    ffmpeg(*scene, "-metadata", "location=+48.1372+011.5755/", tmp_path / "a.3gp")
    item, ledger = dropped("a.3gp", (tmp_path / "a.3gp").read_bytes()), Ledger()
    settings = replace(SETTINGS, keep_gps=keep)
    media = validate_media(ValidateMediaRequest(item), store=store, catalog=ledger, settings=settings)
    assert (media.verdict, media.kind) == ("accepted", "video")
    assert list(ledger.places.values()) == places
    assert "48.13" not in str(media) and "48.13" not in str(ledger.marks)


def test_a_rejection_is_a_value_with_its_reason(store: Store, dropped: Callable[[str, bytes], Item]) -> None:
    media = validated(store, dropped("cat.jpg", b"Dear diary"))
    assert (media.verdict, media.master) == ("rejected", None)
    assert media.reason.startswith("is named .jpg but holds text")
    assert media.sha256 == hashlib.sha256(b"Dear diary").hexdigest()


def test_what_is_too_large_is_not_downloaded(dropped: Callable[[str, bytes], Item], store: Store) -> None:
    class Careful(Store):
        def download(self, location: Location, path: Path) -> str:
            raise AssertionError("downloaded")

    item = dropped("cat.jpg", bytes(2000))
    media = validated(Careful(store._aws), item, replace(SETTINGS, max_image_bytes=1000))
    assert (media.verdict, media.reason) == ("rejected", "too large: 2 kB, the limit is 1 kB")


def test_a_phones_picture_goes_all_the_way(store: Store, dropped: Callable[[str, bytes], Item]) -> None:
    exif = private_exif(6).tobytes()
    item = dropped("IMG_1.HEIC", _written(quadrants().transpose(Image.Transpose.ROTATE_90), "HEIF", exif=exif))
    media = validated(store, item)
    assert (media.convert, media.master, media.width, media.height) == (True, None, 96, 64)
    media = convert_image(ConvertImageRequest(item, media), store=store, settings=SETTINGS)
    assert media.master is not None and media.master.key == f"items/{item.id}/master.jpg"
    made = media.thumbnails
    assert made is not None
    assert len(made.phash) == 16
    assert [(row.name, row.format, row.key) for row in made.renditions] == [
        ("320w", "webp", f"items/{item.id}/320w.webp"),
        ("320w", "jpeg", f"items/{item.id}/320w.jpg"),
    ]
    for row in made.renditions:
        body = store.read(Location("work", row.key))
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (row.sha256, row.bytes)
        assert corners(Image.open(io.BytesIO(body))) == "RGBW"
        assert CANARY.encode() not in body
    assert made.sha256 == renditions_digest(reversed(made.renditions))


def test_the_decision_is_bound_to_the_sha256_of_every_byte_that_is_shown(
    store: Store, dropped: Callable[[str, bytes], Item]
) -> None:
    item = dropped("cat.png", _written(quadrants(), "PNG"))
    media = validated(store, item)
    made = thumbnails(store, item, media)
    assert thumbnails(store, item, media).sha256 == made.sha256
    other = replace(made.renditions[0], sha256="0" * 64)
    assert renditions_digest((other, *made.renditions[1:])) != made.sha256


def test_a_picture_that_breaks_later_is_rejected_later(store: Store, dropped: Callable[[str, bytes], Item]) -> None:
    item = dropped("cat.jpg", b"\xff\xd8\xff no picture")
    media = Media("accepted", kind="image", format="jpeg", convert=True, master=Master("inbox", item.key, item.version, "jpeg"))
    converted = convert_image(ConvertImageRequest(item, media), store=store, settings=SETTINGS)
    made = thumbnailed(store, item, media)
    assert (converted.verdict, made.verdict, made.thumbnails) == ("rejected", "rejected", None)
    assert "broken" in converted.reason and "broken" in made.reason


@pytest.mark.parametrize("ending", ["jpg", "gif"])
def test_a_picture_broken_behind_its_header_does_not_survive_the_one_decoding(
    store: Store, dropped: Callable[[str, bytes], Item], ending: str
) -> None:
    scene = Image.effect_mandelbrot((640, 480), (-2.2, -1.2, 0.8, 1.2), 60).convert("RGB")
    body = bytearray(_written(scene, {"jpg": "JPEG", "gif": "GIF"}[ending]))
    if ending == "jpg":  # its end is there, but no Huffman table says what stands before it
        table = body.index(b"\xff\xc4") + 5
        body[table : table + 16] = b"\xff" * 16
    else:
        del body[len(body) // 2 :]
    item = dropped(f"cat.{ending}", bytes(body))
    media = validated(store, item)
    assert (media.verdict, media.width) == ("accepted", 640)
    made = thumbnailed(store, item, media)
    assert (made.verdict, made.thumbnails) == ("rejected", None)
    assert "cut off" in made.reason or "broken" in made.reason


def test_recognition_sees_what_was_made_with_the_master(store: Store, dropped: Callable[[str, bytes], Item]) -> None:
    item, eye = dropped("a.heic", _written(quadrants(1500, 1000), "HEIF")), OneEye()
    media = convert_image(ConvertImageRequest(item, validated(store, item)), store=store, settings=SETTINGS)
    recognize(RecognizeRequest(item, media), store=store, eye=eye, settings=SETTINGS)
    assert eye.seen == [store.read(Location("work", f"items/{item.id}/1280w.jpg"))]


def test_a_document_is_copied_from_its_pinned_version_as_an_attachment(
    store: Store, dropped: Callable[[str, bytes], Item]
) -> None:
    item = dropped("plan.pdf", b"%PDF-1.7 the plan")
    media = validated(store, item)
    made = thumbnails(store, item, media)
    (row,) = made.renditions
    assert (row.name, row.format, row.content_type, row.bytes) == ("file", "pdf", "application/pdf", len(b"%PDF-1.7 the plan"))
    kept = boto3.client("s3").get_object(Bucket="work", Key=row.key)
    assert kept["Body"].read() == b"%PDF-1.7 the plan"
    assert (kept["ContentType"], kept["ContentDisposition"]) == ("application/pdf", "attachment")


class WorkOnly(Store):
    """A bucket of originals that nobody may read any more."""

    def download(self, location: Location, path: Path) -> str:
        assert location.bucket == "work", "the original was fetched again"
        return super().download(location, path)


def test_recognition_sees_a_small_upright_rendition_of_a_photo(store: Store, dropped: Callable[[str, bytes], Item]) -> None:
    item, eye = dropped("a.jpg", _on_its_side(2400, 1600)), OneEye()
    media = thumbnailed(store, item, validated(store, item))
    recognize(RecognizeRequest(item, media), store=WorkOnly(store._aws), eye=eye, settings=SETTINGS)
    assert eye.seen == [store.read(Location("work", f"items/{item.id}/1280w.jpg"))]
    assert corners(Image.open(io.BytesIO(eye.seen[0]))) == "RGBW"


def _on_its_side(width: int, height: int) -> bytes:
    turned = Image.Exif()
    turned[0x0112] = 6
    return _written(quadrants(width, height).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=turned)


def test_recognition_before_anything_was_made_sees_a_small_upright_still(
    store: Store, dropped: Callable[[str, bytes], Item]
) -> None:
    """In an execution that began before decision 0018 it runs beside MakeThumbnails."""
    item, eye = dropped("a.jpg", _on_its_side(2400, 1600)), OneEye()
    request = RecognizeRequest(item, validated(store, item))
    seen = recognize(request, store=store, eye=eye, settings=SETTINGS)
    assert (seen.labels, seen.model) == ((Label("Cat", 97.3, "Animal"), Label("Grass", 61.0)), "3.0")
    assert (seen.moderation, seen.triage) == ((), "clear")
    still = Image.open(io.BytesIO(eye.seen[0]))
    assert (still.format, still.size, corners(still)) == ("JPEG", (1280, 853), "RGBW")


@pytest.mark.parametrize("size", [(16, 12), (3000, 40), (1, 1)])
def test_a_picture_too_small_for_rekognition_gets_a_margin(
    store: Store, dropped: Callable[[str, bytes], Item], size: tuple[int, int]
) -> None:
    item, eye = dropped("a.png", _written(quadrants(*size), "PNG")), OneEye()
    media = thumbnailed(store, item, validated(store, item))
    recognize(RecognizeRequest(item, media), store=WorkOnly(store._aws), eye=eye, settings=SETTINGS)
    picture = Image.open(io.BytesIO(eye.seen[0]))
    assert (picture.format, min(picture.size)) == ("JPEG", 80)


@pytest.mark.parametrize(("policy", "triage"), [("hold", "hold"), ("reject", "reject")])
def test_what_is_marked_is_for_the_operators_policy(
    store: Store, dropped: Callable[[str, bytes], Item], policy: str, triage: str
) -> None:
    item = dropped("a.jpg", _written(quadrants(), "JPEG"))
    request = RecognizeRequest(item, validated(store, item))
    seen = recognize(request, store=store, eye=OneEye("Violence"), settings=replace(SETTINGS, moderation_policy=policy))
    assert (seen.moderation, seen.triage) == ((Label("Violence", 88.0),), triage)


def test_nobody_looks_at_a_document(store: Store, dropped: Callable[[str, bytes], Item]) -> None:
    item, eye = dropped("plan.pdf", b"%PDF-1.7"), OneEye("Violence")
    seen = recognize(RecognizeRequest(item, validated(store, item)), store=store, eye=eye, settings=SETTINGS)
    assert (seen.labels, seen.triage, eye.seen) == ((), "clear", [])


def test_a_recording_goes_all_the_way(
    store: Store, dropped: Callable[[str, bytes], Item], tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=3", "-metadata", f"title={CANARY}", tmp_path / "a.mp3")
    item = dropped("song.mp3", (tmp_path / "a.mp3").read_bytes())
    media = draw_waveform(DrawWaveformRequest(item, validated(store, item)), store=store, settings=SETTINGS)
    assert (media.kind, media.codecs, media.note) == ("document", ("mpeg-audio",), "")
    assert media.duration == pytest.approx(3, abs=0.1)
    made = thumbnails(store, item, media)
    assert list(dict.fromkeys(row.name for row in made.renditions)) == ["file", "1280w", "640w", "320w"]
    for row in made.renditions:
        body = store.read(Location("work", row.key))
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (row.sha256, row.bytes)
        assert CANARY.encode() not in body
    assert (made.renditions[0].content_type, len(made.sha256)) == ("audio/mpeg", 64)


def test_a_recording_that_cannot_be_read_is_a_document_like_any_other(
    store: Store, dropped: Callable[[str, bytes], Item]
) -> None:
    item = dropped("noise.flac", b"fLaC" + bytes(range(256)) * 20)
    media = draw_waveform(DrawWaveformRequest(item, validated(store, item)), store=store, settings=SETTINGS)
    assert (media.verdict, media.note) == ("accepted", AS_IT_CAME)
    made = thumbnails(store, item, media)
    assert [row.name for row in made.renditions] == ["file"]


def test_nothing_of_an_invocation_is_left_on_the_machine(
    store: Store, dropped: Callable[[str, bytes], Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    item = dropped("cat.png", _written(quadrants(), "PNG"))
    media = validated(store, item)
    thumbnailed(store, item, media)
    validated(store, dropped("b.jpg", b"\xff\xd8\xff broken"))
    assert list(tmp_path.iterdir()) == []


def test_facts_travel_as_plain_json(store: Store, dropped: Callable[[str, bytes], Item]) -> None:
    from tasks.core.json import from_json, to_json

    media = validated(store, dropped("cat.jpg", _written(quadrants(), "JPEG")))
    assert from_json(json.loads(json.dumps(to_json(media))), Media) == media


HEAVY = {"PIL", "pillow_heif", "boto3", "ffmpeg", "imageio_ffmpeg", "pymediainfo"}


@pytest.mark.parametrize(
    "task", ["make_thumbnails", "validate_media", "convert_image", "draw_waveform", "join_video", "recognize"]
)
def test_a_cold_function_loads_nothing_heavy_before_it_is_asked(task: str) -> None:
    code = f"import sys, tasks.{task}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert loaded.strip() == ""
