"""Who may import whom, and who alone may touch AWS and the environment."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.house import ROOT

ROOMS = ("catalog", "media", "site", "mail")
SOURCES = sorted((ROOT / "tasks").rglob("*.py"))
INFRA = sorted((ROOT / "infra").rglob("*.py"))
HANDLERS = sorted(path.stem for path in (ROOT / "tasks").glob("*.py") if path.stem != "__init__")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    """`tasks.catalog.items` -> catalog; a flat task module is its own, `publish`; what is not ours is ""."""
    parts = module.split(".")
    if parts[0] == "infra":
        return "infra"
    return parts[1] if parts[0] == "tasks" and len(parts) > 1 else ""


ALLOWED = {
    "core": {"core"},
    **{name: {name, "core"} for name in ROOMS},
    "lifecycle": {"lifecycle", *ROOMS, "core"},
    **{name: {name, "lifecycle", *ROOMS, "core"} for name in HANDLERS},
    "infra": {"infra", "lifecycle", *ROOMS, "core"},
}


def name_of(path: Path, root: Path = ROOT) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts)


def trespasses(path: Path, root: Path = ROOT) -> list[str]:
    """Imports that point up or sideways."""
    own = room(name_of(path, root))
    return [
        f"{name_of(path, root)} imports {module}"
        for module in imports(path)
        if own in ALLOWED and room(module) in ALLOWED and room(module) not in ALLOWED[own]
    ]


def test_imports_point_down_only() -> None:
    assert [wrong for path in [*SOURCES, *INFRA] for wrong in trespasses(path)] == []


def test_every_folder_of_tasks_is_a_room_with_its_rule() -> None:
    folders = {path.parent.name for path in (ROOT / "tasks").glob("*/__init__.py")}
    assert folders == {*ROOMS, "lifecycle", "core"}


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("tasks/sweep.py", "from tasks.publish import publish"),
        ("tasks/sweep.py", "from tasks import publish"),
        ("tasks/lifecycle/failure.py", "import tasks.publish"),
        ("tasks/catalog/items.py", "from tasks.lifecycle.attempts import begin"),
        ("tasks/media/sound.py", "from tasks.catalog import Catalog"),
        ("infra/cli/main.py", "from tasks.publish import publish"),
        ("tasks/publish.py", "from infra.terminal import out"),
    ],
)
def test_no_import_sideways_or_upwards_goes_unseen(tmp_path: Path, module: str, line: str) -> None:
    path = tmp_path / module
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert trespasses(path, tmp_path)


def test_import_linter_knows_every_handler() -> None:
    """One that is missing in its list might serve others as a library."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["name"].startswith("Imports point down")]
    assert sorted(layers[0].split(" | ")) == sorted(["infra", *(f"tasks.{name}" for name in HANDLERS)])
    assert not any("ignore_imports" in contract for contract in contracts)


def test_import_linter_agrees() -> None:
    """The same rule by its own tool, which follows indirect imports too (pyproject's contracts)."""
    linter = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    run = subprocess.run(linter, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


def test_only_attempts_starts_an_execution() -> None:
    """Names and inputs of executions are spelt once: nobody else calls a machine's `start`."""
    guilty = {name_of(path) for path in [*SOURCES, *INFRA] if list(starts(path))}
    assert guilty == {"tasks.lifecycle.attempts"}


def test_only_core_names_spells_an_executions_name() -> None:
    guilty = {name_of(path) for path in [*SOURCES, *INFRA] if list(spelt_names(path))}
    assert guilty == {"tasks.core.names"}


@pytest.mark.parametrize(
    "line", ["machine.start('x-1', {})", "self.machine.start(record.execution, {})", "f'{item.id}-{item.attempt}'"]
)
def test_no_execution_started_elsewhere_goes_unseen(tmp_path: Path, line: str) -> None:
    path = tmp_path / "sly.py"
    path.write_text(line)
    assert [*starts(path), *spelt_names(path)]


def starts(path: Path) -> Iterator[int]:
    """Lines that call `start` of something called a machine."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("machine.start"):
            yield node.lineno


def spelt_names(path: Path) -> Iterator[int]:
    """Lines that put an id and an attempt together, with a dash between."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr) and re.search(r"id\}-\{[^{}]*attempt", ast.unparse(node)):
            yield node.lineno


def test_only_core_aws_imports_boto3() -> None:
    guilty = [name_of(path) for path in SOURCES if any(name.split(".")[0] in ("boto3", "botocore") for name in imports(path))]
    assert guilty and all(name.startswith("tasks.core.aws.") for name in guilty), guilty


def test_only_core_settings_reads_the_environment() -> None:
    guilty = {name_of(path) for path in SOURCES if list(environment_reads(path))}
    assert guilty == {"tasks.core.settings"}


@pytest.mark.parametrize(
    "line", ["import os\nos.environ['A']", "import os\nos.getenv('A')", "from os import environ", "from os import getenv as g"]
)
def test_no_way_to_the_environment_goes_unseen(tmp_path: Path, line: str) -> None:
    path = tmp_path / "sly.py"
    path.write_text(line)
    assert list(environment_reads(path))


def environment_reads(path: Path) -> Iterator[int]:
    """Lines that reach for the environment."""
    words = ("environ", "getenv", "environb")
    for node in ast.walk(ast.parse(path.read_text())):
        read = (
            isinstance(node, ast.Attribute) and node.attr in words and isinstance(node.value, ast.Name) and node.value.id == "os"
        )
        imported = isinstance(node, ast.ImportFrom) and node.module == "os" and any(alias.name in words for alias in node.names)
        if read or imported:
            yield node.lineno


def layers_of_infra() -> list[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (own,) = (contract for contract in contracts if contract["name"].startswith("infra: "))
    assert "ignore_imports" not in own
    return [module for layer in own["layers"] for module in layer.split(" | ")]


def test_every_module_of_infra_stands_in_a_room() -> None:
    """What no layer names could be imported from anywhere."""
    modules = {name_of(path).removesuffix(".__init__") for path in (ROOT / "infra").rglob("*.py")} - {"infra", "infra.dev"}
    layers = layers_of_infra()
    assert [name for name in sorted(modules) if not any(f"{name}.".startswith(f"{layer}.") for layer in layers)] == []


def test_import_linter_sees_every_module() -> None:
    """It walks packages, and takes a folder without an __init__.py for none."""
    folders = {path.parent for room in ("tasks", "infra") for path in (ROOT / room).rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []
