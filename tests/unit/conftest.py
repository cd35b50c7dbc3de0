"""A small world for tests of the catalog and its tasks: AWS played by moto, Step Functions by a fake that never runs anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from serial_moto import serial_dynamodb

from tasks.catalog import Catalog, Reviews
from tasks.catalog.review_table import ReviewTable
from tasks.core.aws.dynamodb import Table
from tasks.core.aws.s3 import Store
from tasks.core.aws.ses import Mailer
from tasks.core.aws.session import Aws
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.publication import PublicFile
from tasks.core.models.recognition import Label, Recognition
from tasks.core.models.renditions import Rendition, Thumbnails
from tasks.core.models.review import Decision, Prepared
from tasks.core.names import item_id, slug
from tasks.core.settings import Settings

SETTINGS = Settings(
    inbox_bucket="inbox",
    work_bucket="work",
    site_bucket="site",
    audit_bucket="audit",
    catalog_table="catalog",
    reviews_table="reviews",
    site_url_parameter="/greenroom/site-url",
    operator="operator@example.org",
    mail_from="greenroom@example.org",
    max_attempts=3,
)


class FakeMachine:
    """Step Functions as its callers see it: executions by name, started once, ended by the test."""

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.histories: dict[str, list[dict[str, Any]]] = {}
        self.answers: list[tuple[str, Any]] = []

    def execution_arn(self, name: str) -> str:
        return f"arn:aws:states:us-east-1:123456789012:execution:greenroom-ingest:{name}"

    def start(self, name: str, payload: Any) -> bool:
        if name in self.executions:
            return False
        self.executions[name] = {"executionArn": self.execution_arn(name), "name": name, "status": "RUNNING", "input": payload}
        return True

    def end(self, name: str, status: str, error: str = "", ended: str = "2026-01-01T00:00:00.000Z") -> None:
        self.executions[name] |= {"status": status, "error": error, "stopDate": ended}

    def status(self, name: str) -> str:
        return str(self.executions.get(name, {}).get("status", ""))

    def running(self) -> set[str]:
        return {name for name, each in self.executions.items() if each["status"] == "RUNNING"}

    def describe(self, arn: str) -> dict[str, Any]:
        return self.executions[arn.rsplit(":", 1)[1]]

    def history(self, arn: str) -> Iterator[dict[str, Any]]:
        return iter(self.histories[arn.rsplit(":", 1)[1]])

    def succeed(self, token: str, output: Any) -> bool:
        self.answers.append((token, output))
        return True


class RawBody:
    """The body of an answer that has none."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        return iter(())


@dataclass
class World:
    """All services over one moto account, with buckets and the table made."""

    aws: Aws
    settings: Settings = SETTINGS
    machine: FakeMachine = field(default_factory=FakeMachine)
    withheld: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = Store.open(self.aws)
        self.catalog = Catalog.open(self.aws, self.settings)
        self.reviews = Reviews.open(self.aws, self.settings)
        self.table = Table(self.aws, self.settings.catalog_table)
        self.review_table = ReviewTable.open(self.aws, self.settings)
        self.mailer = Mailer.open(self.aws)
        self.s3 = self.aws.client("s3")

    def upload(self, key: str, body: bytes = b"bytes", **metadata: str) -> dict[str, Any]:
        """Put an object into the inbox; the "Object Created" event that EventBridge delivers for it."""
        answer = self.s3.put_object(Bucket="inbox", Key=key, Body=body, Metadata=metadata)
        found = {"key": key, "size": len(body), "etag": answer["ETag"].strip('"'), "version-id": answer["VersionId"]}
        return {"detail-type": "Object Created", "detail": {"bucket": {"name": "inbox"}, "object": found}}

    def withhold(self, key: str, status: int) -> None:
        """From now on S3 answers a HEAD of this key with nothing but a number, as it does for SSE-C (400) or a KMS key (403)."""

        def answer(request: Any, **_: Any) -> AWSResponse | None:
            if not unquote(urlsplit(request.url).path).endswith(f"/{key}"):
                return None
            return AWSResponse(request.url, self.withheld[key], {}, RawBody()) if self.withheld.get(key) else None

        self.withheld[key] = status
        self.s3.meta.events.register("before-send.s3.HeadObject", answer)

    def mails(self) -> list[str]:
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.ses import ses_backends

        return [message.raw_data for message in ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages]


