"""What an older Greenroom stored is read as today's, what is stored says its version, and newer values are refused in words.

The rows of before are written out by hand, as commit 9fd81cc wrote them: without a version.
"""

import json
from types import SimpleNamespace

import pytest

from tasks.catalog.links import Links
from tasks.core import versions
from tasks.core.aws.dynamodb import Write
from tasks.core.aws.stepfunctions import Machine
from tasks.core.entrypoint import Services, lambda_handler
from tasks.core.errors import Newer
from tasks.core.models.recognition import Label
from tasks.core.versions import Shape
from tasks.expire import expire

ID = "k3vqx2mta5n7wzr4jdbe"
SHA = "ec9beba52b3c408840810d75e77540147d8da90db5d11f27585a4756195d3136"
RENDITION = {
    "name": "320w",
    "key": f"items/{ID}/320w.jpg",
    "format": "jpeg",
    "content_type": "image/jpeg",
    "width": 320,
    "height": 213,
    "bytes": 3690,
    "sha256": "406fad7d477843d0" * 4,
}
MASTER = {"bucket": "work", "key": f"items/{ID}/master.jpg", "format": "jpeg", "content_type": "image/jpeg", "width": 360}
THUMBNAILS = {"verdict": "accepted", "reason": "", "renditions": [RENDITION], "placeholder": "data:,", "sha256": SHA, "phash": ""}
MEDIA = {
    "verdict": "accepted",
    "kind": "image",
    "format": "heic",
    "content_type": "image/heic",
    "sha256": "e6f0" * 16,
    "bytes": 2649,
    "width": 360,
    "height": 240,
    "taken_at": "2024-07-20T20:17:40+02:00",
    "convert": True,
    "pair": "",
    "live": False,
    "sound": False,
    "master": {**MASTER, "height": 240, "bytes": 5320, "poster_key": "", "preview_key": "", "stream": []},
    "thumbnails": THUMBNAILS,
}
RECOGNITION = {
    "labels": [{"name": "Lake", "confidence": 98.1, "parent": "Nature"}],
    "moderation": [],
    "model": "3.0",
    "triage": "clear",
}
PREPARED = {**THUMBNAILS, "recognition": RECOGNITION}
DECISION = {"verdict": "approve", "reason": "", "approver": "ann@example.org", "decided_at": "2026-06-01T11:00:00Z"}
FACTS = {
    "id": ID,
    "attempt": 1,
    "bucket": "inbox",
    "key": "Summer/8c5b315d/lake.heic",
    "version": "dd1c29d1",
    "etag": "b4920aa27dacccaa362af0a55d172a02",
    "bytes": 2649,
    "album": "summer",
    "album_title": "Summer",
    "contributor": "Ada",
    "received_at": "2026-06-01T10:00:00Z",
}
CARD = {
    "id": ID,
    "kind": "image",
    "title": "lake",
    "album": "summer",
    "album_title": "Summer",
    "sequence": 1,
    "url": f"/items/{ID}/",
    "contributor": "Ada",
    "taken_at": "",
    "published_at": "2026-06-01T11:00:02Z",
    "width": 360,
    "height": 240,
    "duration": 0.0,
    "placeholder": "data:,",
    "labels": ["Lake"],
    "files": [],
    "bytes": 2649,
    "format": "heic",
    "sensitive": False,
}
PUBLICATION = {"url": f"/items/{ID}/", "album": "summer", "sequence": 1, "page": 0, "published_at": "2026-06-01T11:00:02Z"}
ITEM_ROW = {
    **FACTS,
    "pk": f"item#{ID}",
    "sk": "item",
    "status": "PUBLISHED",
    "updated_at": "2026-06-01T11:00:02Z",
    "gsi1pk": "status#PUBLISHED",
    "gsi1sk": f"2026-06-01T10:00:00Z#{ID}",
    "reason": "",
    "media": json.dumps(MEDIA),
    "prepared": json.dumps(PREPARED),
    "decision": json.dumps(DECISION),
    "publication": json.dumps(PUBLICATION),
}
ALBUM_ROW = {"pk": "albums", "sk": "summer", "title": "Summer", "count": 1, "updated_at": "2026-06-01T11:00:02Z"}
REVIEW_ROW = {
    "pk": f"item#{ID}",
    "sk": "review",
    "tokens": ["token-of-then"],
    "attempt": 1,
    "sha256": SHA,
    "status": "PENDING",
    "expires": 4_000_000_000,
    "asked_at": "2026-06-01T10:00:20Z",
    "answered": False,
    "mailed": ["ann@example.org"],
    "film": "",
}
OLD = [
    ITEM_ROW,
    REVIEW_ROW,
    {**ALBUM_ROW, "cover": json.dumps(CARD)},
    {"pk": "album#summer#000000", "sk": "000000001", "item": ID, "card": json.dumps(CARD)},
    {"pk": "label#lake", "sk": f"2026-06-01T11:00:02Z#{ID}", "page": "album#summer#000000", "card": "000000001"},
    {"pk": f"content#{'e6f0' * 16}", "sk": "claim", "item": ID},
    {"pk": f"item#{ID}", "sk": "execution#000001", "archive": f"executions/2026/06/01/{ID}-1.json"},
    {
        "pk": f"item#{ID}",
        "sk": "decision#2026-06-01T11:00:00.123456Z",
        "item": ID,
        "attempt": 1,
        **DECISION,
        "address": "192.0.2.1",
        "agent": "Phone/1.0",
        "sha256": SHA,
    },
]


