"""The keys of the tables' rows are spelt in tasks/catalog/rows.py, and nowhere else in tasks/ or infra/."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.house import ROOT

ROWS = Path("tasks/catalog/rows.py")
# How keys begin (docs/reference/catalog.md), wherever a text stands.
STARTS = (
    *("item#", "content#", "live#", "by#", "album#", "label#", "lease#", "status#"),
    *("execution#", "decision#", "link#", "session#", "device#"),
)
# What takes a row's partition, or its whole key, before anything else.
TAKES_A_KEY = ("get", "find", "home", "look_for", "update", "delete", "query")


def sources(root: Path) -> Iterator[Path]:
    for room in ("tasks", "infra"):
        yield from (path for path in sorted((root / room).rglob("*.py")) if "node_modules" not in path.parts)


def texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Every text of a module but its docstrings, with its line; of an f-string what comes before its first value."""
    docs = {
        id(each.body[0].value)
        for each in ast.walk(node)
        if isinstance(each, ast.Module | ast.ClassDef | ast.FunctionDef) and each.body and isinstance(each.body[0], ast.Expr)
    }
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in docs:
            yield each.lineno, each.value


def spelt(path: Path) -> list[str]:
    """The keys that a module spells out."""
    module = ast.parse(path.read_text())
    found = [f"{line}: {text!r}" for line, text in texts(module) if text.startswith(STARTS)]
    for node in ast.walk(module):
        if isinstance(node, ast.Dict):
            found += [f"{key.lineno}: a row with {key.value!r}" for key in node.keys if _is(key, "pk", "sk")]
        if isinstance(node, ast.Call) and _on_a_table(node):
            found += [f"{part.lineno}: a key in words" for part in node.args[:1] if _is_text(part)]
    return found


def _is(node: ast.expr | None, *values: str) -> bool:
    return isinstance(node, ast.Constant) and node.value in values


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _on_a_table(node: ast.Call) -> bool:
    """`self._table.get("labels", ...)`."""
    whose = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr in TAKES_A_KEY else None
    named = whose.attr if isinstance(whose, ast.Attribute) else whose.id if isinstance(whose, ast.Name) else ""
    return named.endswith(("table", "home"))


def complaints(root: Path) -> list[str]:
    """Keys that stand elsewhere. core's Table has `pk` and `sk` as the names that every key has."""
    return [
        f"{path.relative_to(root)}:{wrong}"
        for path in sources(root)
        if path.relative_to(root) not in (ROWS, Path("tasks/core/aws/dynamodb.py"))
        for wrong in spelt(path)
    ]


def test_keys_stand_in_one_file() -> None:
    assert complaints(ROOT) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('self._table.get(f"item#{id}", "review")', "'item#'"),
        ('Write({"pk": id, "sk": "review"}, check=True)', "a row with 'pk'"),
        ('self._table.query("approvers")', "a key in words"),
        ('table.update("labels", label, "ADD #count :one")', "a key in words"),
        ('row["pk"].removeprefix("session#")', "'session#'"),
    ],
)
def test_a_key_that_stands_elsewhere_is_named(tmp_path: Path, line: str, what: str) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "new.py").write_text(f'"""A module about item#."""\n\nfound = {line}\n')
    assert [row for row in complaints(tmp_path) if row.startswith("tasks/new.py:3: ") and what in row]
