"""Who is removed decides no more, from that moment on; who is added is asked about what waits already."""

from __future__ import annotations

import json
from typing import Any

import pytest
from review_office import Browser, Office

from tasks.catalog import Reviews
from tasks.catalog.approvers import Approvers
from tasks.catalog.links import Links
from tasks.catalog.review_table import ReviewTable
from tasks.core.aws.dynamodb import Write
from tasks.core.aws.ses import Mailer
from tasks.core.http import ON_THE_WIRE
from tasks.request_approval import EVERYTHING_PENDING

FORBIDDEN = ON_THE_WIRE[403]
ANN, BOB, EVE = "ann@example.org", "bob@example.org", "eve@example.org"


@pytest.fixture
def approvers(office: Office) -> Approvers:
    return office.world.catalog.approvers


def ask_everybody(office: Office) -> list[str]:
    """What `greenroom approvers` sends; the ids of messages that could not be mailed to everybody."""
    return office.deliver({"messageId": "by-hand", "body": json.dumps(EVERYTHING_PENDING)})


def test_a_removed_approver_s_open_page_decides_nothing(office: Office, approvers: Approvers, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    approvers.remove(ANN)

    status, answer = ann.decide(item, "approve")

    assert (status, answer["state"]) == (FORBIDDEN, "removed")
    assert "no longer decide" in answer["error"] and "nothing was recorded" in answer["error"]
    assert set(answer) == {"error", "state"}
    assert office.machine.answers == [] and office.world.reviews.decisions(item.id) == []
    assert ann.post("open", {})[1]["state"] == "removed"


def test_a_removed_approver_s_link_opens_nothing_whatever_they_know(office: Office, approvers: Approvers, ann: Browser) -> None:
    office.ask("IMG_1.HEIC")
    letter = office.letter()
    approvers.remove(ANN)
    before = office.rows()

    for code in (None, "", "000000"):
        status, answer = ann.open(letter, code=code)
        assert (status, answer["state"]) == (FORBIDDEN, "removed")
        assert "items" not in answer and "nonce" not in answer
    assert ann.jar == {} and office.rows() == before


def test_only_who_has_the_secret_learns_of_the_removal(office: Office, approvers: Approvers, ann: Browser) -> None:
    office.ask("IMG_1.HEIC")
    link, secret, code = office.letter()
    approvers.remove(ANN)
    assert ann.open((link, "guess", code)) == ann.open(("A" * 16, secret, code))
    assert ann.open((link, "guess", code))[1]["state"] == "unknown"
    assert ann.send("GET", f"/review/{link}") == ann.send("GET", f"/review/{'A' * 16}")


def test_a_removal_between_the_look_and_the_write_wins(office: Office, approvers: Approvers, ann: Browser) -> None:
    """The session was good when it was read: the transaction itself must ask."""

    class Meeting(ReviewTable):
        meanwhile: Any = None

        def transact(self, writes: list[Write]) -> list[str]:
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile:
                meanwhile()
            return super().transact(writes)

    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    table = Meeting(office.world.aws, "reviews", "catalog")
    office._opened[Reviews] = Reviews(table, office.world.catalog.items, 3600)
    table.meanwhile = lambda: approvers.remove(ANN)

    status, answer = ann.decide(item, "approve")

    assert (status, answer["state"]) == (FORBIDDEN, "removed")
    assert office.machine.answers == [] and office.world.reviews.decisions(item.id) == []
    assert office.world.reviews.review(item.id).status == "PENDING"


def test_a_removal_after_the_decision_takes_nothing_back(
    office: Office, approvers: Approvers, ann: Browser, bob: Browser
) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    bob.open(office.letter(BOB))
    ann.decide(item, "approve")
    approvers.remove(ANN)
    status, answer = bob.decide(item, "reject")
    assert (status, answer["standing"]["by"]) == (409, ANN)


def test_the_others_go_on_deciding(office: Office, approvers: Approvers, bob: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    bob.open(office.letter(BOB))
    approvers.remove(ANN)
    assert bob.decide(item, "approve")[1]["outcome"] == "recorded"


def test_a_removed_approver_is_not_mailed(office: Office, approvers: Approvers) -> None:
    approvers.remove(ANN)
    office.ask("IMG_1.HEIC")
    assert [str(mail["To"]) for mail in office.mails()] == [BOB]


def test_who_comes_back_finds_old_links_sessions_and_devices_dead(office: Office, approvers: Approvers, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    old = office.letter()
    ann.open(old)
    approvers.remove(ANN)
    approvers.add(ANN)

    assert ann.decide(item, "approve")[1]["state"] == "revoked"
    assert ann.open(old)[1]["state"] == "revoked"
    assert ask_everybody(office) == []
    new = office.letter()
    assert ann.open(new, code="")[0] == 401, "the device is not remembered"
    assert ann.open(new)[0] == 200
    assert ann.decide(item, "approve")[1]["outcome"] == "recorded"


def test_revoked_links_end_and_the_approver_gets_another(
    office: Office, approvers: Approvers, ann: Browser, bob: Browser
) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    old = office.letter()
    ann.open(old)
    bob.open(office.letter(BOB))
    approvers.revoke(ANN)

    status, answer = ann.decide(item, "approve")
    assert (status, answer["state"]) == (FORBIDDEN, "revoked")
    assert "newest mail" in answer["error"]
    assert ask_everybody(office) == []
    assert [str(mail["To"]) for mail in office.mails()] == [ANN, BOB, ANN]
    assert ann.open(office.letter())[0] == 200
    assert bob.post("open", {})[0] == 200, "other approvers keep theirs"


def test_who_is_added_gets_one_mail_about_all_that_waits(office: Office, approvers: Approvers, bob: Browser) -> None:
    first, second, third = office.ask("IMG_1.HEIC", "IMG_2.HEIC", "IMG_3.HEIC", moderation=("Weapons",))
    office.world.reviews.record(third.id, "reject", approver="operator")
    approvers.add(EVE)
    before = len(office.mails())

    for _ in range(2):  # the second finds nobody who doesn't know
        assert ask_everybody(office) == []

    (mail,) = office.mails()[before:]
    assert str(mail["To"]) == EVE
    assert "Weapons 91%" in mail.get_body(("plain",)).get_content()
    eve = Browser(office, "192.0.2.9")
    eve.open(office.letter(EVE))
    assert set(eve.items) == {first.id, second.id}
    assert eve.decide(first, "approve")[1]["outcome"] == "recorded"
    assert office.machine.answers[-1][0] == "token-IMG_1.HEIC"


def test_with_the_only_invited_approver_gone_the_new_one_decides(office_with: Any) -> None:
    office = office_with(approvers=(ANN,))
    (item,) = office.ask("IMG_1.HEIC")
    approvers = office.world.catalog.approvers
    approvers.add(EVE)
    ask_everybody(office)
    assert approvers.remove(ANN) == "removed"
    eve = Browser(office)
    eve.open(office.letter(EVE))
    assert eve.decide(item, "reject")[1]["outcome"] == "recorded"


def test_a_mail_about_what_waits_that_fails_is_said(office: Office, approvers: Approvers) -> None:
    class Refusing:
        def send(self, sender: str, recipient: str, mime: bytes) -> str:
            raise ConnectionError("MessageRejected: Email address is not verified")

    (item,) = office.ask("IMG_1.HEIC")
    approvers.add(EVE)
    office._opened[Mailer] = Refusing()
    assert ask_everybody(office) == ["by-hand"]
    membership = approvers.find(EVE).membership
    assert membership not in office.world.reviews.review(item.id).mailed


def test_a_late_link_does_not_outlive_its_questions(office: Office, approvers: Approvers) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ends = office.world.reviews.review(item.id).expires - 1_209_000  # asked about almost a fortnight ago
    office.world.review_table.update(f"item#{item.id}", "review", "SET #expires = :ends", ends=ends)
    approvers.add(EVE)
    ask_everybody(office)
    link, _, _ = office.letter(EVE)
    assert office.world.review_table.get(f"link#{link}", "link")["expires"] == ends


def test_a_link_and_a_device_from_before_there_was_a_list_still_work(office: Office, approvers: Approvers, ann: Browser) -> None:
    """Rows of the version before name the approver's address and no membership."""
    office.ask("IMG_1.HEIC")
    letter = office.letter()
    ann.open(letter)
    for row in office.rows():
        if row["pk"]["S"].startswith(("link#", "device#")):
            assert office.world.review_table.update(
                row["pk"]["S"], row["sk"]["S"], "REMOVE #membership", "attribute_exists(#membership)"
            )
    assert ann.post("open", {})[0] == 200
    assert ann.open(letter, code="")[0] == 200
    assert ask_everybody(office) == [] and len(office.mails(ANN)) == 1, "the mail of then counts"

    approvers.revoke(ANN)
    assert ann.open(letter)[1]["state"] == "revoked"


def test_links_are_made_for_members_only(office: Office, approvers: Approvers, ann: Browser) -> None:
    """A digest that was on its way when its approver was removed opens nothing."""
    (item,) = office.ask("IMG_1.HEIC")
    member = approvers.find(ANN)
    approvers.remove(ANN)
    link = office.get(Links).create(member, [item.id], until=office.world.reviews.review(item.id).expires)
    assert ann.open((link.id, link.secret, link.code))[1]["state"] == "removed"
