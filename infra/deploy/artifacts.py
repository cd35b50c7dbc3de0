"""Builds the Lambda artifacts: tasks/ with exactly the locked packages that a kind of function needs, compiled, measured.

Three kinds, so that ffmpeg (a third of a gigabyte to unpack at a cold start, were it everywhere) is only where it runs:
`slim` for the catalog, the pages and the mails' plumbing, `image` for pictures, `video` for ffmpeg.
boto3 comes with the runtime.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra import resources
from infra.errors import Failed

LOCK = resources.root() / "requirements.lock"
# Lambda's own bound on a function's code and layers, unpacked.
MOST_BYTES = 250 * 1024 * 1024
SLIM = ("aws-lambda-powertools", "jinja2", "msgspec")
IMAGE = (*SLIM, "pillow", "pillow-heif", "pymediainfo")
KINDS: dict[str, tuple[str, ...]] = {
    "slim": SLIM,
    "image": IMAGE,
    "video": (*SLIM, "pillow", "pymediainfo", "ffmpeg-python", "imageio-ffmpeg"),
}
# By Lambda's names. The runtimes from Python 3.12 on stand on glibc 2.34.
PLATFORMS = {"x86_64": "x86_64", "arm64": "aarch64"}
GLIBC = (34, 31, 28, 27, 26, 24, 17)
# What no function imports, and what an installation leaves lying about.
LITTER = ("*.dist-info/RECORD", "*.dist-info/direct_url.json", "bin", "**/*.pyi", "**/tests", "**/__pycache__")


@dataclass(frozen=True)
class Built:
    """An artifact's folder, and what its files weigh in bytes."""

    folder: Path
    bytes: int

    def line(self) -> str:
        return f"{self.folder.name:<24} {self.bytes / 1024 / 1024:6.1f} MB of {MOST_BYTES // 1024 // 1024}"


def build(kind: str, architecture: str, python: str) -> Built:
    """The artifact of this kind, made now unless what it is made of is the same as last time; raises Failed."""
    built = resources.workshop() / "build" / "lambda"
    folder = built / f"{kind}-{architecture}-py{python}"
    stamp = built / f"{folder.name}.made-of"
    ingredients = fingerprint(kind, find_python(python))
    if not (folder.is_dir() and stamp.is_file() and stamp.read_text() == ingredients):
        built.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=built) as scratch:
            made = Path(scratch) / "artifact"
            make(kind, architecture, python, made)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
        stamp.write_text(ingredients)
    return measured(folder)


def make(kind: str, architecture: str, python: str, folder: Path) -> None:
    """Install, add tasks/, take out the litter, compile."""
    install(KINDS[kind], architecture, python, folder)
    shutil.copytree(resources.package_folder("tasks"), folder / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    for pattern in LITTER:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    compile_all(folder, python)


def install(names: tuple[str, ...], architecture: str, python: str, folder: Path) -> None:
    """Wheels for Lambda's platform, at the lock's versions."""
    platforms = [f"manylinux_2_{minor}_{PLATFORMS[architecture]}" for minor in GLIBC]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pins:
        # No build of ours is wanted there: pip must not look at the running interpreter's markers.
        pins.write("\n".join(locked(python)) + "\n")
        pins.flush()
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        command += ["--target", str(folder), "--only-binary", ":all:", "--implementation", "cp", "--python-version", python]
        command += [part for name in (*platforms, f"manylinux2014_{PLATFORMS[architecture]}") for part in ("--platform", name)]
        done = subprocess.run([*command, "--constraint", pins.name, *names], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"pip could not install {', '.join(names)} for {architecture}:\n{done.stderr.strip()[-2000:]}")


def locked(python: str) -> list[str]:
    """The lock's `name==version` lines; of those with markers, the ones for this Python on Linux."""
    lines = [line.strip() for line in LOCK.read_text(encoding="utf-8").splitlines()]
    pins = [re.split(r"\s*;\s*", line, maxsplit=1) for line in lines if "==" in line and not line.startswith("#")]
    return [pin[0] for pin in pins if len(pin) == 1 or applies(pin[1], python)]


def applies(marker: str, python: str) -> bool:
    from packaging.markers import Marker

    target = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    return Marker(marker).evaluate({**target, "platform_python_implementation": "CPython", "implementation_name": "cpython"})


def compile_all(folder: Path, python: str) -> None:
    """Bytecode that needs no look at its source: a zip keeps no exact times. Without such a Python: none, and a word."""
    interpreter = find_python(python)
    if not interpreter:
        print(f"no Python {python} here, so no bytecode is shipped and cold starts are slower", file=sys.stderr)
        return
    command = [interpreter, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-j", "0", "-s", str(folder)]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"bytecode could not be compiled:\n{done.stdout.strip()[-2000:]}")


def find_python(version: str) -> str:
    """An interpreter of exactly this minor version, "" when there is none."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if own == version:
        return sys.executable
    found = shutil.which(f"python{version}")
    if not found:
        return ""
    # Version managers leave names on PATH behind which nothing is installed.
    works = subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
    return found if works else ""


def fingerprint(kind: str, compiler: str) -> str:
    """Changes when the lock, the recipe, any file of tasks/ or the Python that compiles does."""
    digest = hashlib.sha256(repr((KINDS[kind], compiler)).encode())
    tasks = resources.package_folder("tasks")
    sources = sorted(path for path in tasks.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    for path in (LOCK, Path(__file__)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for path in sources:
        digest.update(str(path.relative_to(tasks)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def measured(folder: Path) -> Built:
    """Weigh an artifact; raises Failed when Lambda would refuse it."""
    built = Built(folder, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
    if built.bytes > MOST_BYTES:
        heavy = sorted(folder.iterdir(), key=lambda path: -_weight(path))[:3]
        raise Failed(f"{built.line()}: too large for Lambda; the heaviest are {', '.join(path.name for path in heavy)}")
    return built


def _weight(path: Path) -> int:
    return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file()) if path.is_dir() else path.stat().st_size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--architecture", choices=PLATFORMS, default="arm64")
    parser.add_argument("--python", default="3.13")
    parser.add_argument("--into", type=Path, help="an empty folder that gets the files, as links where it can")
    arguments = parser.parse_args()
    try:
        built = build(arguments.kind, arguments.architecture, arguments.python)
    except Failed as fault:
        print(fault, file=sys.stderr)
        return 1
    if arguments.into:
        shutil.copytree(built.folder, arguments.into, copy_function=_link, dirs_exist_ok=True)
    print(built.line())
    return 0


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


if __name__ == "__main__":
    sys.exit(main())
