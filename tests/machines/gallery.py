"""The gallery as its people see it: uploads, decisions and pages, over the stage where the real tasks run.

`gallery.upload("cat.heic").reject(reason="blurry")`: files come from the drawer (or are given as bytes), arrive as S3
announces them, and a decision goes the way of every decision: recorded in the catalog, then told to Step Functions.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machines.engine import PATIENCE, Story, told
from machines.stage import APPROVER, Stage
from moto.ses.models import ses_backends

from tasks.catalog import Catalog, Reviews
from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.models.location import Location
from tasks.core.models.record import ItemRecord
from tasks.core.names import item_id


class Gallery:
    """What contributors, approvers and visitors do and see."""

    def __init__(self, stage: Stage, drawer: Path) -> None:
        self.stage = stage
        self.drawer = drawer
        self.site = Site(stage)

    @property
    def catalog(self) -> Catalog:
        found: Catalog = self.stage.services.get(Catalog)
        return found

    @property
    def reviews(self) -> Reviews:
        found: Reviews = self.stage.services.get(Reviews)
        return found

    def upload(self, name: str, data: bytes | None = None, *, album: str = "Summer", by: str = "Ben") -> Upload:
        """Put a file into the inbox and announce it once."""
        upload = self.put(name, data, album=album, by=by)
        self.announce(upload)
        return upload

    def put(self, name: str, data: bytes | None = None, *, album: str = "Summer", by: str = "Ben") -> Upload:
        """Put a file into the inbox; nobody hears of it."""
        content = (self.drawer / name).read_bytes() if data is None else data
        bucket, key = self.stage.settings.inbox_bucket, f"{album}/{name}"
        stored = self.stage.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=content, Metadata={"contributor": by})
        location = Location(bucket, key, stored["VersionId"])
        return Upload(self, item_id(location.bucket, location.key, location.version), location, stored["ETag"].strip('"'))

    def announce(self, *uploads: Upload) -> list[str]:
        """S3's events in one batch of the arrivals queue; returns the messages that are to come again."""
        answer = self.stage.call("ReceiveUpload", sqs_event([upload.announcement for upload in uploads]))
        return [row["itemIdentifier"] for row in answer["batchItemFailures"]]

    def deliver_approvals(self) -> int:
        """Hand what waits in the approvals queue to RequestApproval, as Lambda's poller does; how many were handed over."""
        sqs = self.stage.aws.client("sqs")
        found = sqs.receive_message(QueueUrl=self.stage.queue, MaxNumberOfMessages=10).get("Messages", [])
        if found:
            answer = self.stage.call("RequestApproval", sqs_event([json.loads(message["Body"]) for message in found]))
            assert answer == {"batchItemFailures": []}, answer
        for message in found:
            sqs.delete_message(QueueUrl=self.stage.queue, ReceiptHandle=message["ReceiptHandle"])
        return len(found)

    def mails(self) -> list[str]:
        """Every mail that SES took, as it went out."""
        account = ses_backends["123456789012"]["us-east-1"]
        return [message.raw_data for message in account.sent_messages]

    def executions(self) -> list[str]:
        """The names of all executions ever started."""
        stepfunctions = self.stage.aws.client("stepfunctions")
        machine = self.stage.services.get(Machine).arn
        return sorted(row["name"] for row in stepfunctions.list_executions(stateMachineArn=machine)["executions"])


