"""RequestApproval: a batch becomes one mail for each approver; repeats, restarts and faults end in one review each."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from review_office import Browser, Office

from tasks.core.aws.ses import Mailer


class BrokenMailer:
    """A mail service that refuses everybody named in `refused`."""

    def __init__(self, world: Any, refused: set[str]) -> None:
        self.world = world
        self.refused = refused

    def send(self, sender: str, recipient: str, mime: bytes) -> str:
        if recipient in self.refused:
            raise ConnectionError("421 try later")
        return str(self.world.mailer.send(sender, recipient, mime))


def batch(office: Office, *names: str) -> list[dict[str, Any]]:
    items = [office.make.item(name) for name in names]
    for item in items:
        office.world.catalog.items.create(item)
    return [office.message(item, f"token-{name}") for item, name in zip(items, names, strict=True)]


def test_forty_uploads_are_one_mail_for_each_approver(office: Office, ann: Browser) -> None:
    names = [f"IMG_{number}.HEIC" for number in range(40)]
    assert office.deliver(*batch(office, *names)) == []
    assert [str(mail["To"]) for mail in office.mails()] == ["ann@example.org", "bob@example.org"]
    ann.open(office.letter())
    assert len(ann.items) == 40
    assert len({office.letter(name)[:2] for name in ("ann@example.org", "bob@example.org")}) == 2


def test_what_waits_is_pending_with_all_that_is_known(office: Office) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    record = office.world.catalog.items.get(item.id)
    assert (record.status, record.media.format, record.prepared.sha256) == ("PENDING", "heic", "5" * 64)
    review = office.world.reviews.review(item.id)
    assert (review.status, review.attempt, review.mailed) == ("PENDING", 1, ("ann@example.org", "bob@example.org"))


def test_a_redelivered_message_sends_no_second_mail(office: Office) -> None:
    messages = batch(office, "IMG_1.HEIC", "IMG_2.HEIC")
    for _ in range(3):
        assert office.deliver(*messages, messages[0]) == []
    assert len(office.mails()) == 2


def test_a_message_redelivered_after_the_decision_opens_nothing_again(office: Office, ann: Browser) -> None:
    messages = batch(office, "IMG_1.HEIC")
    office.deliver(*messages)
    ann.open(office.letter())
    item = office.make.item("IMG_1.HEIC")
    ann.decide(item, "reject")
    office.world.catalog.items.mark(item.id, "REJECTED", attempt=1)

    assert office.deliver(*messages) == []
    assert office.world.catalog.items.get(item.id).status == "REJECTED"
    assert len(office.mails()) == 2 and len(office.machine.answers) == 1


def test_another_attempt_learns_the_decision_at_once(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    office.machine.alive.clear()  # the engine died, and its executions with it
    ann.decide(item, "approve")
    again = office.world.catalog.items.next_attempt(item.id, 1)

    office.deliver(office.message(again, "second-token"))

    assert len(office.mails()) == 2
    ((token, told),) = office.machine.answers
    assert (token, told["verdict"], told["approver"]) == ("second-token", "approve", "ann@example.org")


def test_another_attempt_with_other_pictures_is_looked_at_anew(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    office.machine.alive.clear()
    ann.decide(item, "approve")
    again = office.world.catalog.items.next_attempt(item.id, 1)

    office.deliver(office.message(again, "second-token", sha256="7" * 64))

    assert office.machine.answers == []
    assert office.world.reviews.decision(item.id) is None
    assert len(office.mails()) == 4


def test_a_pending_item_of_a_lost_engine_is_asked_about_again_and_its_old_link_still_works(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    old = office.letter()
    office.machine.alive.clear()
    again = office.world.catalog.items.next_attempt(item.id, 1)
    office.deliver(office.message(again, "second-token"))

    ann.open(old)
    assert ann.decide(item, "approve")[1]["outcome"] == "recorded"
    assert [token for token, _ in office.machine.answers] == ["second-token"]


def test_an_older_attempt_s_message_that_comes_late_changes_nothing(office: Office) -> None:
    late = batch(office, "IMG_1.HEIC")
    item = office.make.item("IMG_1.HEIC")
    again = office.world.catalog.items.next_attempt(item.id, 1)
    office.deliver(office.message(again, "second-token"))
    mails = len(office.mails())

    assert office.deliver(*late) == []
    assert office.world.reviews.review(item.id).attempt == 2
    assert len(office.mails()) == mails


@pytest.mark.parametrize("alive", ["first", "second"])
def test_whichever_of_two_tokens_somebody_waits_for_is_answered(office: Office, ann: Browser, alive: str) -> None:
    item = office.make.item("IMG_1.HEIC")
    office.world.catalog.items.create(item)
    # A retry of the send may leave two messages of one attempt, in any order.
    office.deliver(office.message(item, "first"))
    office.deliver(office.message(item, "second"))
    office.machine.alive = {alive}
    assert len(office.mails()) == 2

    ann.open(office.letter())
    assert ann.decide(item, "approve")[1]["standing"]["state"] == "approved"
    assert [token for token, _ in office.machine.answers] == [alive]


def test_a_redrive_after_the_decision_is_answered_under_its_new_token(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    ann.decide(item, "approve")
    office.deliver(office.message(item, "redriven"))
    assert [token for token, _ in office.machine.answers] == ["token-IMG_1.HEIC", "redriven"]


def test_one_bad_message_does_not_hold_up_the_others(office: Office) -> None:
    good = batch(office, "IMG_1.HEIC")
    bad = {"messageId": "bad", "body": json.dumps({"token": "t", "item": {"id": 7}})}
    stranger = office.message(office.make.item("never-created.HEIC"), "stranger")
    assert office.deliver(bad, *good, stranger) == ["bad", "message-stranger"]
    assert len(office.mails()) == 2


def test_an_approver_whose_mail_failed_is_asked_again_and_the_other_is_not(office: Office) -> None:
    messages = batch(office, "IMG_1.HEIC", "IMG_2.HEIC")
    broken = BrokenMailer(office.world, {"ann@example.org"})
    office._opened[Mailer] = broken
    assert office.deliver(*messages) == sorted(message["messageId"] for message in messages)
    broken.refused.clear()
    assert office.deliver(*messages) == []
    assert [str(mail["To"]) for mail in office.mails()] == ["bob@example.org", "ann@example.org"]


@pytest.mark.parametrize("absent", [{"approvers": ()}, {"mail_from": ""}])
def test_without_anybody_to_ask_the_item_waits_for_the_operator(
    office_with: Any, logged: StringIO, absent: dict[str, Any]
) -> None:
    office = office_with(**absent)
    (item,) = office.ask("IMG_1.HEIC")
    assert office.mails() == []
    assert office.world.catalog.items.get(item.id).status == "PENDING"
    assert "nobody to ask" in logged.getvalue()
    assert office.world.reviews.record(item.id, "approve", approver="operator").state == "recorded"
    assert office.world.reviews.tell(item.id, office.machine)


def test_a_thumbnail_that_is_gone_does_not_stop_the_mail(office: Office) -> None:
    messages = batch(office, "IMG_1.HEIC")
    item = office.make.item("IMG_1.HEIC")
    office.world.store.delete("work", list(office.world.store.keys("work", f"items/{item.id}/")))
    assert office.deliver(*messages) == []
    assert len(office.mails()) == 2


def test_two_that_look_alike_are_said_to_be(office: Office) -> None:
    items = [office.make.item(name) for name in ("IMG_1.HEIC", "IMG_2.HEIC", "IMG_3.HEIC")]
    hashes = ("00000000000000ff", "00000000000000fe", "ffffffffffffffff")
    for item in items:
        office.world.catalog.items.create(item)
    office.deliver(*(office.message(item, item.id, phash=phash) for item, phash in zip(items, hashes, strict=True)))
    text = office.mails()[0].get_body(("plain",)).get_content()
    assert text.count("Looks almost like") == 1
    assert text.index("2. IMG_2") < text.index("Looks almost like IMG_1") < text.index("3. IMG_3")


def test_the_task_token_and_the_link_s_secret_leave_no_trace(
    office: Office, ann: Browser, bob: Browser, logged: StringIO
) -> None:
    canary = "TOKEN-canary-0123456789"
    (item,) = office.ask("IMG_1.HEIC", token=canary)
    letter = office.letter()
    answers = [ann.send("GET", f"/review/{letter[0]}"), ann.open(letter), ann.open((letter[0], letter[1], "000001"))]
    office.machine.fault = RuntimeError(f"could not send {canary}")
    answers += [ann.decide(item, "approve"), ann.decide(item, "reject"), ann.post("open", {})]
    bob.open(office.letter("bob@example.org"))
    answers.append(bob.decide(item, "approve"))

    logs = logged.getvalue()
    assert "could not tell" in logs
    seen = json.dumps(answers) + logs
    mails = "".join(str(part.get_content()) for mail in office.mails() for part in mail.walk() if not part.is_multipart())
    audit = repr(office.world.reviews.decisions(item.id)) + repr(office.world.reviews.review(item.id))
    record = repr(office.world.catalog.items.get(item.id))
    assert canary not in seen + mails + audit + record + "".join(office.world.mails())

    holders = [row["sk"]["S"] for row in office.rows() if canary in json.dumps(row)]
    assert holders == ["review"]
    digits = letter[2].replace(" ", "")
    for secret in (letter[1], ann.jar[f"greenroom-review-{letter[0]}"], ann.jar["greenroom-device"]):
        assert secret not in json.dumps(office.rows()) + logs + audit
    assert digits not in "".join(json.dumps(row) for row in office.rows() if row["sk"]["S"] == "link")
    assert mails.count(letter[1]) == 2  # in the text and in the HTML of one mail


def test_an_item_that_has_moved_on_is_not_asked_about(office: Office) -> None:
    messages = batch(office, "IMG_1.HEIC")
    item = office.make.item("IMG_1.HEIC")
    office.world.catalog.items.mark(item.id, "QUARANTINED", attempt=1, reason="no")
    assert office.deliver(*messages) == []
    assert office.mails() == []


def test_an_address_that_cannot_be_mailed_keeps_the_messages(office_with: Any) -> None:
    office = office_with(approvers=("ann@example.org", "no address"))
    messages = batch(office, "IMG_1.HEIC")
    assert office.deliver(*messages) == ["message-token-IMG_1.HEIC"]
    assert [str(mail["To"]) for mail in office.mails()] == ["ann@example.org"]
