"""Greenroom's own files, in a checkout or out of an installed wheel, and the folder in which something is built of them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path

from infra.errors import Failed

PACKAGES = ("infra", "tasks")
# What the wheel brings of a checkout beside its packages: state_machines/ and requirements.lock (pyproject.toml).
BUNDLE = "_checkout"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", BUNDLE)


def default_cache() -> Path:
    """The user's cache folder, as the platform has it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "greenroom"
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "greenroom"


def package_folder(name: str) -> Path:
    """The folder of an importable package; raises Failed where it does not lie unpacked on a disk."""
    found = resources.files(name)
    if not isinstance(found, Path):
        raise Failed(f"{name} is read out of an archive: install Greenroom with pip, which unpacks it")
    return found


def is_checkout() -> bool:
    return not (package_folder("infra") / BUNDLE).is_dir()


def root() -> Path:
    """The folder with state_machines/ and requirements.lock, to read from."""
    own = package_folder("infra")
    return own.parent if is_checkout() else own / BUNDLE


@cache
def workshop() -> Path:
    """A folder laid out like a checkout, to build in: the checkout itself, else a copy of the wheel's files in the user's cache.

    An installed package's folder is not Greenroom's to write to, and often cannot be written to.
    """
    if is_checkout():
        return root()
    folder = default_cache() / "workshop" / _fingerprint()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            _settle(_lay_out(Path(scratch) / "tree"), folder)
    return folder


def _lay_out(folder: Path) -> Path:
    shutil.copytree(root(), folder)
    for name in PACKAGES:
        shutil.copytree(package_folder(name), folder / name, ignore=LEFT_OUT)
    return folder


def _settle(made: Path, folder: Path) -> None:
    """Into place at once; another command may have been faster, and made the same."""
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _fingerprint() -> str:
    """Changes with every file that the wheel brought, so that a newer Greenroom finds nothing of an older one."""
    digest = hashlib.sha256()
    for name in PACKAGES:
        own = package_folder(name)
        for path in sorted(path for path in own.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            digest.update(f"{name}/{path.relative_to(own)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
