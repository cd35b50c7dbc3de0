"""Decisions: the first one stands, everybody else gets an honest answer, and the machine is told what stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from review_office import PHONE, Browser, Office

from tasks.catalog import Reviews
from tasks.catalog.review_table import ReviewTable
from tasks.core.aws.dynamodb import Write
from tasks.core.models.publication import Publication


class Meeting(ReviewTable):
    """A table at which somebody else is quicker: `meanwhile` runs between the next reading and its transaction."""

    meanwhile: Any = None

    def transact(self, writes: list[Write]) -> list[str]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return super().transact(writes)


@pytest.fixture
def meeting(office: Office) -> Meeting:
    table = Meeting(office.world.aws, "reviews", "catalog")
    office._opened[Reviews] = Reviews(table, office.world.catalog.items, 3600)
    return table


def both_open(office: Office, ann: Browser, bob: Browser) -> Any:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter("ann@example.org"))
    bob.open(office.letter("bob@example.org"))
    return item


def test_an_approval_reaches_the_machine_and_the_audit(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())

    status, answer = ann.decide(item, "approve")

    assert (status, answer["outcome"], answer["standing"]["state"]) == (200, "recorded", "approved")
    ((token, told),) = office.machine.answers
    assert token == "token-IMG_1.HEIC"
    assert told["verdict"] == "approve" and told["approver"] == "ann@example.org" and told["decided_at"]
    (record,) = office.world.reviews.decisions(item.id)
    assert (record.approver, record.address, record.agent) == ("ann@example.org", "203.0.113.7", PHONE)
    assert (record.verdict, record.sha256, record.attempt) == ("approve", "5" * 64, 1)
    assert record.decided_at == told["decided_at"]


def test_a_rejection_is_a_result_with_its_reason_in_one_line(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    status, answer = ann.decide(item, "reject", "  blurry\r\nX-Header: no\x00 " + "!" * 600)
    assert (status, answer["standing"]["state"]) == (200, "rejected")
    reason = office.machine.answers[0][1]["reason"]
    assert reason.startswith("blurry X-Header: no !!!") and len(reason) == 500


def test_the_same_click_again_is_already_recorded(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    ann.decide(item, "approve")
    status, answer = ann.decide(item, "approve")
    assert (status, answer["outcome"]) == (200, "repeated")
    assert answer["message"].startswith("Already recorded. Approved by you on ")
    assert len(office.machine.answers) == len(office.world.reviews.decisions(item.id)) == 1


@pytest.mark.parametrize("second", ["approve", "reject"])
def test_the_second_approver_is_told_who_came_first(office: Office, ann: Browser, bob: Browser, second: str) -> None:
    item = both_open(office, ann, bob)
    ann.decide(item, "approve")
    status, answer = bob.decide(item, second)
    assert (status, answer["outcome"]) == (409, "taken")
    assert answer["message"].startswith(
        "Your decision was not recorded, because another came first. Approved by ann@example.org on "
    )
    assert (answer["standing"]["by"], answer["standing"]["state"]) == ("ann@example.org", "approved")
    assert len(office.world.reviews.decisions(item.id)) == 1


def test_changing_one_s_mind_is_a_conflict_too(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    ann.decide(item, "reject", "blurry")
    status, answer = ann.decide(item, "approve")
    assert status == 409
    assert "Rejected by you" in answer["message"] and "(blurry)" in answer["message"]
    assert [told["verdict"] for _, told in office.machine.answers] == ["reject"]


def test_two_clicks_at_the_same_moment_are_one_decision(office: Office, meeting: Meeting, ann: Browser, bob: Browser) -> None:
    item = both_open(office, ann, bob)
    quicker: list[Any] = []
    meeting.meanwhile = lambda: quicker.append(bob.decide(item, "reject"))

    status, answer = ann.decide(item, "approve")

    assert quicker[0][1]["outcome"] == "recorded"
    assert (status, answer["outcome"], answer["standing"]["by"]) == (409, "taken", "bob@example.org")
    assert [told["verdict"] for _, told in office.machine.answers] == ["reject"]
    assert [row.verdict for row in office.world.reviews.decisions(item.id)] == ["reject"]


def test_a_click_and_the_timeout_at_the_same_moment_are_one_decision(office: Office, meeting: Meeting, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    expired: list[Any] = []
    meeting.meanwhile = lambda: expired.append(office.get(Reviews).expire(item, "5" * 64))

    status, answer = ann.decide(item, "approve")

    assert expired[0].verdict == "expired"
    assert (status, answer["outcome"], answer["standing"]["state"]) == (410, "expired", "expired")
    assert office.machine.answers == []


def test_a_timeout_that_meets_a_click_returns_the_click(office: Office, meeting: Meeting, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    meeting.meanwhile = lambda: ann.decide(item, "approve")
    decision = office.get(Reviews).expire(item, "5" * 64)
    assert (decision.verdict, decision.approver) == ("approve", "ann@example.org")


def test_a_write_that_only_collided_is_done_again(office: Office, ann: Browser) -> None:
    class Busy(ReviewTable):
        refusals = 3

        def transact(self, writes: list[Write]) -> list[str]:
            self.refusals -= 1
            return super().transact(writes) if self.refusals < 0 else ["TransactionConflict", "None"]

    (item,) = office.ask("IMG_1.HEIC")
    office._opened[Reviews] = Reviews(Busy(office.world.aws, "reviews", "catalog"), office.world.catalog.items, 3600)
    ann.open(office.letter())
    assert ann.decide(item, "approve")[1]["outcome"] == "recorded"


def test_a_click_after_the_timeout_says_so(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    office.time_passes(f"item#{item.id}", "review")
    status, answer = ann.decide(item, "approve")
    assert status == 410
    assert answer["message"].startswith("Your decision was not recorded. Nobody decided in time")
    assert office.machine.answers == [] and office.world.reviews.decisions(item.id) == []


def test_what_was_not_shown_cannot_be_approved_by_its_sha256(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    status, answer = ann.decide(item, "approve", sha256="6" * 64)
    assert (status, answer["outcome"], answer["standing"]["state"]) == (409, "changed", "pending")
    assert office.machine.answers == []


def test_other_sha256_between_the_look_and_the_write_is_not_what_was_decided(
    office: Office, meeting: Meeting, ann: Browser
) -> None:
    """The same attempt asks again about another sha256 (a redrive that prepared anew): only the condition can see it."""
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    meeting.meanwhile = lambda: office.world.reviews.request(item, "token-redriven", "6" * 64)

    status, answer = ann.decide(item, "approve")

    assert (status, answer["outcome"], answer["standing"]["state"]) == (409, "changed", "pending")
    assert office.machine.answers == [] and office.world.reviews.decisions(item.id) == []


def test_a_review_that_expires_between_the_look_and_the_write_takes_no_decision(office: Office) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    expires = datetime.fromtimestamp(office.world.reviews.review(item.id).expires, UTC)
    times = iter([expires - timedelta(seconds=1)] * 2)  # the look, and the time that the decision bears
    late = Reviews(office.world.review_table, office.world.catalog.items, 3600, lambda: next(times, expires))

    assert late.record(item.id, "approve", approver="ann@example.org").state == "expired"
    assert office.world.reviews.decisions(item.id) == []
    assert office.world.reviews.review(item.id).status == "PENDING", "the timeout's own write is yet to come"


def test_a_send_that_fails_in_passing_is_said_and_told_later(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    office.machine.fault = ConnectionError("no route, while sending token-IMG_1.HEIC")

    status, answer = ann.decide(item, "approve")

    assert (status, answer["outcome"]) == (200, "recorded")
    assert "has not been reached yet" in answer["message"] and "in a moment" not in answer["message"]
    assert not office.world.reviews.review(item.id).answered

    office.machine.fault = None
    assert office.world.reviews.tell(item.id, office.machine)
    assert office.world.reviews.review(item.id).answered
    assert [(token, told["verdict"]) for token, told in office.machine.answers] == [("token-IMG_1.HEIC", "approve")]


@pytest.mark.parametrize("execution", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_a_dead_token_is_no_success(office: Office, ann: Browser, execution: str) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    office.machine.alive.clear()
    office.machine.statuses[f"{item.id}-1"] = execution
    status, answer = ann.decide(item, "approve")
    assert (status, answer["outcome"]) == (200, "recorded")
    assert "was interrupted before it could publish it" in answer["message"]
    assert "in a moment" not in answer["message"]


def test_a_click_after_the_publication_shows_where_it_stands(office: Office, ann: Browser, bob: Browser) -> None:
    item = both_open(office, ann, bob)
    ann.decide(item, "approve")
    prepared = office.world.catalog.items.get(item.id).prepared
    decision, _ = office.world.reviews.decision(item.id)
    office.world.catalog.albums.publish(item, office.make.media(), prepared, decision, office.make.files)

    status, answer = bob.decide(item, "reject")
    assert status == 409
    assert answer["standing"]["state"] == "published"
    assert answer["standing"]["url"] == f"/items/{item.id}/"
    assert answer["message"].endswith(" UTC.") and "In the gallery. Approved by ann@example.org" in answer["message"]
    assert isinstance(office.world.catalog.items.get(item.id).publication, Publication)


def test_what_another_decided_is_shown_when_the_link_is_opened(office: Office, ann: Browser, bob: Browser) -> None:
    item = both_open(office, ann, bob)
    bob.decide(item, "reject", "blurry")
    _, answer = ann.post("open", {})
    (standing,) = [one["standing"] for one in answer["items"]]
    assert (standing["state"], standing["by"]) == ("rejected", "bob@example.org")
    assert "blurry" in standing["message"]


def test_the_operator_decides_by_the_same_rule(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    outcome = office.world.reviews.record(item.id, "reject", "test picture", approver="operator", agent="greenroom decide")
    assert outcome.state == "recorded"
    assert office.world.reviews.tell(item.id, office.machine)
    assert ann.decide(item, "approve")[0] == 409
    assert office.world.reviews.record("a" * 20, "approve", approver="operator").state == "unknown"
