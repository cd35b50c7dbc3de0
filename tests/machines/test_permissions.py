"""Each role's permissions are the calls that its function makes: nothing that it needs is missing, nothing is left over.

What is missing shows in every story of this folder: on the stage a function's clients refuse what its role does not allow.
Here one season goes through every function, and what no call in it asked for is named.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contracts.templates import functions
from machines.definition import Definition
from machines.gallery import Gallery, Upload, sqs_event
from machines.stage import SETTINGS, Stage, raised, role_aws
from machines.test_live_photos import PICTURE, damaged, joined_in_the_making
from rights import Call, brief, granted, may

from tasks.core.json import to_json
from tasks.request_approval import EVERYTHING_PENDING

LINK = re.compile(r"/review/(\S+)#(\S+)")
CODE = re.compile(r"Your code: (\d{3} \d{3})")
SITE = "https://gallery.example.org"
# Granted without a call of ours in the season, and why.
BESIDES = {
    "sqs:ReceiveMessage": "Lambda's poller receives for the function",
    "sqs:DeleteMessage": "the same",
    "sqs:GetQueueAttributes": "the same",
    "s3:AbortMultipartUpload": "boto3, when a part of a file above 8 MB fails",
    "s3:ListBucket": "whoever may list hears 404, not 403, of an object that is gone",
}
# Allowed beside the right to versions, for an inbox without versions.
UNVERSIONED = {"s3:GetObject": "s3:GetObjectVersion", "s3:PutObjectTagging": "s3:PutObjectVersionTagging"}
# Proven by tests of their own: a form is signed by arithmetic; these two have more ways than a season should go.
ELSEWHERE = {"PresignUpload", "ReceiveUpload", "Sweep"}
# Executions that began before decision 0018 ask it about the upload itself; they may wait for two weeks.
BEFORE = {"Recognize": {"s3:GetObjectVersion", "s3:GetObject"}}


def http(method: str, path: str, body: Any = None, query: str = "", **cookies: str) -> dict[str, Any]:
    """A request as CloudFront and the Function URL pass it on."""
    return {
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"origin": SITE, "x-greenroom-viewer": "203.0.113.7"},
        "cookies": [f"{name}={value}" for name, value in cookies.items()],
        "requestContext": {"http": {"method": method}},
        "body": json.dumps(body),
    }


class Approver:
    """A browser at the review page, by way of the newest mail."""

    def __init__(self, gallery: Gallery) -> None:
        mail = email.message_from_string(gallery.mails()[-1], policy=email.policy.default).get_body(("plain",))
        link, code = (pattern.search(mail.get_content() if mail else "") for pattern in (LINK, CODE))
        assert link and code
        self._gallery, self._link = gallery, link[1]
        self._jar: dict[str, str] = {}
        self._opened = self._post("open", {"secret": link[2], "code": code[1]})

    def approve(self, upload: Upload) -> str:
        """The outcome."""
        (item,) = (one for one in self._opened["items"] if one["id"] == upload.id)
        said = {"nonce": self._opened["nonce"], "item": upload.id, "verdict": "approve", "sha256": item["sha256"]}
        return str(self._post("decide", said)["outcome"])

    def _post(self, action: str, body: Any) -> Any:
        answer = self._gallery.stage.call("Review", http("POST", f"/review/{self._link}/{action}", body, **self._jar))
        self._jar |= dict(cookie.split(";")[0].split("=", 1) for cookie in answer["cookies"])
        return json.loads(answer["body"])


def play(stage: Stage, gallery: Gallery) -> None:
    """A season: every kind of upload, every way out, and what happens after the end."""
    picture, film = joined_in_the_making(gallery, "broken.heic", damaged((gallery.drawer / PICTURE).read_bytes()))
    assert picture.ended().outcome == "Quarantined" and film.record.attempt == 2
    cat = gallery.upload("cat.heic").waiting()
    assert Approver(gallery).approve(cat) == "recorded"
    cat.ended()
    asked_again(stage, cat)
    for name in ("clip.mov", "clip.mp4", "programme.pdf", "song.mp3"):
        gallery.upload(name).approve()
    gallery.upload("rose.png").reject("blurry")
    assert gallery.upload("cat.heic").settled().record.status == "DUPLICATE"
    broken(stage, gallery)
    late = gallery.upload("cat.jpg", album="Late").waiting()
    approver = Approver(gallery)
    stage.call("RequestApproval", sqs_event([EVERYTHING_PENDING]))
    stage.call("MarkDuplicate", facts(late, "item", "media"))  # nobody else holds its bytes: it takes another turn
    stage.call("Expire", facts(late.waiting(), "item", "media", "prepared"))
    assert approver.approve(late) == "expired"
    stage.call("Search", http("GET", "/search", query="q=cat"))


def asked_again(stage: Stage, upload: Upload) -> None:
    """A redrive asks under another token about what is decided."""
    message = {"token": "of a redrive", **facts(upload, "item", "media", "prepared")}
    assert stage.call("RequestApproval", sqs_event([message])) == {"batchItemFailures": []}


def broken(stage: Stage, gallery: Gallery) -> None:
    """An upload that breaks when a segment of it was encoded already; a publication that fails."""
    text = gallery.put("text.jpg")
    segment = {"Bucket": stage.settings.work_bucket, "Key": f"items/{text.id}/0001/top.mp4"}
    stage.aws.client("s3").put_object(**segment, Body=b"encoded before the next one broke")
    gallery.announce(text)
    assert text.ended().outcome == "Quarantined"
    stage.break_task("Publish", *[ConnectionError("the site is away")] * 4)
    gallery.upload("dog.jpg").approve().aftermath()


def facts(upload: Upload, *names: str) -> dict[str, Any]:
    """What a state would pass of an item."""
    found: dict[str, Any] = to_json({name: getattr(upload.record, name) for name in names})
    return found


@pytest.fixture(scope="module")
def season(machines: dict[str, Definition], drawer: Path) -> dict[str, set[str]]:
    """What each function asked for in a season, as actions."""
    settings = replace(SETTINGS, segment_seconds=1, operator="")
    with raised(machines["ingest"], settings) as stage:
        play(stage, Gallery(stage, drawer))
    return {name: {brief(call) for call in role_aws(name, settings).asked} for name in functions()}


@pytest.mark.parametrize("name", sorted(functions().keys() - ELSEWHERE))
def test_a_function_has_the_iam_permissions_that_its_calls_need_and_no_other(season: dict[str, set[str]], name: str) -> None:
    assert season[name], "no call of it was seen"
    beside = BESIDES.keys() | {plain for plain, versioned in UNVERSIONED.items() if versioned in season[name]}
    unasked = granted(name) - season[name] - beside - BEFORE.get(name, set())
    assert unasked == set(), f"{name} has permissions that no call of it needs"
    assert season[name] - granted(name) == set(), f"{name} lacks permissions"


def test_the_machine_has_the_iam_permissions_that_its_states_need_and_no_other(machines: dict[str, Definition]) -> None:
    """`arn:aws:states:::dynamodb:putItem` asks for dynamodb:PutItem; delivering logs and traces is allowed beside."""
    kinds = {str(state["Resource"]) for machine in machines.values() for state in machine.tasks.values()}
    needed = set()
    for resource in kinds:
        found = re.fullmatch(r"arn:aws:states:::(dynamodb|sqs):(\w+)(\.waitForTaskToken)?", resource)
        needed.add(f"{found[1]}:{found[2][0].upper()}{found[2][1:]}" if found else "lambda:InvokeFunction")
    assert {action for action in granted("IngestRole") if not action.startswith(("logs:", "xray:"))} == needed


def test_a_permission_is_for_its_own_rows_and_objects_alone() -> None:
    """What the stage refuses: another action, another bucket, another folder, another row, the wrong index."""
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/greenroom-catalog"
    rows = {"published": frozenset({"album#summer#0"}), "secret": frozenset({"item#a"})}
    assert may("Search", Call("dynamodb:Query", table, rows["published"]), SETTINGS)
    assert not may("Search", Call("dynamodb:Query", table, rows["secret"]), SETTINGS)
    assert not may("Search", Call("dynamodb:PutItem", table, rows["published"]), SETTINGS)
    assert not may("Search", Call("dynamodb:Query", f"{table}/index/by-status", rows["published"]), SETTINGS)
    assert may("Publish", Call("s3:PutObject", "arn:aws:s3:::greenroom-site/media/a/1.jpg"), SETTINGS)
    assert not may("Publish", Call("s3:PutObject", "arn:aws:s3:::greenroom-site/index.html"), SETTINGS)
    assert not may("Publish", Call("s3:GetObject", "arn:aws:s3:::greenroom-inbox/Summer/a.jpg"), SETTINGS)


def test_a_call_without_permission_is_refused_and_told(gallery: Gallery) -> None:
    """Search looks at a review."""
    gallery.stage.services_of("Search")
    aws = role_aws("Search", gallery.stage.settings)
    key = {"pk": {"S": "item#a"}, "sk": {"S": "review"}}
    with pytest.raises(PermissionError, match="Search may not dynamodb:GetItem"):
        aws.client("dynamodb").get_item(TableName=gallery.stage.settings.catalog_table, Key=key)
    assert len(gallery.stage.denied()) == 1, "a story with this in it fails at its end"
    aws.denied.clear()