def store(world, *rows):
    """Put rows as they are, past everything that would add a version."""
    from tasks.core.aws.attributes import pack_row

    for row in rows:
        world.table.client.put_item(TableName="catalog", Item=pack_row(row))


def stored(world, pk, sk):
    return world.table.client.get_item(TableName="catalog", Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]


@pytest.fixture
def before(world):
    """A catalog that commit 9fd81cc wrote."""
    store(world, *OLD)
    return world


# ---- Older.


def test_an_older_item_has_all_its_facts(before):
    record = before.catalog.items.get(ID)
    assert (record.status, record.item.filename, record.media.format, record.media.master.height) == (
        "PUBLISHED",
        "lake.heic",
        "heic",
        240,
    )
    assert record.prepared.recognition.labels == (Label("Lake", 98.1, "Nature"),)
    assert record.prepared.renditions[0].bytes == 3690
    assert (record.decision.approver, record.publication.sequence, record.shown_digest) == ("ann@example.org", 1, SHA)
    assert [each.id for each in before.catalog.items.newest("PUBLISHED")] == [ID]
    assert before.catalog.items.claim_holder("e6f0" * 16) == ID
    assert before.catalog.items.archives(ID) == [f"executions/2026/06/01/{ID}-1.json"]


def test_older_pages_and_search_show_their_cards(before):
    (card,) = before.catalog.search.find("lake")
    assert (card.id, card.labels, card.published_at) == (ID, ("Lake",), "2026-06-01T11:00:02Z")
    (album,) = before.catalog.albums.all()
    assert (album.title, album.count, album.cover.title) == ("Summer", 1, "lake")


def test_an_older_review_is_decided_and_its_audit_read(before):
    assert before.reviews.record(ID, "approve", approver="bob@example.org", shown=SHA).state == "recorded"
    answered = []
    machine = SimpleNamespace(succeed=lambda token, output: answered.append(token) or True)
    assert before.reviews.tell(ID, machine) and answered == ["token-of-then"]
    first, second = before.reviews.decisions(ID)
    assert (first.approver, first.address, second.approver) == ("ann@example.org", "192.0.2.1", "bob@example.org")


def test_an_older_link_is_its_approvers_first_memberships(before):
    """Links of then named an address; the list of approvers begins with it as the name of a membership."""
    import hashlib

    def hashed(text):
        return hashlib.sha256(text.encode()).hexdigest()

    before.catalog.approvers.begin(["ann@example.org"])
    link = {"pk": "link#szSbBZ438sN7JrrQ", "sk": "link", "approver": "ann@example.org", "items": [ID], "tries": 0}
    ends = {"expires": 4_000_000_000, "ttl": 4_000_000_000}
    store(before, {**link, "secret_sha256": hashed("secret"), "code_sha256": hashed("secret/123456"), **ends})
    entry = Links.open(before.aws, before.settings).enter("szSbBZ438sN7JrrQ", "secret", "123456")
    assert (entry.state, entry.session.items) == ("open", (ID,))


def test_an_older_album_takes_a_new_card_beside_the_old_one(before, make):
    item = make.item()
    before.catalog.items.create(item)
    publication, _ = before.catalog.albums.publish(item, make.media(), make.prepared(), make.approved, make.files)
    assert publication.sequence == 2
    assert [card.sequence for card in before.catalog.albums.page("summer", 0)] == [1, 2]


# ---- What is stored says its version.


def test_rows_that_are_put_say_their_version_and_facts_their_own(world, make):
    item = make.item()
    world.catalog.items.create(item)
    world.catalog.items.mark(item.id, "PENDING", attempt=1, media=make.media(), prepared=make.prepared())
    row = stored(world, f"item#{item.id}", "item")
    assert row["v"] == {"N": "1"}
    assert json.loads(row["media"]["S"])["v"] == 1
    assert json.loads(row["prepared"]["S"])["v"] == 1


