"""aws-sam-cli in an environment of its own: its pins and Greenroom's do not agree."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from infra import resources
from infra.errors import Failed

VERSION = "1.170.0"
ENVIRONMENT = (resources.root() if resources.is_checkout() else resources.default_cache()) / ".venv-sam"
PROGRAM = ENVIRONMENT / "bin" / "sam"
MARK = ENVIRONMENT / f".aws-sam-cli-{VERSION}"


def install() -> None:
    """Make the environment unless it is there with this version; raises Failed with pip's words."""
    if MARK.exists():
        return
    print(f"Installing aws-sam-cli {VERSION} into {ENVIRONMENT.name} ...", file=sys.stderr)
    _call([sys.executable, "-m", "venv", str(ENVIRONMENT)], "no environment could be made")
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _call([*pip, f"aws-sam-cli=={VERSION}"], "aws-sam-cli could not be installed")
    MARK.touch()


def run(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run `sam ...` and return what it printed; raises Failed with the end of it when it did not succeed."""
    install()
    told = {**os.environ, "SAM_CLI_TELEMETRY": "0", "PYTHON": sys.executable, **(environment or {})}
    return _call([str(PROGRAM), *arguments], f"sam {arguments[0]} failed", told)


def _call(command: list[str], complaint: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=resources.workshop(), env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{complaint}: {(done.stderr or done.stdout).strip()[-1500:]}")
    return done.stdout + done.stderr
