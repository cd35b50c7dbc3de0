"""Reviews, links and approvers of a gallery from before they had a table of their own: all of it goes on working.

The rows are spelt out as the version before wrote them into the catalog's table.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from review_office import Browser, Office

from infra.deploy import reviews as moving
from tasks.catalog.approvers import Approvers, still_approves
from tasks.catalog.review_table import ReviewTable
from tasks.core.aws.dynamodb import Write
from tasks.core.errors import Stale
from tasks.core.json import to_json
from tasks.core.models.item import Item
from tasks.core.models.review import Decision, Film
from tasks.expire import ExpireRequest, expire
from tasks.publish import PublishRequest, publish
from tasks.request_approval import EVERYTHING_PENDING
from tasks.sweep import SweepRequest, sweep

SHA = "5" * 64
LATER = 4_000_000_000
LINK, SECRET, CODE = "abcdefghijklmnop", "a-secret", "123456"
COOKIE, DEVICE = "a-session", "a-device"
DECIDED = {"verdict": "approve", "reason": "", "approver": "ann@example.org", "decided_at": "2026-11-20T10:00:00Z"}


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Earlier:
    """A gallery that the version before left: one item that waits, and Ann's mail about it."""

    def __init__(self, office: Office) -> None:
        self.office, self.world = office, office.world
        self.item: Item = office.make.item("IMG_1.HEIC")
        self.world.catalog.items.create(self.item)
        self.prepared = office.make.prepared()
        told = {"media": office.make.media(), "prepared": type(self.prepared)(**{**vars(self.prepared), "sha256": SHA})}
        self.world.catalog.items.mark(self.item.id, "PENDING", attempt=1, **told)
        office.machine.alive.add("old-token")
        self.review()
        self.put(f"link#{LINK}", "link", approver="ann@example.org", items=[self.item.id], secret_sha256=hashed(SECRET))
        self.add(f"link#{LINK}", "link", code_sha256=hashed(f"{SECRET}/{CODE}"), tries=0, expires=LATER, ttl=LATER)

    def put(self, pk: str, sk: str, **more: Any) -> None:
        self.world.table.put({"pk": pk, "sk": sk, **more})

    def add(self, pk: str, sk: str, **more: Any) -> None:
        self.put(**{**self.world.table.get(pk, sk), **more})

    def review(self, **more: Any) -> None:
        asked = {"tokens": ["old-token"], "attempt": 1, "sha256": SHA, "status": "PENDING", "expires": LATER, "film": ""}
        rest = {"asked_at": "2026-11-19T10:00:00Z", "answered": False, "mailed": ["ann@example.org"]}
        self.put(f"item#{self.item.id}", "review", **{**asked, **rest, **more})

    def decided(self) -> None:
        """By the version before, with its audit row."""
        self.review(status="DECIDED", decision=DECIDED)
        audit = {"item": self.item.id, "attempt": 1, "address": "192.0.2.7", "agent": "a browser", "sha256": SHA}
        self.put(f"item#{self.item.id}", "decision#2026-11-20T10:00:00.000000Z", **audit, **DECIDED)

    def left(self) -> set[str]:
        """The sort keys of what still stands in the catalog's table and is none of its rows."""
        rows = self.world.aws.client("dynamodb").scan(TableName="catalog")["Items"]
        return {row["sk"]["S"].split("#")[0] for row in rows} - {"item", "claim"}

    def settle(self) -> int:
        """The end of a deploy."""
        return moving.move_all(self.world.review_table)

    def publish(self) -> Any:
        record = self.world.catalog.items.get(self.item.id)
        request = PublishRequest(self.item, record.media.with_prepared(record.prepared), Decision("approve"))
        world = self.world
        return publish(request, store=world.store, catalog=world.catalog, reviews=world.reviews, settings=world.settings)


@pytest.fixture
def earlier(office: Office) -> Earlier:
    return Earlier(office)


@pytest.fixture(params=["during the deploy", "after it"])
def moment(request: Any, earlier: Earlier) -> str:
    """While rows are where they were, and when all are moved."""
    if request.param == "after it":
        assert earlier.settle() == 2
        assert earlier.left() == set()
    return str(request.param)


def test_a_link_that_was_mailed_before_opens_and_decides(earlier: Earlier, ann: Browser, moment: str) -> None:
    status, _ = ann.open((LINK, SECRET, CODE))
    assert status == 200
    status, answer = ann.decide(earlier.item, "approve", sha256=SHA)
    assert (status, answer["outcome"]) == (200, "recorded")
    assert [token for token, _ in earlier.office.machine.answers] == ["old-token"]
    (record,) = earlier.world.reviews.decisions(earlier.item.id)
    assert (record.verdict, record.approver) == ("approve", "ann@example.org")
    assert earlier.publish().album == "summer"


