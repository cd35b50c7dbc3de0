"""What Greenroom installs may be used: the licence texts of its packages are read, since metadata has been wrong."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from contracts.house import ROOT
from contracts.licences import NEVER, Package, families, installed, npm_packages, unpacked
from packaging.requirements import Requirement

EXCEPTIONS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "tests" / "contracts" / "licences.yaml").read_text())
LOCKS = sorted(path for path in (ROOT / "infra").rglob("package-lock.json") if "node_modules" not in path.parts)
LONG = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software. " * 6
AGPL = "                    GNU AFFERO GENERAL PUBLIC LICENSE\n                       Version 3, 19 November 2007\n\n" + LONG
GPL = "GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991\n\n" + LONG
GPL_3_SAYS = (
    "you have permission to link or combine any covered work with a work licensed under version 3 of the GNU Affero General "
    "Public License into a single combined work, and to convey the resulting work."
)
MPL_SAYS = (
    "means either the GNU General Public License, Version 2.0, the GNU\nLesser General Public License, Version 2.1, the "
    "GNU Affero General\nPublic License, Version 3.0, or any later versions of those licenses."
)
FREETYPE_SAYS = "- The   GNU   General   Public   License   version   2,   found   in\n    `docs/GPLv2.TXT`  (any  later  version"
AUTOCONF_SAYS = (
    "# This program is free software: you can redistribute it\n# under the terms of the GNU General Public License as published"
)


def complaints(packages: Iterable[Package], exceptions: dict[str, Any], *, stale: bool = True) -> list[str]:
    """A sentence for each package without the line that it needs, and (`stale`) for each line without its package."""
    found: dict[str, frozenset[str]] = {}
    for package in packages:
        row = next((pattern for pattern in exceptions if fnmatchcase(package.name, pattern)), package.name)
        found[row] = found.get(row, frozenset()) | package.found()
    told = {name: frozenset(row["found"]) for name, row in exceptions.items()}
    never = [f"{name} is {NEVER}: take it out" for name, marks in found.items() if NEVER in marks]
    new = [f"{name}: {', '.join(sorted(marks - told.get(name, frozenset())))}" for name, marks in found.items()]
    old = [
        f"{name} has no {', '.join(sorted(gone))} any more"
        for name, marks in told.items()
        if (gone := marks - found.get(name, frozenset()))
    ]
    return never + [line for line in new if not line.endswith(": ")] + (old if stale else [])


def required() -> list[str]:
    """The packages of requirements.lock that this machine needs."""
    rows = [
        line
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    wanted = [Requirement(row) for row in rows]
    return [row.name for row in wanted if row.marker is None or row.marker.evaluate()]


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> list[Package]:
    """Everything that the lock files under infra/ install, as `npm ci` puts it there."""
    return [package for lock in LOCKS for package in npm_packages(_installed(lock, tmp_path_factory.mktemp(lock.parent.name)))]


def _installed(lock: Path, folder: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(lock.with_name(name), folder)
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(npm, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return folder / lock.name


def test_every_wheel_may_be_used() -> None:
    # A wheel for macOS bundles other libraries: a line that is needed on Linux may have no reason there.
    found = complaints([installed(name) for name in required()], EXCEPTIONS["python"], stale=sys.platform == "linux")
    assert found == [], "look, then take it out or write a line into tests/contracts/licences.yaml"


def test_every_npm_package_may_be_used(npm: list[Package]) -> None:
    assert len(LOCKS) >= 3 and {"photoswipe", "asl-validator"} <= {package.name for package in npm if package.files}
    assert complaints(npm, EXCEPTIONS["npm"]) == []


def test_what_benchmarks_compare_with_is_no_agpl_either() -> None:
    """`make bench-media` alone installs it, beside the project; its lock file says under which licences."""
    found = {package.name: package.found() for package in npm_packages(ROOT / "tests" / "benchmarks" / "package-lock.json")}
    assert len(found) > 10 and not [name for name, marks in found.items() if NEVER in marks]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, rows in EXCEPTIONS.items() for name in rows])
def test_an_exception_has_its_date_and_reason_and_is_never_agpl(kind: str, name: str) -> None:
    row = EXCEPTIONS[kind][name]
    assert isinstance(row["date"], datetime.date) and len(row["why"].split()) >= 5
    assert row["found"] and NEVER not in row["found"]


def package(folder: Path, name: str = "toy", **texts: str | bytes) -> Package:
    """An unpacked wheel with these files in its dist-info."""
    own = folder / name / f"{name}.dist-info"
    own.mkdir(parents=True)
    for file, text in texts.items():
        (own / file.replace("__", ".")).write_bytes(text if isinstance(text, bytes) else text.encode())
    return unpacked(folder / name, name)


def test_a_wheel_that_says_mit_and_holds_the_agpl_is_caught(tmp_path: Path) -> None:
    sly = package(tmp_path, METADATA="License: MIT\n", LICENSE=AGPL)
    assert complaints([sly], {}) != []
    allowed = {"toy": {"found": ["AGPL"], "date": "2026-11-28", "why": "we would like to"}}
    assert complaints([sly], allowed) == ["toy is AGPL: take it out"]


@pytest.mark.parametrize("texts", [{}, {"README": LONG}, {"LICENSE": "MIT\n"}], ids=["none", "another file", "a name only"])
def test_a_missing_text_needs_a_line(tmp_path: Path, texts: dict[str, str]) -> None:
    silent = package(tmp_path, METADATA="License: MIT\n", **texts)
    assert complaints([silent], {}) == ["toy: no text"]
    assert complaints([silent], {"toy": {"found": ["no text"]}}) == []


def test_a_program_that_was_built_as_gpl_is_caught_without_any_text(tmp_path: Path) -> None:
    program = b"\x7fELF" + b"\0" * 5000 + b"--prefix=/usr --enable-gpl --enable-libx264\0"
    assert complaints([package(tmp_path, LICENSE=LONG, ffmpeg=program)], {}) == ["toy: GPL"]
    free = b"\x7fELF" + b"\0" * 5000 + b"--prefix=/usr --disable-gpl\0"
    assert complaints([package(tmp_path, "free", LICENSE=LONG, ffmpeg=free)], {}) == []


def test_a_line_that_no_longer_applies_fails(tmp_path: Path) -> None:
    told = {"toy": {"found": ["GPL", "no text"]}, "gone": {"found": ["GPL"]}}
    assert complaints([package(tmp_path, LICENSE=GPL)], told) == ["toy has no no text any more", "gone has no GPL any more"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AGPL, {"AGPL"}),
        (GPL, {"GPL"}),
        (GPL + GPL_3_SAYS, {"GPL"}),
        ("GNU LESSER GENERAL PUBLIC LICENSE\nVersion 2.1, February 1999", {"LGPL"}),
        ("GNU LIBRARY GENERAL PUBLIC LICENSE\n  Version 2, June 1991", {"LGPL"}),
        (AUTOCONF_SAYS, {"GPL"}),
        ("License: GPL-3.0-or-later WITH GCC-exception-3.1", {"GPL"}),
        ('License for "toy" binary wheels: GPLv2, due to base library licenses.', {"GPL"}),
        ("SPDX-License-Identifier: AGPL-3.0-only", {"AGPL"}),
        ("License: Apache-2.0 AND LGPL-3.0-or-later", {"LGPL"}),
        ("License: AGPL-3.0 OR Commercial", {"AGPL"}),
        ("License: MIT OR GPL-2.0", set()),
        ("License: MIT", set()),
        (MPL_SAYS, set()),
        (GPL_3_SAYS, set()),
        (FREETYPE_SAYS, set()),
        ("releases have also been GPL-compatible; unlike the GPL", set()),
    ],
)
def test_a_text_that_is_a_gpl_is_told_from_one_that_mentions_it(text: str, expected: set[str]) -> None:
    assert families(text) == expected
