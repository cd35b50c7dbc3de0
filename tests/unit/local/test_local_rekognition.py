"""The Rekognition stand-in, asked by boto3 as Recognize asks the real one."""

import asyncio
import contextlib
import io
import json
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

from infra import cli
from infra.local import web
from infra.local.rekognition import script
from infra.local.rekognition.models import Seen, Sight
from infra.local.rekognition.protocol import Rekognition
from infra.local.rekognition.script import NAME, Scripted


class CatModel:
    """Sees a cat in everything, and something to hold."""

    def labels(self, image):
        cat = Seen("Cat", 98.5, ("Pet", "Animal"), ((0.1, 0.2, 0.3, 0.4),))
        return Sight("toy-1", (Seen("Sofa", 40.0), cat, Seen(f"{image.width}x{image.height}", 90.0)))

    def moderation(self, image):
        return Sight("toy-1", (Seen("Smoking", 88.0, ("Drugs & Tobacco",), level=2),))


class Broken:
    def labels(self, image):
        raise ZeroDivisionError


@pytest.fixture
def rekognition():
    """Makes a boto3 client of a stand-in that sees with the given model."""
    with contextlib.ExitStack() as ends:
        yield lambda model: ends.enter_context(asked(model))


@contextlib.contextmanager
def asked(model):
    """A client whose server runs in a thread of its own: boto3 waits for its answers."""
    sock, stopped, ready = web.listen(), asyncio.Event(), threading.Event()
    loops = []

    async def answer():
        loops.append(asyncio.get_running_loop())
        server = await web.serve(Rekognition(model).handle, sock)
        ready.set()
        await stopped.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(answer(),))
    thread.start()
    ready.wait()
    config = Config(retries={"total_max_attempts": 1})
    yield boto3.client("rekognition", endpoint_url=f"http://127.0.0.1:{sock.getsockname()[1]}", config=config)
    loops[0].call_soon_threadsafe(stopped.set)
    thread.join()


def picture(width=100, height=90, format="JPEG", **options):
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, format, **options)
    return {"Bytes": out.getvalue()}


def code(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"]


def test_labels_come_in_rekognitions_shape_the_surest_first(rekognition):
    found = rekognition(CatModel()).detect_labels(Image=picture(), MinConfidence=55)
    assert [label["Name"] for label in found["Labels"]] == ["Cat", "100x90"]
    cat = found["Labels"][0]
    assert cat["Parents"] == [{"Name": "Pet"}, {"Name": "Animal"}]
    assert cat["Instances"][0]["BoundingBox"] == {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}


def test_no_more_labels_than_asked_for(rekognition):
    assert len(rekognition(CatModel()).detect_labels(Image=picture(), MaxLabels=1, MinConfidence=0)["Labels"]) == 1


def test_moderation_labels_name_their_parent_and_level(rekognition):
    found = rekognition(CatModel()).detect_moderation_labels(Image=picture(format="PNG"))["ModerationLabels"]
    assert found == [{"Name": "Smoking", "Confidence": 88.0, "ParentName": "Drugs & Tobacco", "TaxonomyLevel": 2}]


def test_a_picture_is_looked_at_upright(rekognition):
    exif = Image.Exif()
    exif[0x0112] = 6
    names = [label["Name"] for label in rekognition(CatModel()).detect_labels(Image=picture(exif=exif))["Labels"]]
    assert "90x100" in names


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"Bytes": b"no picture at all"}, "InvalidImageFormatException"),
        (picture(format="WEBP"), "InvalidImageFormatException"),
        ({"Bytes": picture()["Bytes"][:300]}, "InvalidImageFormatException"),
        (picture(79, 200), "InvalidParameterException"),
        ({"Bytes": b"\xff" * (5 * 1024 * 1024 + 1)}, "ImageTooLargeException"),
        ({"Bytes": b"\xff" * (7 * 1024 * 1024)}, "ImageTooLargeException"),
        ({"S3Object": {"Bucket": "some-bucket", "Name": "key"}}, "InvalidParameterException"),
    ],
)
def test_what_rekognition_refuses_is_refused_by_its_name(rekognition, image, expected):
    assert code(rekognition(CatModel()).detect_labels, Image=image) == expected


def test_an_operation_that_it_does_not_know(rekognition):
    assert code(rekognition(CatModel()).detect_faces, Image=picture()) == "UnknownOperationException"


def test_a_request_without_a_signature_is_denied():
    async def story():
        sock = web.listen()
        server = await web.serve(Rekognition(CatModel()).handle, sock)
        headers = [("host", "x"), ("x-amz-target", "RekognitionService.DetectLabels"), ("content-length", "2")]
        answer = await web.fetch("127.0.0.1", sock.getsockname()[1], "POST", "/", headers, b"{}")
        body = b"".join([chunk async for chunk in answer.body])
        server.close()
        return answer.status, body

    status, body = asyncio.run(story())
    assert status == 400
    assert b"AccessDeniedException" in body


def test_a_fault_inside_is_an_internal_error_not_a_broken_connection(rekognition):
    with pytest.raises(ClientError) as fault:
        rekognition(Broken()).detect_labels(Image=picture())
    assert fault.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