def test_a_click_during_the_deploy_is_seen_by_the_functions_that_are_not_replaced_yet(earlier: Earlier, ann: Browser) -> None:
    """The review page is replaced minutes before Publish, Expire and ArchiveHistory, which read the catalog's table alone."""
    ann.open((LINK, SECRET, CODE))
    assert ann.decide(earlier.item, "approve", sha256=SHA)[1]["outcome"] == "recorded"
    seen = earlier.world.table.get(f"item#{earlier.item.id}", "review")
    assert (seen["status"], seen["decision"]["approver"]) == ("DECIDED", "ann@example.org")
    (audit,) = earlier.world.table.query(f"item#{earlier.item.id}", "begins_with(#sk, :start)", start="decision#")
    assert audit["approver"] == "ann@example.org"
    assert earlier.settle() == 3 and len(earlier.world.reviews.decisions(earlier.item.id)) == 1
    assert earlier.world.reviews.review(earlier.item.id).answered


def test_who_was_removed_decides_nothing_of_before(earlier: Earlier, moment: str) -> None:
    """Whatever the old list still says, and whichever table the review is in."""
    earlier.put("approvers", "ann@example.org", membership="ann@example.org", added_at="", place=0)
    check = still_approves("ann@example.org", "ann@example.org")
    earlier.world.catalog.approvers.remove("ann@example.org")
    told = {"approver": "ann@example.org", "shown": SHA, "only_if": check}
    assert earlier.world.reviews.record(earlier.item.id, "approve", **told).state == "ended"


def test_wrong_codes_of_before_count(earlier: Earlier, ann: Browser) -> None:
    earlier.add(f"link#{LINK}", "link", tries=4)
    assert ann.open((LINK, SECRET, "000000"))[1]["state"] == "locked"


def test_an_open_session_and_a_known_device_stay(earlier: Earlier) -> None:
    earlier.put(f"session#{hashed(COOKIE)}", "session", link=LINK, nonce="n", expires=LATER, ttl=LATER)
    earlier.put(f"device#{hashed(DEVICE)}", "device", approver="ann@example.org", expires=LATER, ttl=LATER)
    for move in (lambda: None, earlier.settle):
        move()
        links = earlier.office.links
        assert links.resume(LINK, COOKIE).state == "open"
        assert links.enter(LINK, SECRET, device=DEVICE).state == "open", "no code from this device"


def test_a_decision_that_nobody_was_told_is_told(earlier: Earlier, moment: str) -> None:
    world = earlier.world
    if moment == "after it":
        world.review_table.update(f"item#{earlier.item.id}", "review", "SET #status = :d, #decision = :w", d="DECIDED", w=DECIDED)
    else:
        earlier.decided()
    earlier.office.machine.running = lambda: {f"{earlier.item.id}-1"}
    services = {name: getattr(world, name) for name in ("store", "catalog", "reviews", "mailer", "settings")}
    assert sweep(SweepRequest(grace_seconds=0), machine=earlier.office.machine, **services).answered == 1
    assert earlier.office.machine.answers[0][0] == "old-token"


def test_who_only_reads_moves_nothing(earlier: Earlier) -> None:
    """Publish and ArchiveHistory may not write reviews; the version before decided, and they go on."""
    earlier.decided()
    before = earlier.world.aws.client("dynamodb").scan(TableName="reviews")["Items"]
    assert earlier.publish().album == "summer"
    (record,) = earlier.world.reviews.decisions(earlier.item.id)
    assert record.decided_at == "2026-11-20T10:00:00Z"
    assert earlier.world.aws.client("dynamodb").scan(TableName="reviews")["Items"] == before


def test_the_audit_is_one_list(earlier: Earlier) -> None:
    """One decision from before, one from now."""
    earlier.decided()
    earlier.review()  # another attempt's question, say
    earlier.world.reviews.record(earlier.item.id, "reject", approver="bob@example.org", shown=SHA)
    assert [each.verdict for each in earlier.world.reviews.decisions(earlier.item.id)] == ["approve", "reject"]
    earlier.settle()
    assert [each.verdict for each in earlier.world.reviews.decisions(earlier.item.id)] == ["approve", "reject"]


