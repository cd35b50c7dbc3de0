"""Names from strangers, through every command: they are shown, and neither the terminal nor the next program obeys them."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main as cli
from infra.cli.commands import doctor
from infra.deploy.stack import Deployed
from infra.local.mailbox import Mailbox
from infra.local.state import Stack, lock, write_stack
from tasks.core.errors import error_code

# A window title, a colour (as ESC and as C1), a bell, a line of its own, a carriage return, text turned around, a separator.
TRICKS = "\x1b]0;owned\x07\x1b[31m\x9b32m\nk3vq  PUBLISHED\r\x7f\u202egpj\u2066\u2028"
HARMLESS = "party"


class Fake:
    """A deployment whose catalog holds what strangers called their things."""

    site_url = "https://gallery.example"
    error_code = staticmethod(error_code)

    def __init__(self, world: Any) -> None:
        self.catalog, self.reviews, self.store, self.settings = world.catalog, world.reviews, world.store, world.settings
        self.machine = world.machine


@pytest.fixture
def greenroom(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command against the fake deployment: exit code, output, what it said aside."""
    monkeypatch.setattr(Deployed, "local", classmethod(lambda cls, stack: Fake(world)))
    held = lock(tmp_path)
    write_stack(Stack(os.getpid(), str(tmp_path), "http://localhost:8080", "", 8080, 4566, ready=True))

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main([*words, "--state", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run
    held.close()


def waiting_item(world: Any, make: Any, name: str) -> str:
    """An item that waits for a decision, every word of it a stranger's; its id."""
    item = make.item(f"a{name}.jpg", f"Album{name}", contributor=f"Ada{name}")
    media = make.media(camera=f"Cam{name}", taken_at=f"2024{name}")
    prepared = make.prepared(labels=(f"Dog{name}",))
    world.catalog.items.create(item)
    world.catalog.items.mark(item.id, "PENDING", attempt=1, media=media, prepared=prepared, reason=f"because{name}")
    world.reviews.request(item, f"token-{item.id}", prepared.sha256)
    arn, record = world.machine.execution_arn(f"{item.id}-1"), world.catalog.items.get(item.id)
    world.machine.start(f"{item.id}-1", {"item": dataclasses.asdict(record.item)})
    output = {"media": {**dataclasses.asdict(media), "note": f"noted{name}"}}
    at = "2026-06-01T10:00:00.000Z"
    failed = {"error": f"Busy{name}", "cause": json.dumps({"errorMessage": f"later{name}"})}
    world.machine.histories[arn.rsplit(":", 1)[1]] = [
        {"id": 1, "type": "TaskStateEntered", "timestamp": at, "stateEnteredEventDetails": {"name": "ValidateMedia"}},
        {"id": 2, "type": "LambdaFunctionFailed", "timestamp": at, "lambdaFunctionFailedEventDetails": failed},
        {
            "id": 3,
            "type": "TaskStateExited",
            "timestamp": at,
            "stateExitedEventDetails": {"name": "ValidateMedia", "output": json.dumps(output)},
        },
    ]
    return str(item.id)


def does_nothing(text: str) -> bool:
    """Whether these are lines of text and nothing else: str.isprintable is Unicode's word for it."""
    return all(line.isprintable() for line in text.split("\n"))


COMMANDS = [["items"], ["show"], ["audit"], ["decide", "reject", "--reason", "blurry"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_what_is_told_of_an_item_is_text_in_as_many_lines(greenroom: Any, world: Any, make: Any, command: list[str]) -> None:
    def told(name: str) -> str:
        id = waiting_item(world, make, name)
        words = command if command == ["items"] else [command[0], id, *command[1:]]
        code, out, err = greenroom(*words)
        assert (code, err) == (0, "")
        return str(out)

    hostile, harmless = told(TRICKS), told(HARMLESS)
    assert does_nothing(hostile)
    again = 2 if command == ["items"] else 1  # the second list has both
    assert hostile.count("\n") * again == harmless.count("\n")
    if command[0] != "decide":
        assert "owned" in hostile


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_as_json_the_very_name_arrives(greenroom: Any, world: Any, make: Any, command: list[str]) -> None:
    id = waiting_item(world, make, TRICKS)
    words = command if command == ["items"] else [command[0], id, *command[1:]]
    _, out, _ = greenroom(*words, "--json")
    assert does_nothing(out)
    [row] = [json.loads(line) for line in out.splitlines()]
    if "key" in row:
        assert row["key"] == f"Album{TRICKS}/a{TRICKS}.jpg"


def test_what_a_deciders_name_says_is_text(greenroom: Any, world: Any, make: Any) -> None:
    id = waiting_item(world, make, HARMLESS)
    code, out, err = greenroom("decide", id, "approve", "--by", f"Eve{TRICKS}")
    assert does_nothing(out + err)
    assert out.count("\n") == 1
    code, out, err = greenroom("decide", id, "reject", "--by", f"Bob{TRICKS}")
    assert (code, out) == (1, "")
    assert does_nothing(err)
    assert err.count("\n") == 1


def test_a_mail_is_text(greenroom: Any, tmp_path: Path) -> None:
    text = TRICKS.replace("\r", "")
    head = "Subject: =?utf-8?q?re=1B=5B31mview=07=C2=9B?=\nTo: ada@example.com\nContent-Type: text/plain; charset=utf-8\n"
    Mailbox(tmp_path / "mail").keep(f"{head}\n1 {text}\n2\n".encode())
    for words in (["mail"], ["mail", "--open", "1"], ["mail", "--json"], ["mail", "--open", "1", "--json"]):
        code, out, _ = greenroom(*words)
        assert code == 0
        assert does_nothing(out)
    _, out, _ = greenroom("mail", "--open", "1")
    assert r"re\x1b[31mview" in out
    assert out.endswith("\n2\n")  # lines of the mail stay lines


def test_what_doctor_finds_is_text(greenroom: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    finding = doctor.Finding(f"ffmpeg{TRICKS}", False, f"broken{TRICKS}", "video", f"look{TRICKS}")
    monkeypatch.setattr(doctor, "examine", lambda *_: [finding])
    _, out, _ = greenroom("doctor")
    assert does_nothing(out)
    assert out.count("\n") == 2
