"""`greenroom approvers`: every answer in words or JSON, exit code 2 for a mistake, and mails for what waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from review_office import Browser, Office

from infra.cli import main as cli
from infra.cli.commands import approvers
from tasks.core.aws.ses import Mailer

ANN, BOB, EVE = "ann@example.org", "bob@example.org", "eve@example.org"
Run = Callable[..., tuple[int, str, str]]


class Here:
    """The deployment that the command talks to: the office's catalog, and its RequestApproval."""

    is_local = False

    def __init__(self, office: Office) -> None:
        self.catalog, self.reviews = office.world.catalog, office.world.reviews
        self.office = office
        self.deliveries = 0

    def deliver(self, name: str, body: Any) -> None:
        assert name == "RequestApproval"
        self.deliveries += 1
        self.office.deliver({"messageId": "by-hand", "body": json.dumps(body)})


@pytest.fixture
def here(office: Office) -> Here:
    return Here(office)


@pytest.fixture
def run(here: Here, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(approvers, "deployed", lambda given: here)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["approvers", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def listed(run: Run) -> list[str]:
    return [json.loads(line)["address"] for line in run("--json")[1].splitlines()]


def test_the_list_in_words_and_as_json(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert [line.split("  since ")[0] for line in out.splitlines()] == [ANN, BOB]
    rows = [json.loads(line) for line in run("list", "--json")[1].splitlines()]
    assert [set(row) for row in rows] == [{"address", "added_at"}] * 2


def test_adding_is_said_and_saying_it_again_changes_nothing(run: Run) -> None:
    assert run("add", " EVE@example.org ") == (0, f"{EVE}: added: may decide from now on\n", "")
    assert run("add", EVE) == (0, f"{EVE}: is an approver already\n", "")
    assert json.loads(run("add", EVE, "--json")[1]) == {"address": EVE, "outcome": "listed"}
    assert set(listed(run)) == {ANN, BOB, EVE}


def test_whoever_is_added_is_mailed_about_what_waits(office: Office, run: Run) -> None:
    office.ask("IMG_1.HEIC", "IMG_2.HEIC")
    code, out, _ = run("add", EVE)
    assert code == 0
    assert f"{EVE}: 2 items waiting for a decision, 2 mailed now" in out
    Browser(office).open(office.letter(EVE))
    assert run("add", EVE, "--json")[1].count("\n") == 1, "nobody is told twice"


def test_more_than_one_mail_holds_comes_in_several(office: Office, here: Here, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.request_approval.ASKED_AT_ONCE", 2)
    office.ask("IMG_1.HEIC", "IMG_2.HEIC", "IMG_3.HEIC")
    rows = [json.loads(line) for line in run("add", EVE, "--json")[1].splitlines()]
    assert rows[-1] == {"address": EVE, "waiting": 3, "mailed": 3}
    assert len(office.mails(EVE)) == here.deliveries == 2


def test_a_mail_that_cannot_be_sent_is_said_and_the_approver_stays_added(office: Office, here: Here, run: Run) -> None:
    class Refusing:
        def send(self, sender: str, recipient: str, mime: bytes) -> str:
            raise ConnectionError("MessageRejected: Email address is not verified")

    office.ask("IMG_1.HEIC")
    working = office.get(Mailer)
    office._opened[Mailer] = Refusing()
    code, out, err = run("add", EVE)
    assert code == 1 and here.deliveries == 1
    assert "1 item waiting for a decision, 0 mailed now" in out
    assert f"not everything was mailed ({EVE})" in err and f"greenroom approvers add {EVE}" in err

    office._opened[Mailer] = working
    assert run("add", EVE)[0] == 0
    assert len(office.mails(EVE)) == 1


def test_removing_holds_at_once(office: Office, run: Run, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    code, out, _ = run("remove", "Ann@Example.org", "--json")
    assert (code, json.loads(out)) == (0, {"address": ANN, "outcome": "removed"})
    assert ann.decide(item, "approve")[1]["state"] == "removed"
    assert listed(run) == [BOB]


def test_revoking_ends_links_and_sends_another(office: Office, run: Run, ann: Browser) -> None:
    office.ask("IMG_1.HEIC")
    old = office.letter()
    code, out, _ = run("revoke", ANN)
    assert code == 0 and "1 mailed now" in out
    assert ann.open(old)[1]["state"] == "revoked"
    assert ann.open(office.letter())[0] == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["remove", EVE], f"{EVE} is not an approver; `greenroom approvers` lists them"),
        (["revoke", EVE], f"{EVE} is not an approver"),
        (["remove", ANN, EVE], f"{EVE} is not an approver"),
        (["remove", ANN, BOB], "somebody must decide: first `greenroom approvers add ADDRESS`"),
        (["add"], "whom? Give a mail address"),
        (["add", "eve"], "'eve' is not a mail address"),
        (["add", EVE, "Bob <bob@example.org>"], "is not a mail address"),
        (["list", EVE], f"to add it: greenroom approvers add {EVE}"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_2_and_changes_nothing(run: Run, arguments: list[str], words: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err and err.count("\n") == 1
    assert listed(run) == [ANN, BOB]


def test_the_last_one_stays(run: Run) -> None:
    assert run("remove", BOB)[0] == 0
    code, _, err = run("remove", ANN)
    assert code == 2 and "somebody must decide" in err
    assert listed(run) == [ANN]