def test_a_row_that_is_put_as_it_was_read_keeps_its_version(world):
    store(world, {"pk": "a", "sk": "b", "v": 0})
    row = world.table.get("a", "b")
    world.table.transact([Write({**row, "sk": "c"})])
    assert stored(world, "a", "c")["v"] == {"N": "0"}


class Recorder:
    """Step Functions' client, that keeps what executions are started with."""

    def __init__(self):
        self.inputs = []

    def client(self, name):
        return self

    @property
    def meta(self):
        return type("Meta", (), {"region_name": "eu-west-1"})

    def get_caller_identity(self):
        return {"Arn": "arn:aws:iam::123456789012:user/ada", "Account": "123456789012"}

    def start_execution(self, *, stateMachineArn, name, input):
        self.inputs.append(json.loads(input))


def test_an_executions_input_says_its_version_in_what_every_state_passes_on():
    aws = Recorder()
    Machine(aws, "greenroom-ingest").start(f"{ID}-1", {"item": FACTS})
    assert aws.inputs == [{"item": {**FACTS, "v": 1}}]


# ---- Newer.


def test_a_newer_row_is_refused_in_words(before):
    store(before, {**ITEM_ROW, "v": 2})
    for read in (
        lambda: before.catalog.items.get(ID),
        lambda: list(before.catalog.items.newest()),
        lambda: before.catalog.items.known([ID]),
    ):
        with pytest.raises(Newer, match=r"a row of the catalog is of version 2, .* up to 1: a newer Greenroom made it; update"):
            read()


def test_a_newer_fact_in_an_older_row_is_refused(before):
    store(before, {**ITEM_ROW, "media": json.dumps({**MEDIA, "v": 7})})
    with pytest.raises(Newer, match="a fact in the catalog is of version 7"):
        before.catalog.items.get(ID)


@pytest.fixture
def expiring(before):
    services = Services(before.settings, before.aws)
    return lambda event: lambda_handler(expire, services)(event, None)


def test_a_task_is_given_an_older_payload_as_todays(expiring):
    """Expire closes a review that nobody decided; the payload is that of an execution that began before there were versions."""
    answer = expiring({"item": {**FACTS, "attempt": 2}, "media": MEDIA, "prepared": PREPARED})
    assert answer["verdict"] == "expired"


def test_a_task_refuses_a_newer_payload_in_words(expiring, before):
    with pytest.raises(Newer, match="what an execution passes on is of version 9"):
        expiring({"item": {**FACTS, "v": 9}, "media": MEDIA, "prepared": PREPARED})
    assert before.reviews.review(ID).status == "PENDING"


def test_an_archived_record_says_its_version_and_a_newer_one_is_refused():
    assert versions.record({"schema": "greenroom/execution/1", "item": ID}) == {"schema": "greenroom/execution/1", "item": ID}
    with pytest.raises(Newer, match="the record of an execution is of version 2"):
        versions.record({"schema": "greenroom/execution/2", "item": ID})


# ---- Steps.


def renamed(values):
    return {"colour" if name == "color" else name: value for name, value in values.items()}


def doubled(values):
    return {**values, "width": values["width"] * 2}


def test_an_older_value_takes_every_step_that_was_added_since():
    shape = Shape("a thing", (renamed, doubled))
    assert shape.stamped({"colour": "red", "width": 4}) == {"v": 3, "colour": "red", "width": 4}
    assert shape.read({"color": "red", "width": 2}) == {"colour": "red", "width": 4}
    assert shape.read({"v": 2, "colour": "red", "width": 2}) == {"colour": "red", "width": 4}
    assert shape.read({"v": 3, "colour": "red", "width": 4}) == {"colour": "red", "width": 4}
    with pytest.raises(Newer, match="a thing is of version 4, and this Greenroom knows versions up to 3"):
        shape.read({"v": 4})


def test_an_older_payload_takes_the_steps_of_executions(monkeypatch):
    def moved(payload):
        return {"item": payload["item"], "media": {**payload["media"], "thumbnails": payload["prepared"]}}

    monkeypatch.setattr(versions, "EXECUTION", Shape("what an execution passes on", (moved,)))
    old = {"item": {"id": ID}, "media": {"kind": "image"}, "prepared": {"sha256": SHA}}
    assert versions.payload(old) == {"item": {"id": ID}, "media": {"kind": "image", "thumbnails": {"sha256": SHA}}}
    new = versions.begun({"item": {"id": ID}})
    assert new == {"item": {"id": ID, "v": 2}}
    assert versions.payload(new) == {"item": {"id": ID}}