# Scripted answers


def drawn(path, colour, corner="white"):
    """A picture with something in its corner, saved as PNG or JPEG by its name."""
    image = Image.new("RGB", (400, 300), colour)
    image.paste(corner, (0, 0, 150, 150))
    image.save(path)
    return path


def sent(path, size=(200, 150), quality=70):
    """The picture as Recognize sends it: smaller, and encoded anew."""
    out = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").resize(size).save(out, "JPEG", quality=quality)
    return {"Bytes": out.getvalue()}


def scripted(folder, *answers):
    (folder / NAME).write_text(json.dumps(answers))
    return Scripted(folder / NAME)


BEACH = {
    "picture": "beach.png",
    "labels": [{"name": "Beach", "confidence": 97.5, "parents": ["Coast", "Nature"]}],
    "moderation": [{"name": "Exposed Buttocks or Anus", "confidence": 91, "parents": ["Explicit Nudity", "Explicit"]}],
}


def test_without_a_script_it_sees_nothing_and_says_so(rekognition, tmp_path):
    client = rekognition(Scripted(tmp_path / NAME))
    labels, marks = client.detect_labels(Image=picture()), client.detect_moderation_labels(Image=picture())
    assert (labels["Labels"], labels["LabelModelVersion"]) == ([], "none")
    assert (marks["ModerationLabels"], marks["ModerationModelVersion"]) == ([], "none")


def test_a_picture_gets_the_answer_of_the_one_that_it_looks_like(rekognition, tmp_path):
    beach, forest = drawn(tmp_path / "beach.png", "gold"), drawn(tmp_path / "forest.jpg", "darkgreen")
    client = rekognition(scripted(tmp_path, {"picture": "forest.jpg", "labels": [{"name": "Forest"}]}, BEACH))
    found = client.detect_labels(Image=sent(beach))
    assert found["LabelModelVersion"] == "scripted"
    assert [(row["Name"], row["Confidence"], [parent["Name"] for parent in row["Parents"]]) for row in found["Labels"]] == [
        ("Beach", 97.5, ["Coast", "Nature"])
    ]
    marks = client.detect_moderation_labels(Image=sent(beach))["ModerationLabels"]
    assert marks == [
        {"Name": "Exposed Buttocks or Anus", "Confidence": 91.0, "ParentName": "Explicit Nudity", "TaxonomyLevel": 3}
    ]
    assert [row["Name"] for row in client.detect_labels(Image=sent(forest))["Labels"]] == ["Forest"]
    other = drawn(tmp_path / "other.png", "gold", corner="black")
    assert client.detect_labels(Image=sent(other))["Labels"] == []


def test_a_star_answers_for_every_other_picture(rekognition, tmp_path):
    beach, other = drawn(tmp_path / "beach.png", "gold"), drawn(tmp_path / "other.png", "navy")
    client = rekognition(scripted(tmp_path, {"picture": "*", "labels": [{"name": "Thing"}]}, BEACH))
    assert [row["Name"] for row in client.detect_labels(Image=sent(other))["Labels"]] == ["Thing"]
    assert [row["Name"] for row in client.detect_labels(Image=sent(beach))["Labels"]] == ["Beach"]


def test_a_changed_script_is_in_force_at_once(rekognition, tmp_path):
    client = rekognition(scripted(tmp_path))
    assert client.detect_labels(Image=picture())["LabelModelVersion"] == "none"
    scripted(tmp_path, {"picture": "*", "labels": [{"name": "Cat", "confidence": 80}]})
    assert [row["Name"] for row in client.detect_labels(Image=picture())["Labels"]] == ["Cat"]


WRONG = [
    ("{", "is not a list of scripted answers"),
    ('[{"picture": "*", "labels": ["Cat"]}]', "labels"),
    ('[{"picture": "*", "labels": [{"name": "Cat", "confidence": 101}]}]', "<= 100"),
    ('[{"picture": "*", "moderated": []}]', "moderated"),
    ('[{"picture": "gone.jpg"}]', "gone.jpg, which rekognition.json names, cannot be opened"),
    ('[{"picture": "rekognition.json"}]', "cannot be opened as a JPEG or PNG"),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_a_script_that_cannot_be_used_is_said_by_up_before_anything_starts(tmp_path, capsys, text, expected):
    (tmp_path / NAME).write_text(text)
    assert cli.main(["up", "--detach", "--state", str(tmp_path), "--port", "1"]) == 2
    said = capsys.readouterr().err
    assert expected in said and said.count("\n") == 1


def test_a_script_that_breaks_while_the_stack_runs_is_an_error_in_words(rekognition, tmp_path):
    (tmp_path / NAME).write_text("{")
    with pytest.raises(ClientError, match="is not a list of scripted answers"):
        rekognition(Scripted(tmp_path / NAME)).detect_labels(Image=picture())


def test_up_says_what_recognizes(tmp_path):
    assert script.words(tmp_path) == "none on a laptop yet: no picture gets labels, and none is held as sensitive"
    scripted(tmp_path, {"picture": "*"})
    assert script.words(tmp_path) == f"scripted: 1 answer of {tmp_path / NAME}; nothing else is recognized"
