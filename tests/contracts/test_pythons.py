"""The Pythons that Greenroom says it runs on: everywhere the same range, wheels for all of them, and one line on any other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
from contracts.house import ROOT
from packaging.specifiers import SpecifierSet

from tests.pythons import SUITABLE, TESTS, found, version_of

VERSIONS = [f"{major}.{minor}" for major, minor in SUITABLE]
UV = str(Path(sysconfig.get_path("scripts")) / "uv")


# Wheels


def resolved(lock: Path, version: str, architecture: str, *more: str) -> subprocess.CompletedProcess[str]:
    """What an installation of the lock would take on Linux, from wheels alone; nothing is downloaded or installed."""
    wheels = ["--only-binary", ":all:", "--python-version", version, "--python-platform", f"{architecture}-manylinux_2_28"]
    command = [UV, "pip", "install", "--dry-run", "--no-config", "--target", str(lock.parent / "nowhere"), *wheels, *more]
    return subprocess.run([*command, "--requirement", str(lock)], capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_lock_has_wheels(version: str, architecture: str, tmp_path: Path) -> None:
    """Asks the package index, as `make` itself does."""
    lock = Path(shutil.copy(ROOT / "requirements.lock", tmp_path))
    done = resolved(lock, version, architecture)
    assert done.returncode == 0, done.stderr
    assert "pillow-heif==" in done.stderr and "msgspec==" in done.stderr


def test_a_package_that_is_source_only_is_seen(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    shutil.make_archive(str(shelf / "toy-1.0"), "gztar", ROOT / "state_machines")
    lock = tmp_path / "requirements.lock"
    lock.write_text("toy==1.0\n")
    done = resolved(lock, "3.14", "x86_64", "--no-index", "--find-links", str(shelf))
    assert done.returncode != 0 and "toy" in done.stderr and "wheels" in done.stderr


# One range


def test_everything_names_the_same_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    allowed = SpecifierSet(project["requires-python"])
    assert [f"3.{minor}" for minor in range(8, 20) if f"3.{minor}" in allowed] == VERSIONS
    prefix = "Programming Language :: Python :: "
    assert [row.removeprefix(prefix) for row in project["classifiers"] if row.startswith(prefix)] == VERSIONS
    for page in ("README.md", "CONTRIBUTING.md", "docs/tutorial.md", "docs/how-to/deploy.md"):
        ranges = re.findall(r"Python (3\.\d+) (?:to (3\.\d+)|or newer)", (ROOT / page).read_text())
        assert ranges and set(ranges) == {(VERSIONS[0], VERSIONS[-1])}, page


# Which one `make` takes


def pretend(folder: Path, name: str, version: tuple[int, int, int]) -> Path:
    """A program that is the Python of this test and says that it is another one; it makes no environment."""
    told = f"import sys; sys.version_info = {(*version, 'final', 0)}; "
    text = f"""#!/bin/sh
case "$1" in
-V) echo "Python {".".join(map(str, version))}" ;;
-c) exec "{sys.executable}" -c "{told}$2" ;;
*) echo "asked for: $0 $*" >&2; exit 99 ;;
esac
"""
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def make_venv(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """`make venv` of a fresh checkout on a machine whose PATH is `folder` alone."""
    checkout = folder / "checkout"
    checkout.mkdir(exist_ok=True)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    make = shutil.which("make")
    assert make, "make is needed"
    command = [make, "--no-print-directory", "venv", *more]
    return subprocess.run(
        command, cwd=checkout, env={"PATH": str(folder)}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("version", [(3, 15, 0), (3, 10, 13), (2, 7, 18)])
def test_a_machine_with_another_python_only_is_told_in_one_line(tmp_path: Path, version: tuple[int, int, int]) -> None:
    pretend(tmp_path, "python3", version)
    done = make_venv(tmp_path)
    said = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert done.returncode == 2 and done.stdout == ""
    assert len(said) == 1 and f"needs Python 3.11 to 3.14 and finds Python {'.'.join(map(str, version))}" in said[0]


def test_a_machine_without_python_is_told_in_one_line(tmp_path: Path) -> None:
    done = make_venv(tmp_path)
    said = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert done.returncode == 2 and len(said) == 1 and "finds no Python" in said[0]


def test_a_python_that_was_named_is_judged_as_well(tmp_path: Path) -> None:
    pretend(tmp_path, "python3.13", (3, 13, 1))
    named = pretend(tmp_path, "mine", (3, 15, 0))
    done = make_venv(tmp_path, f"PYTHON={named}")
    assert done.returncode == 2 and "finds Python 3.15.0" in done.stderr


def test_the_newest_suitable_python_is_taken(tmp_path: Path) -> None:
    for name, version in (
        ("python3", (3, 15, 0)),
        ("python3.11", (3, 11, 2)),
        ("python3.14", (3, 14, 1)),
        ("python3.13", (3, 13, 9)),
    ):
        pretend(tmp_path, name, version)
    done = make_venv(tmp_path)
    assert "python3.14 -m venv .venv" in done.stderr and "needs Python" not in done.stderr


def test_an_environment_of_a_python_that_does_not_fit_is_named(tmp_path: Path) -> None:
    pretend(tmp_path, "python3.14", (3, 14, 1))
    programs = tmp_path / "checkout" / ".venv" / "bin"
    programs.mkdir(parents=True)
    pretend(programs, "python", (3, 15, 0))
    done = make_venv(tmp_path)
    assert done.returncode == 2 and "remove that folder" in done.stderr


# Which ones `make pythons` finds


def test_of_several_programs_each_suitable_version_is_found_once(tmp_path: Path) -> None:
    first = pretend(tmp_path, "first", (3, 12, 1))
    pretend(tmp_path, "shim", (3, 13, 0)).write_text("#!/bin/sh\nexit 127\n")
    real = pretend(tmp_path, "real", (3, 13, 0))
    names = ("first", "again", "shim", "real", "old", "new", "absent")
    pretend(tmp_path, "again", (3, 12, 9)), pretend(tmp_path, "old", (3, 10, 0)), pretend(tmp_path, "new", (3, 15, 0))
    assert found(tmp_path / name for name in names) == {(3, 12): first, (3, 13): real}
    assert version_of(Path(sys.executable)) == sys.version_info[:2]


def test_the_tests_that_every_python_runs_are_there() -> None:
    assert [name for name in TESTS if not (ROOT / name).exists()] == []
