"""What a terminal and a parser get: text that does nothing, and JSON that anyone can read."""

from __future__ import annotations

import ast
import io
import json
import os
import sys
from pathlib import Path

import pytest

from infra import terminal
from infra.cli import main as cli

ROOT = Path(__file__).parents[3]
# From Unicode's charts and ECMA-48, by hand: what a terminal obeys, and what turns or breaks the text beside it.
ACTIVE = [
    *map(chr, range(0x20)),
    "\x7f",
    *map(chr, range(0x80, 0xA0)),  # C1: one character instead of ESC and another
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",  # bidi
    *"\u2028\u2029\u200b\ufeff\u00ad",
    "\U000e0041",
    "\ud800",
    "\udcff",
    "\udfff",
]


@pytest.mark.parametrize("char", ACTIVE, ids=ascii)
def test_an_active_character_is_spelt(char: str) -> None:
    spelt = terminal.printable(f"a{char}b")
    assert spelt.startswith("a\\")
    assert spelt.endswith("b")
    assert spelt.isascii()
    assert spelt.isprintable()


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b31m", r"\u009b31m"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        (os.fsdecode(b"caf\xe9.jpg"), r"caf\xe9.jpg"),
        ("\ud83d", r"\ud83d"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_it_is_spelt_as_a_shell_reads_it(text: str, spelt: str) -> None:
    assert terminal.printable(text) == spelt
    assert terminal.printable(spelt) == spelt


SCRIPTS = [
    "Straße 7",
    "夏祭り\u3000写真",
    "می\u200cخواهم",
    "👩\u200d👩\u200d👧 & 🏳️\u200d🌈",
    "a\u00a0b",
    r"C:\new",
    "שלום",
    "e\u0301",
]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_name_in_any_script_stays_as_it_is(name: str) -> None:
    assert terminal.printable(name) == name
    assert json.loads(terminal.json_line({"name": name})) == {"name": name}
    assert name in terminal.json_line({"name": name}) or "\\" in name


@pytest.mark.parametrize("char", ACTIVE, ids=ascii)
def test_json_is_utf_8_in_one_line_and_does_nothing(char: str) -> None:
    line = terminal.json_line({f"key{char}": [{"file": f"a{char}b"}]})
    assert line.encode("utf-8").decode() == line
    assert line.isprintable()
    [(key, [row])] = json.loads(line).items()
    # Only what JSON cannot say (RFC 7493: no lone surrogates) is said in other words.
    lone = "\ud800" <= char <= "\udfff"
    assert row["file"] == (f"a{terminal.printable(char)}b" if lone else f"a{char}b")
    assert key.encode() == (terminal.printable(f"key{char}") if lone else f"key{char}").encode()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "iso-8859-1", "cp1252"])
def test_a_locale_that_knows_fewer_letters_changes_no_json_and_stops_no_text(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.out_json({"name": "Straße 夏 \U0001f3f3"})
    terminal.out("Straße 夏 \x1b")
    first, second, _ = stream.buffer.getvalue().split(b"\n")  # type: ignore[attr-defined]
    assert json.loads(first.decode("utf-8")) == {"name": "Straße 夏 \U0001f3f3"}
    assert second.startswith(b"Stra")
    assert second.endswith(rb" \x1b")


@pytest.mark.parametrize(
    "words",
    [
        ["\x1b[31mup\ndate"],
        ["upload", "--album", "A", "--wat\x1b]0;x\x07\n", "a.jpg"],
        ["upload", "--album", os.fsdecode(b"caf\xe9"), "a.jpg"],
        ["upload", "--album", "two\nlines", "a.jpg"],
        ["upload", "--album", "A", "--by", "\x1b[31m", "a.jpg"],
        ["upload", "--album", "A", os.fsdecode(b"/nowhere/\x1b]0;x\x07\xff\xc2\x9b.jpg")],
        ["try", os.fsdecode(b"/nowhere/\x1b]0;x\x07\n\xff.jpg")],
        ["up", "--set", "\x1b[31m"],
        ["up", "--title", os.fsdecode(b"\xff")],
        ["items", "--state", os.fsdecode(b"/nowhere/\x1b[31m\xff")],
        ["deploy", "--approver", "\x1b[31m"],
    ],
    ids=ascii,
)
def test_a_mistake_with_such_a_word_is_one_line_that_does_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = cli.main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.endswith("\n")
    assert said.err[:-1].isprintable()


def test_no_command_goes_around_it() -> None:
    """Whatever a command writes itself, no name is spelt in; a prompt and what a started program says are its own."""
    files = [*(ROOT / "infra/cli").rglob("*.py"), ROOT / "infra/deploy/aws.py", ROOT / "tasks/lifecycle/timeline.py"]
    found = [
        f"{path.name}:{node.lineno}"
        for path in [*files, ROOT / "infra/local/up.py"]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _writes(node)
    ]
    assert found == []


def _writes(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    prompt = bool(call.args) and isinstance(call.args[0], ast.Constant)
    return (called == "print" and not prompt) or called.endswith(("stdout.write", "stderr.write"))
