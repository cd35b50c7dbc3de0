"""A log line must not be what fails: Python's logging refuses an extra field that bears the name of one of its own."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

from contracts.house import ROOT

OWN = {*vars(logging.makeLogRecord({})), "message", "asctime"}
# What would put a secret into a log that many may read.
SECRETS = {"token", "secret", "cookie", "nonce", "password"}


def extras(path: Path) -> Iterator[tuple[int, str]]:
    """(line, key) of every field that a file's log calls add."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Dict):
            yield from ((key.lineno, str(key.value)) for key in node.value.keys if isinstance(key, ast.Constant))


def all_extras() -> dict[str, set[str]]:
    """Where each field is used, by its name."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        for line, key in extras(path):
            found.setdefault(key, set()).add(f"{path.relative_to(ROOT)}:{line}")
    return found


def test_no_field_bears_a_name_of_loggings_own() -> None:
    assert {key: where for key, where in all_extras().items() if key in OWN} == {}


def test_no_field_is_a_secret() -> None:
    assert {key: where for key, where in all_extras().items() if key in SECRETS} == {}


def test_fields_are_found() -> None:
    assert "item" in all_extras() or "items" in all_extras()