def test_a_timeout_ends_a_review_of_before(earlier: Earlier, moment: str) -> None:
    world, record = earlier.world, earlier.world.catalog.items.get(earlier.item.id)
    request = ExpireRequest(earlier.item, record.media.with_prepared(record.prepared))
    decision = expire(request, store=world.store, catalog=world.catalog, reviews=world.reviews, settings=world.settings)
    assert decision.verdict == "expired" and world.catalog.items.get(earlier.item.id).status == "EXPIRED"
    assert [each.verdict for each in world.reviews.decisions(earlier.item.id)] == ["expired"]


def test_a_redelivered_request_finds_its_review(earlier: Earlier, moment: str) -> None:
    review = earlier.world.reviews.request(earlier.item, "new-token", SHA)
    assert (review.mailed, review.expires) == (("ann@example.org",), LATER)
    earlier.world.reviews.record(earlier.item.id, "approve", approver="ann@example.org", shown=SHA)
    earlier.office.machine.alive = {"old-token"}
    assert earlier.world.reviews.tell(earlier.item.id, earlier.office.machine), "the old token is kept beside the new one"


def test_who_is_asked_later_about_a_review_of_before_is_asked_once(earlier: Earlier, moment: str) -> None:
    """Nothing but the note of the mail touches the review then."""
    for _ in range(2):
        earlier.office.deliver({"messageId": "by-hand", "body": json.dumps(EVERYTHING_PENDING)})
    assert [len(earlier.office.mails(one)) for one in ("ann@example.org", "bob@example.org")] == [0, 1]
    assert earlier.world.reviews.review(earlier.item.id).mailed == ("ann@example.org", "bob@example.org")


def test_a_film_joins_a_picture_that_was_asked_about_before(earlier: Earlier, moment: str) -> None:
    world, make = earlier.world, earlier.office.make
    world.table.put({"pk": "content#" + "a" * 64, "sk": "claim", "item": earlier.item.id})
    film = make.item("IMG_1.MOV")
    world.catalog.items.create(film)
    world.catalog.pairs.offer_picture(earlier.item, "A-PAIR")
    media = make.media(kind="video", sha256="f" * 64, pair="A-PAIR", live=True)
    assert world.catalog.pairs.join(film, media, Film(film.id, 2.0, (), "9" * 64)) == earlier.item.id
    assert world.reviews.review(earlier.item.id).film == "9" * 64


def test_what_the_version_before_changes_meanwhile_is_not_lost(earlier: Earlier, world: Any) -> None:
    """A click may come between reading a row and moving it."""

    class Meeting(ReviewTable):
        clicked = False

        def transact(self, writes: list[Write]) -> list[str]:
            if not self.clicked:
                self.clicked = True
                earlier.decided()
            return super().transact(writes)

    moving.move_all(Meeting(world.aws, "reviews", "catalog"))
    row = world.review_table.get(f"item#{earlier.item.id}", "review")
    assert row is not None and row["status"] == "DECIDED"
    assert world.table.get(f"item#{earlier.item.id}", "review") is None


@pytest.mark.parametrize("change", [{"tokens": ["old-token", "another"]}, {"film": "9" * 64}, {"mailed": []}])
def test_a_row_is_moved_as_it_was_read_or_not_at_all(earlier: Earlier, world: Any, change: dict[str, Any]) -> None:
    key = f"item#{earlier.item.id}", "review"
    old = world.table.get(*key)
    del old["film"]  # as reviews were before there were Live Photos
    world.table.put(old)
    writes = world.review_table.moving(old)
    world.table.put({**old, **change})
    assert world.review_table.transact(writes) == ["None", "ConditionalCheckFailed"]
    assert world.review_table.find(*key) == {**old, **change}
    moving.move_all(world.review_table)
    assert world.review_table.get(*key) == {**old, **change} and world.table.get(*key) is None


