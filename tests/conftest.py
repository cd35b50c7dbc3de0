"""What every test stands on: no credentials but dummies, no network but this machine's own, no silent skip.

A test that reaches for AWS gets an error that names the host. On CI (`CI=true`) a skip is a failure, unless
ALLOWED_SKIPS lists it with its reason: a suite that quietly tests less is worse than a red one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasks.core.settings import Settings

if TYPE_CHECKING:
    from machines.definition import Definition
    from machines.gallery import Gallery

DUMMY_AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}

# Part of a test's id -> why no machine that runs CI can run it. Empty: this project's tests run everywhere.
ALLOWED_SKIPS: dict[str, str] = {}

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")


def _forget_the_surroundings() -> None:
    """A developer's own AWS profile, endpoints, ffmpeg and Greenroom settings must not decide what a test sees."""
    own = {row.name.upper() for row in fields(Settings)}
    for name in list(os.environ):
        if name in own or name.startswith(("AWS_", "GREENROOM_", "MINISTACK_", "IMAGEIO_")):
            del os.environ[name]
    os.environ.update(DUMMY_AWS)


def _refuse_the_outside(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: this process speaks to this machine only."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
    elif event == "socket.getaddrinfo":
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0] or "localhost")
    else:
        return
    if not host.startswith(LOOPBACK) and not host.endswith(("localhost", ".localhost")):
        raise PermissionError(f"tests reach no host but this one; something asked for {host!r}")


@pytest.fixture(scope="session")
def machines() -> dict[str, Definition]:
    """Every state machine by name."""
    from machines.definition import definitions

    return {definition.name: definition for definition in definitions()}


@pytest.fixture(scope="session")
def drawer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small real files; tests/machines/drawer.py says which."""
    from machines.drawer import fill

    return fill(tmp_path_factory.mktemp("drawer"))


@pytest.fixture
def gallery(machines: dict[str, Definition], drawer: Path) -> Iterator[Gallery]:
    """An empty gallery on moto with the real tasks behind it: `gallery.upload("cat.heic").reject(reason="blurry")`."""
    from machines.gallery import Gallery
    from machines.stage import raised

    with raised(machines["ingest"]) as stage:
        yield Gallery(stage, drawer)


_forget_the_surroundings()
sys.addaudithook(_refuse_the_outside)


def unwelcome_skip(nodeid: str, reason: str) -> str:
    """Why this skip fails the run, "" where it may pass."""
    if os.environ.get("CI", "").lower() not in ("1", "true", "yes"):
        return ""
    if any(part in nodeid for part in ALLOWED_SKIPS):
        return ""
    return (
        f"{nodeid} was skipped on CI ({reason}); run it there, or list it in ALLOWED_SKIPS of tests/conftest.py with its reason"
    )


def _fail_unwelcome_skip(report: Any) -> None:
    if report.skipped and (complaint := unwelcome_skip(report.nodeid, _reason(report))):
        report.outcome = "failed"
        report.longrepr = complaint
        report.__dict__.pop("wasxfail", None)


def _reason(report: Any) -> str:
    where = report.longrepr
    return str(where[2]) if isinstance(where, tuple) else getattr(report, "wasxfail", "") or "no reason given"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _fail_unwelcome_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _fail_unwelcome_skip(report)
    return report
