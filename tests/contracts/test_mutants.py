"""The mutants fit the checkout as it is, and every promise has one. Whether they are killed, `make mutants` says."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from contracts.house import ROOT

from tests.mutants import Mutant, named, one_line, read, red_before, run

MUTANTS = read()
# Sections that promise nothing a test could break: figures, tours, what has yet to come.
WITHOUT = {
    "docs/reference/local.md": {"The demo", "What differs from AWS", "Without the checkout"},
}
PAGES = ("approval.md", "catalog.md", "formats.md", "left-out.md", "local.md", "settings.md")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_can_be_applied(mutant: Mutant) -> None:
    assert mutant.complaints(ROOT) == []
    assert mutant.find != mutant.replace


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_must_notice_a_mutant_exist(mutant: Mutant) -> None:
    assert mutant.tests
    assert [test for test in mutant.tests if not exists(test)] == []


def exists(test: str) -> bool:
    """Whether a file or node id (its parameters aside) is there, read without importing it."""
    file, _, name = re.sub(r"\[.*", "", test).partition("::")
    return (ROOT / file).is_file() and (not name or name in _tests(ROOT / file))


@cache
def _tests(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_every_reason_of_the_readme_has_a_mutant() -> None:
    reasons = re.search(r"## Why this one\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.DOTALL)
    assert reasons
    bare = [reason for reason in reasons[1].split("\n- ")[1:] if not _said("README.md", reason)]
    assert bare == [], "tests/mutants.yaml needs a mutant that quotes each"


@pytest.mark.parametrize("name", PAGES)
def test_every_section_of_a_reference_page_has_a_mutant(name: str) -> None:
    page = f"docs/reference/{name}"
    whole = (ROOT / page).read_text()
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", whole, re.DOTALL | re.MULTILINE)) or {page: whole}
    bare = {title for title, text in sections.items() if not _said(page, text)}
    assert bare == WITHOUT.get(page, set()), "tests/mutants.yaml needs a mutant that quotes each of the others"


def _said(page: str, text: str) -> bool:
    return any(mutant.page == page and one_line(mutant.says) in one_line(text) for mutant in MUTANTS)


def test_code_that_moved_and_text_that_is_there_twice_are_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("It is\nkept.")
    (tmp_path / "code.py").write_text("a = 1\nb = 1\n")
    mutant = Mutant("kept", "page.md", "is kept", "code.py", "a = 1", "a = 2", ())
    assert mutant.complaints(tmp_path) == []
    assert replace(mutant, find="= 1").complaints(tmp_path) == ["kept: `find` stands in code.py 2 times, not once"]
    assert replace(mutant, find="c").complaints(tmp_path) == ["kept: `find` stands in code.py 0 times, not once"]
    assert replace(mutant, file="moved.py").complaints(tmp_path) == ["kept: there is no moved.py"]
    assert replace(mutant, says="is lost").complaints(tmp_path) == ["kept: page.md does not say 'is lost'"]


def test_an_entry_that_lacks_a_key_or_takes_a_name_is_refused(tmp_path: Path) -> None:
    entry = "- {name: a, promise: {p: s}, file: f, find: x, replace: y, tests: [t]}\n"
    table = tmp_path / "mutants.yaml"
    table.write_text(entry * 2)
    with pytest.raises(ValueError, match="more than one mutant is called a"):
        read(table)
    table.write_text(entry.replace("find: x, ", ""))
    with pytest.raises(ValueError, match="should have"):
        read(table)


def test_the_test_that_failed_is_read_from_pytests_summary() -> None:
    said = (
        "F\nFAILED tests/a.py::test_one[two words - and more] - assert 1 == 2\nERROR tests/b.py::test_it - OSError: no\n1 failed"
    )
    assert named(said) == ["tests/a.py::test_one[two words - and more]", "tests/b.py::test_it"]


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A checkout with one promise and its test."""
    (tmp_path / "page.md").write_text("Two and two are four.")
    (tmp_path / "sums.py").write_text("def add(a, b):\n    return a + b\n")
    (tmp_path / "test_sums.py").write_text("from sums import add\n\n\ndef test_add():\n    assert add(2, 2) == 4\n")
    return tmp_path


@pytest.mark.parametrize(
    ("replacement", "words"),
    [
        ("a - b", "killed by test_add"),
        ("a * b", "SURVIVED"),
        ("a +", "ERROR: pytest ends with 2"),  # no test failed: none was run
    ],
)
def test_only_a_failed_test_kills(toy: Path, replacement: str, words: str) -> None:
    before = (toy / "sums.py").read_text()
    mutant = Mutant("sum", "page.md", "are four", "sums.py", "a + b", replacement, ("test_sums.py",))
    assert run(mutant, toy).words.startswith(words)
    assert (toy / "sums.py").read_text() == before


def test_tests_that_fail_without_a_mutant_are_named(toy: Path) -> None:
    assert red_before(["test_sums.py"], toy) == []
    (toy / "sums.py").write_text("def add(a, b):\n    return 5\n")
    assert red_before(["test_sums.py"], toy) == ["test_sums.py::test_add"]
