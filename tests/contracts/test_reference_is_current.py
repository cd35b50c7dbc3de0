"""What the pages say is what the code does: settings, commands, and every command that a reader may copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from contracts.house import ROOT, House

from infra.cli.main import COMMANDS, main, overview, parser_for
from infra.dev import docs
from tasks.core.settings import Settings

HERE = House(ROOT)
HELPERS = {"__init__"}
TARGET = re.compile(r"^([a-z][a-z0-9_-]*)\s*:(?!=)", re.MULTILINE)
PAGES = sorted(path for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")] if path.is_file())


def copied(path: Path, program: str) -> Iterator[str]:
    """The first word after `make` or `greenroom` in a page's code: fenced blocks and spans."""
    text = path.read_text()
    fenced = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    for line in [*(line for block in fenced for line in block.splitlines()), *spans]:
        found = re.match(rf"\s*(?:\$ )?{program} +([a-z][a-z0-9_-]*)", line)
        if found:
            yield found[1]


def targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text()))


def test_generated_pages_are_current() -> None:
    assert docs.stale() == [], "run `python -m infra.dev.docs`"


def test_a_setting_that_nobody_documented_would_be_found(tmp_path: Path) -> None:
    docs.write(tmp_path)
    assert docs.stale(tmp_path) == []
    page = tmp_path / "settings.md"
    page.write_text(page.read_text().replace("`PAGE_SIZE`", "`PAGES`"))
    assert docs.stale(tmp_path) == ["settings.md"]


@pytest.mark.parametrize("row", fields(Settings), ids=lambda row: row.name)
def test_a_setting_says_what_it_is(row: Any) -> None:
    assert row.metadata["doc"].endswith(".") and len(row.metadata["doc"].split()) >= 3


def test_the_commands_are_those_that_are_implemented() -> None:
    modules = {path.stem for path in (ROOT / "infra" / "cli" / "commands").glob("*.py")} - HELPERS
    assert set(COMMANDS) == modules


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself(name: str) -> None:
    parser = parser_for(name)
    assert parser.description and f"greenroom {name}" in (parser.epilog or ""), "it shows an example of itself"
    assert f"\n  {name} " in overview()
    silent = [action.dest for action in docs.arguments_of(parser) if not action.help and not action.choices]
    assert silent == [], f"greenroom {name} --help says nothing of these"


def test_an_unknown_command_gets_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publsh"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "publsh" in said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_on_a_page_exists(page: Path) -> None:
    assert set(copied(page, "make")) <= targets()
    assert set(copied(page, "greenroom")) <= set(COMMANDS)


def test_templates_set_the_settings_and_nothing_else() -> None:
    """A misspelt variable would silently leave a default in force."""
    known = {row.name.upper() for row in fields(Settings)}
    allowed = ("AWS_", "POWERTOOLS_", "LD_LIBRARY_PATH", "PYTHON")
    strange = {name for name in variables() if name not in known and not name.startswith(allowed)}
    assert strange == set()
    assert {row.name.upper() for row in fields(Settings) if row.metadata["required"]} <= variables()


def variables() -> set[str]:
    """Every environment variable that some template gives some function."""
    found: set[str] = set()
    for template in HERE.templates.values():
        shared = template.get("Globals", {}).get("Function", {})
        bodies = [shared, *(resource.get("Properties", {}) for resource in template.get("Resources", {}).values())]
        for body in bodies:
            variables = body.get("Environment", {}) if isinstance(body, dict) else {}
            found |= set(variables.get("Variables", {}))
    return found
