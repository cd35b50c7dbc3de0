"""Who may import whom, and who alone may touch AWS and the environment."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.house import ROOT

ROOMS = ("catalog", "media", "site", "mail")
SOURCES = sorted((ROOT / "tasks").rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    """`tasks.catalog.items` -> catalog; a flat task module is `task`; what is not ours is ""."""
    parts = module.split(".")
    if parts[0] == "infra":
        return "infra"
    if parts[0] != "tasks" or len(parts) == 1:
        return ""
    return parts[1] if parts[1] in (*ROOMS, "core") else "task"


ALLOWED = {
    "core": {"core"},
    **{name: {name, "core"} for name in ROOMS},
    "task": {"task", *ROOMS, "core"},
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def trespasses(path: Path) -> list[str]:
    """Imports that point up or sideways."""
    own = room(name_of(path))
    return [
        f"{name_of(path)} imports {module}"
        for module in imports(path)
        if own and room(module) and room(module) not in ALLOWED[own]
    ]


def test_imports_point_down_only() -> None:
    assert [wrong for path in SOURCES for wrong in trespasses(path)] == []


def test_import_linter_agrees() -> None:
    """The same rule by its own tool, which follows indirect imports too (pyproject's contracts)."""
    linter = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    run = subprocess.run(linter, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


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
