"""What a checkout holds: five folders of source, no large file, exact versions."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from contracts.house import ROOT
from packaging.requirements import Requirement

FOLDERS = {"state_machines", "tasks", "infra", "tests", "docs", ".ci", ".github"}
LARGEST = 500 * 1024
EXACT = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;]+)( ; .+)?$")


def files() -> list[Path]:
    """Every file that is committed or would be."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    """Every pinned version by package; raises AssertionError at a line that pins none."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    rows = [EXACT.match(line) or line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    loose = [row for row in rows if isinstance(row, str)]
    assert not loose, f"requirements.lock must pin exactly: {loose}"
    return {normal(row["name"]): row["version"] for row in rows if not isinstance(row, str)}


def required() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {}).values()
    return [Requirement(line) for line in [*project["dependencies"], *(line for extra in extras for line in extra)]]


def test_source_stands_in_five_folders() -> None:
    assert {path.parts[0] for path in files() if len(path.parts) > 1} <= FOLDERS


def test_no_large_file_is_committed() -> None:
    assert [(str(path), size) for path in files() if (size := (ROOT / path).stat().st_size) > LARGEST] == []


def test_the_lock_pins_every_requirement_to_a_version_that_it_allows() -> None:
    versions = locked()
    wrong = [str(row) for row in required() if not row.specifier.contains(versions.get(normal(row.name), "0"))]
    assert not wrong, f"requirements.lock does not satisfy {wrong}; run `make lock`"


def test_no_machine_path_is_named() -> None:
    """What works only where it was written works nowhere."""
    own = re.compile(rb"/(home|Users)/[a-z]+/")
    text = [
        path
        for path in files()
        if path.suffix in (".py", ".yaml", ".md", ".json", ".toml", ".js", ".html", "") and path.name != Path(__file__).name
    ]
    assert [str(path) for path in text if own.search((ROOT / path).read_bytes())] == []