@dataclass(frozen=True)
class Upload:
    """One uploaded version, and what becomes of it."""

    gallery: Gallery
    id: str
    location: Location
    etag: str

    @property
    def announcement(self) -> dict[str, Any]:
        """S3's "Object Created" as EventBridge delivers it."""
        found = {
            "key": self.location.key,
            "etag": self.etag,
            "version-id": self.location.version,
            "sequencer": "0062E99A88DC407460",
        }
        return {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": self.location.bucket}, "object": found, "reason": "PutObject"},
        }

    @property
    def record(self) -> ItemRecord:
        """What the catalog says now."""
        return self.gallery.catalog.items.get(self.id)

    def waiting(self) -> Upload:
        """Go on until a person is asked; raises AssertionError when the execution ends before."""
        until = time.monotonic() + PATIENCE
        while not self._asked():
            self.gallery.deliver_approvals()
            assert self._status() == "RUNNING", f"nobody was asked: {self.record.status}, {self._description()}"
            assert time.monotonic() < until, f"nobody was asked within {PATIENCE} s"
            time.sleep(0.05)
        return self

    def approve(self) -> Upload:
        """A person says yes."""
        return self.decide("approve")

    def reject(self, reason: str = "") -> Upload:
        """A person says no."""
        return self.decide("reject", reason)

    def decide(self, verdict: Any, reason: str = "") -> Upload:
        self.waiting()
        reviews, machine = self.gallery.reviews, self.gallery.stage.services.get(Machine)
        assert reviews.record(self.id, verdict, reason, approver=APPROVER).state == "recorded"
        assert reviews.tell(self.id, machine)
        self.ended()
        return self

    def ended(self) -> Story:
        """Wait for the newest execution's end and tell its story."""
        machine = self.gallery.stage.services.get(Machine)
        stepfunctions = self.gallery.stage.aws.client("stepfunctions")
        return told(self.gallery.stage.definition, stepfunctions, machine.execution_arn(self.record.execution))

    def settled(self) -> Upload:
        """Go on until the newest execution has ended by itself, approval requests delivered."""
        until = time.monotonic() + PATIENCE
        while self._status() == "RUNNING":
            self.gallery.deliver_approvals()
            assert time.monotonic() < until, f"{self.record.execution} still runs"
            time.sleep(0.05)
        return self

    def aftermath(self) -> None:
        """What EventBridge's rules on ended executions call: the archive always, MarkFailed after a failure."""
        machine = self.gallery.stage.services.get(Machine)
        found = machine.describe(machine.execution_arn(self.record.execution))
        times = {name: int(found[name].timestamp() * 1000) for name in ("startDate", "stopDate")}
        facts = {name: found.get(name) for name in ("executionArn", "name", "status", "error", "cause")}
        event = {"detail-type": "Step Functions Execution Status Change", "detail": facts | times}
        self.gallery.stage.call("ArchiveHistory", event)
        if found["status"] != "SUCCEEDED":
            self.gallery.stage.call("MarkFailed", event)

    def audit(self) -> dict[str, Any]:
        """The newest execution's record in the audit bucket."""
        store: Store = self.gallery.stage.services.get(Store)
        bucket = self.gallery.stage.settings.audit_bucket
        key = next(key for key in store.keys(bucket, "executions/") if key.endswith(f"/{self.record.execution}.json"))
        found: dict[str, Any] = json.loads(store.read(Location(bucket, key)))
        return found

    def task_tokens(self) -> list[str]:
        """The tokens under which Step Functions waits for this item's decision; they stand in its review row alone."""
        stage = self.gallery.stage
        key = {"pk": {"S": f"item#{self.id}"}, "sk": {"S": "review"}}
        row = stage.aws.client("dynamodb").get_item(TableName=stage.settings.reviews_table, Key=key)["Item"]
        return [token["S"] for token in row["tokens"]["L"]]

    def _asked(self) -> bool:
        review = self.gallery.reviews.review(self.id)
        return review is not None and review.attempt == self.record.attempt

    def _status(self) -> str:
        found: str = self.gallery.stage.services.get(Machine).status(self.record.execution)
        return found

    def _description(self) -> str:
        machine = self.gallery.stage.services.get(Machine)
        found = machine.describe(machine.execution_arn(self.record.execution))
        return f"{found['status']} {found.get('error', '')} {found.get('cause', '')}"


@dataclass(frozen=True)
class Site:
    """What visitors can fetch."""

    stage: Stage

    def objects(self) -> list[str]:
        """Every key of the site bucket."""
        store: Store = self.stage.services.get(Store)
        return sorted(store.keys(self.stage.settings.site_bucket, ""))

    def pages(self) -> list[str]:
        """The items that have a page, by id."""
        return [key.split("/")[1] for key in self.objects() if key.startswith("items/") and key.endswith("/index.html")]

    def media(self) -> list[str]:
        return [key for key in self.objects() if key.startswith("media/")]

    def read(self, key: str) -> bytes:
        store: Store = self.stage.services.get(Store)
        return store.read(Location(self.stage.settings.site_bucket, key))

    def every_byte(self) -> bytes:
        return b"\n".join(self.read(key) for key in self.objects())


def sqs_event(bodies: list[Any]) -> dict[str, Any]:
    """A batch as Lambda hands it to a queue's consumer."""
    return {"Records": [{"messageId": f"message-{number}", "body": json.dumps(body)} for number, body in enumerate(bodies)]}
