"""An office for tests of the review: items wait, digests arrive in mailboxes, and browsers with cookies open links."""

from __future__ import annotations

import email
import email.policy
import json
import re
from dataclasses import replace
from email.message import EmailMessage
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from tasks.catalog.links import Links
from tasks.core.aws.stepfunctions import Machine
from tasks.core.entrypoint import Services
from tasks.core.http import http_handler
from tasks.core.json import to_json
from tasks.core.models.item import Item
from tasks.core.models.recognition import Label
from tasks.core.models.renditions import Rendition
from tasks.core.queues import queue_handler
from tasks.request_approval import request_approval
from tasks.review import review

SITE = "https://gallery.example.org"
PHONE = "Phone/1.0 (a test)"
APPROVERS = ("ann@example.org", "bob@example.org")


class Waiting:
    """Step Functions as the review sees it: tokens that somebody waits for, and executions that run or don't."""

    def __init__(self) -> None:
        self.alive: set[str] = set()
        self.answers: list[tuple[str, Any]] = []
        self.statuses: dict[str, str] = {}
        self.fault: Exception | None = None

    def succeed(self, token: str, output: Any) -> bool:
        if self.fault:
            raise self.fault
        if token not in self.alive:
            return False
        self.alive.remove(token)
        self.answers.append((token, output))
        return True

    def status(self, name: str) -> str:
        return self.statuses.get(name, "RUNNING")


class Office(Services):
    """The services of the tasks under test, over one moto account."""

    def __init__(self, world: Any, make: Any, approvers: tuple[str, ...] = APPROVERS, **settings: Any) -> None:
        super().__init__(replace(world.settings, **settings), world.aws)
        self.world = world
        self.make = make
        self.machine = Waiting()
        self._opened[Machine] = self.machine
        world.aws.client("ssm").put_parameter(Name="/greenroom/site-url", Value=SITE + "/", Type="String", Overwrite=True)
        world.catalog.approvers.begin(approvers)
        self.asking = queue_handler(request_approval, self)
        self.endpoint = http_handler(review, self)

    @property
    def links(self) -> Links:
        return self.get(Links)

    def message(self, item: Item, token: str, **more: Any) -> dict[str, Any]:
        """What AwaitApproval sends, after the renditions were put into the work bucket."""
        moderation = more.pop("moderation", ())
        kind = more.get("kind", "image")
        sha256 = more.pop("sha256", "5" * 64)
        marked = tuple(Label(name, 91.2) for name in moderation)
        made = self.make.prepared(self._renditions(item, kind), moderation=marked)
        prepared = replace(made, sha256=sha256, phash=more.pop("phash", ""))
        self.machine.alive.add(token)
        body = {"token": token, "item": to_json(item), "media": to_json(self.make.media(prepared, **more))}
        return {"messageId": f"message-{token}", "body": json.dumps(body)}

    def _renditions(self, item: Item, kind: str) -> tuple[Rendition, ...]:
        folder = f"items/{item.id}"
        if kind == "document":
            return (Rendition("file", f"{folder}/file", "pdf", "application/pdf", bytes=9),)
        found = []
        for width in (320, 1280):
            for format in ("jpeg", "webp"):
                key = f"{folder}/{width}w.{format}"
                self.world.s3.put_object(Bucket="work", Key=key, Body=photo(width, format))
                found.append(Rendition(f"{width}w", key, format, f"image/{format}", width, width * 3 // 4))
        if kind == "video":
            found.append(Rendition("video", f"{folder}/video.mp4", "mp4", "video/mp4", 1280, 720))
        return tuple(found)

    def ask(self, *names: str, token: str = "token", **more: Any) -> list[Item]:
        """Items that wait, in one batch of messages; their tokens are `<token>-<name>`."""
        items = [self.make.item(name) for name in names]
        for item in items:
            self.world.catalog.items.create(item)
        self.deliver(*(self.message(item, f"{token}-{name}", **more) for item, name in zip(items, names, strict=True)))
        return items

    def deliver(self, *messages: dict[str, Any]) -> list[str]:
        """Hand messages to RequestApproval; the ids of those that come back."""
        answer = self.asking({"Records": list(messages)}, None)
        return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]

    def mails(self, to: str = "") -> list[EmailMessage]:
        parsed = [email.message_from_string(raw, policy=email.policy.default) for raw in self.world.mails()]
        return [mail for mail in parsed if to in str(mail["To"])]

    def letter(self, to: str = "ann@example.org") -> tuple[str, str, str]:
        """(link id, secret, code) of the newest mail to somebody."""
        text = self.mails(to)[-1].get_body(("plain",)).get_content()
        link = urlsplit(re.search(r"https?://\S+/review/\S+", text)[0])
        code = re.search(r"Your code: (\d{3} \d{3})", text)
        return link.path.rsplit("/", 1)[1], link.fragment, code[1] if code else ""

    def rows(self) -> list[dict[str, Any]]:
        """Everything that the tables hold."""
        scan = self.world.aws.client("dynamodb").scan
        return [row for table in ("catalog", "reviews") for row in scan(TableName=table)["Items"]]

    def time_passes(self, pk: str, sk: str) -> None:
        """Let a link, a session, a device or a review run out."""
        assert self.world.review_table.update(pk, sk, "SET #expires = :past", "attribute_exists(#pk)", past=1_000_000)


class Browser:
    """A browser with a cookie jar at the review page."""

    def __init__(self, office: Office, address: str = "203.0.113.7") -> None:
        self.office = office
        self.address = address
        self.jar: dict[str, str] = {}
        self.nonce = ""
        self.items: dict[str, dict[str, Any]] = {}
        self.link = ""

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """One request as CloudFront and the Function URL pass it on."""
        sent = {"user-agent": PHONE, "x-greenroom-viewer": self.address, **headers}
        if method == "POST":
            sent.setdefault("origin", SITE)
        answer = self.office.endpoint(
            {
                "rawPath": path,
                "headers": sent,
                "cookies": [f"{name}={value}" for name, value in self.jar.items()],
                "requestContext": {"http": {"method": method}},
                "body": body if isinstance(body, str) else json.dumps(body),
            },
            None,
        )
        for cookie in answer["cookies"]:
            name, value = cookie.split(";")[0].split("=", 1)
            self.jar[name] = value
        return answer

    def post(self, action: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        answer = self.send("POST", f"/review/{self.link}/{action}", body, **headers)
        return answer["statusCode"], json.loads(answer["body"])

    def open(self, letter: tuple[str, str, str], code: str | None = None) -> tuple[int, dict[str, Any]]:
        """Follow a mail's link and type its code (or another)."""
        self.link, secret, right = letter
        status, answer = self.post("open", {"secret": secret, "code": right if code is None else code})
        self.nonce = answer.get("nonce", "")
        self.items = {item["id"]: item for item in answer.get("items", [])}
        return status, answer

    def decide(self, item: Item, verdict: str, reason: str = "", **more: Any) -> tuple[int, dict[str, Any]]:
        shown = self.items.get(item.id, {}).get("sha256", "")
        body = {"nonce": self.nonce, "item": item.id, "verdict": verdict, "reason": reason, "sha256": shown}
        return self.post("decide", body | more)


@cache
def photo(width: int, format: str = "jpeg") -> bytes:
    """A picture with a hard edge in its middle: half white, half black."""
    picture = Image.new("RGB", (width, width * 3 // 4), "white")
    picture.paste("black", (width // 2, 0, width, width * 3 // 4))
    out = BytesIO()
    picture.save(out, format)
    return out.getvalue()