def test_after_the_deploy_nobody_looks_at_the_old_places(earlier: Earlier, ann: Browser) -> None:
    """Else whoever may write to the catalog could still decide: by a review, or let somebody in: by a link or an approver."""
    earlier.settle()
    forged = earlier.office.make.item("forged.jpg")
    world = earlier.world
    world.catalog.items.create(forged)
    world.catalog.items.mark(forged.id, "PENDING", attempt=1)
    row = {"tokens": [], "attempt": 1, "sha256": SHA, "status": "DECIDED", "expires": LATER, "asked_at": "", "decision": DECIDED}
    earlier.put(f"item#{forged.id}", "review", **row, answered=False, mailed=[], film="")
    earlier.put(f"item#{forged.id}", "decision#2026-11-20T10:00:00.000000Z", **DECIDED)
    earlier.put("approvers", "eve@example.org", membership="eve@example.org", added_at="", place=0)
    world.reviews = type(world.reviews).open(world.aws, world.settings)
    assert world.reviews.review(forged.id) is None and world.reviews.decisions(forged.id) == []
    assert world.reviews.request(forged, "token", SHA).status == "PENDING"
    with pytest.raises(Stale, match="nobody has decided"):
        request = PublishRequest(forged, earlier.office.make.media(earlier.prepared), Decision("approve"))
        publish(request, store=world.store, catalog=world.catalog, reviews=world.reviews, settings=world.settings)
    earlier.put("link#ponmlkjihgfedcba", "link", approver="ann@example.org", secret_sha256=hashed("x"), items=[forged.id])
    assert ann.open(("ponmlkjihgfedcba", "x", ""))[1]["state"] == "unknown"
    assert world.catalog.approvers.find("eve@example.org") is None
    assert earlier.settle() == 0, "another deploy takes nothing over either"
    assert world.reviews.review(forged.id).status == "PENDING"


def test_many_rows_are_moved_whole_and_once(earlier: Earlier) -> None:
    for number in range(130):
        earlier.put(f"item#{number:020d}", "decision#2026-11-20T10:00:00.000000Z", item=str(number), **DECIDED)
    earlier.put("label#dog", "2026#x", page="p", card="c")
    moved = earlier.settle()
    assert moved == 132 and earlier.left() == {"2026"}, "what is the catalog's stays"
    rows = earlier.world.aws.client("dynamodb").scan(TableName="reviews")["Items"]
    assert len([row for row in rows if row["sk"]["S"].startswith("decision#")]) == 130
    assert earlier.settle() == 0


def test_where_both_tables_have_a_row_the_new_one_stands(earlier: Earlier) -> None:
    table = earlier.world.review_table
    table.transact(table.moving(earlier.world.table.get(f"item#{earlier.item.id}", "review")))
    earlier.world.reviews.record(earlier.item.id, "approve", approver="ann@example.org", shown=SHA)
    earlier.review()  # by a function of the version before that was still at work
    earlier.settle()
    assert earlier.world.reviews.review(earlier.item.id).status == "DECIDED" and earlier.left() == set()


# Who decides: the list is copied before the new functions come, as the old ones go on reading theirs.


@pytest.fixture
def listed(world: Any) -> ReviewTable:
    for address, place in (("ann@example.org", 0), ("bob@example.org", 1)):
        row = {"membership": f"{address}#old", "added_at": "2026-11-20T10:00:00Z", "place": place}
        world.table.put({"pk": "approvers", "sk": address, **row})
    world.table.put({"pk": "approvers", "sk": "count", "count": 2})
    table: ReviewTable = world.review_table
    return table


def test_the_list_of_approvers_is_taken_over_with_its_memberships(world: Any, listed: ReviewTable) -> None:
    moving.copy_approvers(listed)
    assert not world.catalog.approvers.begin(["eve@example.org"]), "it has begun"
    assert [one.membership for one in world.catalog.approvers.all()] == ["ann@example.org#old", "bob@example.org#old"]
    assert Approvers(world.table).all() == world.catalog.approvers.all(), "the old functions read theirs until they are replaced"
    moving.move_all(listed)
    assert Approvers(world.table).all() == ()
    assert world.catalog.approvers.remove("ann@example.org") == "removed"
    assert world.catalog.approvers.remove("bob@example.org") == "last"


def test_who_is_removed_during_the_deploy_stays_removed(world: Any, listed: ReviewTable) -> None:
    moving.copy_approvers(listed)
    world.catalog.approvers.remove("ann@example.org")
    moving.copy_approvers(listed)
    moving.move_all(listed)
    assert [one.address for one in world.catalog.approvers.all()] == ["bob@example.org"]
    assert world.catalog.approvers.find("ann@example.org") is None


def test_a_copy_that_was_cut_off_is_made_again(world: Any, listed: ReviewTable) -> None:
    listed.put(world.table.get("approvers", "ann@example.org"))
    moving.copy_approvers(listed)
    assert len(world.catalog.approvers.all()) == 2


def test_a_new_gallery_has_nothing_to_move(world: Any) -> None:
    moving.copy_approvers(world.review_table)
    assert world.catalog.approvers.begin(["ann@example.org"])
    assert moving.move_all(world.review_table) == 0
    assert world.review_table.all_moved()
    assert to_json(world.catalog.approvers.all())[0]["address"] == "ann@example.org"
