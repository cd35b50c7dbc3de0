"""A state, its module, its handler and its function resource bear one name; what is missing is named.

The second half proves it: every transition, function resource and module is deleted once, in a copy, and the
complaint must name what is gone.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from contracts.house import ROOT, House
from machines.definition import LOADER, Transition, definitions

HERE = House(ROOT)
TRANSITIONS = [(definition.name, way) for definition in definitions() for way in definition.transitions]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the complaints read."""
    folder = tmp_path_factory.mktemp("house")
    for part in ("state_machines", "tasks", "infra/templates", "docs/images"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    return folder


@contextmanager
def changed(path: Path, text: str | None) -> Iterator[None]:
    """The file with other content, or without the file, for as long as the block lasts."""
    before = path.read_text()
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    try:
        yield
    finally:
        path.write_text(before)


def test_everything_bears_one_name() -> None:
    assert HERE.machines and HERE.modules and HERE.functions
    assert HERE.complaints() == []


@pytest.mark.parametrize(("machine", "way"), TRANSITIONS, ids=str)
def test_a_deleted_transition_is_named(copy: Path, machine: str, way: Transition) -> None:
    path = copy / "state_machines" / f"{machine}.asl.yaml"
    body = yaml.load(path.read_text(), LOADER)
    _delete(body, way)
    with changed(path, yaml.safe_dump(body)):
        complaints = House(copy).complaints()
    assert [line for line in complaints if way.source in line or way.target in line]


@pytest.mark.parametrize("resource", HERE.functions)
def test_a_deleted_function_resource_is_named(copy: Path, resource: str) -> None:
    name = next(name for name, template in HERE.templates.items() if resource in template["Resources"])
    path = copy / "infra" / "templates" / name
    with changed(path, _without_block(path.read_text(), resource)):
        complaints = House(copy).complaints()
    assert [line for line in complaints if f"no resource {resource} " in line]


@pytest.mark.parametrize("module", HERE.modules)
def test_a_deleted_module_is_named(copy: Path, module: str) -> None:
    with changed(copy / "tasks" / f"{module}.py", None):
        complaints = House(copy).complaints()
    assert [line for line in complaints if f"no module tasks/{module}.py" in line]


def test_a_module_without_a_handler_is_named(copy: Path) -> None:
    with changed(copy / "tasks" / "publish.py", "def publish(request: str) -> str:\n    return request\n"):
        assert "tasks/publish.py has no handler" in House(copy).complaints()


def _delete(body: dict[str, Any], way: Transition) -> None:
    """Take one way out of a state away; a rule or a Catch goes as a whole."""
    state = _find(body, way.source)
    assert state is not None
    field, _, index = way.via.partition("[")
    if index:
        del state[field][int(index.rstrip("]"))]
    else:
        del state[field]


def _find(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    if name in body["States"]:
        found: dict[str, Any] = body["States"][name]
        return found
    inner = [
        scope
        for state in body["States"].values()
        for scope in [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]
    ]
    return next((found for scope in inner if (found := _find(scope, name))), None)


def _without_block(text: str, name: str) -> str:
    """A template without one resource: its line and everything indented below it."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        inside = line.startswith(f"  {name}:") or (inside and (line.startswith("   ") or not line.strip()))
        if not inside:
            kept.append(line)
    return "".join(kept)
