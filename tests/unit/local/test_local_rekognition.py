"""The Rekognition stand-in, asked by boto3 as Recognize asks the real one."""

import asyncio
import contextlib
import io
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

from infra.local import web
from infra.local.rekognition.detector import Detector
from infra.local.rekognition.models import NoModel, Seen, Sight
from infra.local.rekognition.protocol import Rekognition


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


def test_without_a_model_it_sees_nothing_and_says_so(rekognition):
    client = rekognition(NoModel())
    labels, marks = client.detect_labels(Image=picture()), client.detect_moderation_labels(Image=picture())
    assert (labels["Labels"], labels["LabelModelVersion"]) == ([], "none-installed")
    assert (marks["ModerationLabels"], marks["ModerationModelVersion"]) == ([], "none-installed")


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
    assert code(rekognition(NoModel()).detect_labels, Image=image) == expected


def test_an_operation_that_it_does_not_know(rekognition):
    assert code(rekognition(NoModel()).detect_faces, Image=picture()) == "UnknownOperationException"


def test_a_request_without_a_signature_is_denied():
    async def story():
        sock = web.listen()
        server = await web.serve(Rekognition(NoModel()).handle, sock)
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


class FakeDetector:
    """Answers as nudenet does: classes, scores from 0 to 1, boxes in pixels."""

    def __init__(self, *found):
        self.found = [{"class": name, "score": score, "box": [10, 9, 50, 45]} for name, score in found]

    def detect(self, pixels):
        assert pixels.shape == (90, 100, 3)
        assert list(pixels[0][0]) == [128, 128, 0]  # teal is (0, 128, 128) in RGB
        return self.found


def test_faces_are_told_as_persons_with_their_boxes(rekognition):
    client = rekognition(Detector(FakeDetector(("FACE_MALE", 0.8), ("FACE_FEMALE", 0.9), ("FEET_COVERED", 0.99)), "toy"))
    found = client.detect_labels(Image=picture(100, 90, "PNG"))
    assert [(label["Name"], round(label["Confidence"])) for label in found["Labels"]] == [("Face", 90), ("Person", 90)]
    boxes = [instance["BoundingBox"] for instance in found["Labels"][0]["Instances"]]
    assert boxes == [{"Left": 0.1, "Top": 0.1, "Width": 0.5, "Height": 0.5}] * 2


def test_bare_skin_is_told_in_rekognitions_taxonomy(rekognition):
    client = rekognition(Detector(FakeDetector(("BUTTOCKS_EXPOSED", 0.7), ("ANUS_EXPOSED", 0.9), ("BELLY_EXPOSED", 0.99)), "toy"))
    found = client.detect_moderation_labels(Image=picture(100, 90, "PNG"))["ModerationLabels"]
    assert {(mark["Name"], mark["ParentName"], mark["TaxonomyLevel"], round(mark["Confidence"])) for mark in found} == {
        ("Exposed Buttocks or Anus", "Explicit Nudity", 3, 90),
        ("Explicit Nudity", "Explicit", 2, 90),
        ("Explicit", "", 1, 90),
    }
