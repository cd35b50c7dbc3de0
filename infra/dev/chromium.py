"""Finds a Chromium for the tests in a browser: on PATH, else Playwright's own, else Debian's package where we may install it.

`python -m infra.dev.chromium` prints its path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.errors import Failed

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    "no Chromium was found: install one (Debian: apt install chromium; macOS: brew install --cask chromium), "
    "or name one in GREENROOM_CHROMIUM"
)


def find() -> str:
    """The path of a Chromium that is here; "" when there is none."""
    named = os.environ.get("GREENROOM_CHROMIUM", "")
    if named:
        return named if Path(named).exists() else ""
    return next(filter(None, map(shutil.which, NAMES)), "") or _playwrights()


def ensure() -> str:
    """The path of a Chromium, installed when need be; raises Failed saying how to get one."""
    found = find()
    if not found and not os.environ.get("GREENROOM_CHROMIUM"):
        _install()
        found = find()
    if not found:
        raise Failed(MISSING)
    return found


def _playwrights() -> str:
    """The browser that Playwright has downloaded; it can be asked without starting one."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return ""
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else ""


def _install() -> None:
    """Playwright's own download first; it needs no rights. Then Debian's package, where we are root."""
    _try([sys.executable, "-m", "playwright", "install", "chromium"])
    if not find() and shutil.which("apt-get") and os.geteuid() == 0:
        _try(["apt-get", "update", "-qq"])
        _try(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])


def _try(command: list[str]) -> None:
    """Run it; whether it helped is seen by looking for a Chromium again."""
    sys.stderr.write(f"{' '.join(command[-4:])} ...\n")
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600, check=False)


def main() -> int:
    try:
        sys.stdout.write(f"{ensure()}\n")
    except Failed as fault:
        sys.stderr.write(f"{fault}\n")
        return fault.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