@pytest.fixture(scope="session")
def session() -> Any:
    """One boto3 session for all: reading the services' descriptions takes longer than the tests."""
    return Aws()._session


@pytest.fixture
def world(session: Any) -> Iterator[World]:
    with mock_aws(), serial_dynamodb():
        aws = Aws()
        aws.__dict__["_session"] = session
        _make_tables(aws.client("dynamodb"))
        for bucket in ("inbox", "work", "site", "audit"):
            aws.client("s3").create_bucket(Bucket=bucket)
        for bucket in ("inbox", "audit"):
            aws.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        aws.client("ses").verify_email_identity(EmailAddress=SETTINGS.mail_from)
        yield World(aws)


def _make_tables(client: Any) -> None:
    """As infra/templates/storage.yaml makes them."""
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    index = {
        "IndexName": "by-status",
        "KeySchema": [{"AttributeName": "gsi1pk", "KeyType": "HASH"}, {"AttributeName": "gsi1sk", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    for table, names, more in (
        ("catalog", ("pk", "sk", "gsi1pk", "gsi1sk"), {"GlobalSecondaryIndexes": [index]}),
        ("reviews", ("pk", "sk"), {}),
    ):
        attributes = [{"AttributeName": name, "AttributeType": "S"} for name in names]
        client.create_table(
            TableName=table, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=attributes, KeySchema=keys, **more
        )


def make_item(name: str = "IMG_0042.HEIC", album: str = "Summer", **more: Any) -> Item:
    """An item as ReceiveUpload makes it, without an upload behind it."""
    key = f"{album}/{name}"
    facts: dict[str, Any] = {
        "id": item_id("inbox", key, "v1"),
        "attempt": 1,
        "bucket": "inbox",
        "key": key,
        "version": "",
        "etag": "0" * 32,
        "bytes": 5,
        "album": slug(album),
        "album_title": album,
        "contributor": "Ada",
        "received_at": "2026-06-01T10:00:00Z",
    }
    return Item(**{**facts, **more})


def make_media(prepared: Prepared | None = None, **more: Any) -> Media:
    """Facts of a HEIC; with what is shown of it and was recognized there where `prepared` says so."""
    made = prepared and Thumbnails(prepared.renditions, prepared.placeholder, prepared.sha256, prepared.phash)
    facts: dict[str, Any] = {
        "verdict": "accepted",
        "kind": "image",
        "format": "heic",
        "content_type": "image/heic",
        "sha256": "a" * 64,
        "bytes": 2_300_000,
        "width": 4032,
        "height": 3024,
        "taken_at": "2024-05-01T12:00:00+02:00",
        "thumbnails": made,
        "recognition": prepared and prepared.recognition,
    }
    return Media(**{**facts, **more})


def make_prepared(
    renditions: tuple[Rendition, ...] = (), labels: tuple[str, ...] = ("Dog", "Green Grass"), **more: Any
) -> Prepared:
    found = Recognition(labels=tuple(Label(name, 91.5) for name in labels), **more)
    return Prepared("accepted", "", renditions, "data:image/webp;base64,AAAA", "s" * 64, found)


APPROVED = Decision("approve", "", "ann@example.org", "2026-06-01T11:00:00Z")
FILES = (PublicFile("320w", "media/x/1-320w.jpg", "jpeg", "image/jpeg", 320, 240, 9_000),)


@pytest.fixture
def make() -> Any:
    """Makers of facts: `make.item()`, `make.media()`, `make.prepared()`, `make.approved`, `make.files`."""

    class Make:
        item = staticmethod(make_item)
        media = staticmethod(make_media)
        prepared = staticmethod(make_prepared)
        approved = APPROVED
        files = FILES

    return Make
