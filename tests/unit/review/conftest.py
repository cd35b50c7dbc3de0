"""An office for tests of the review, and browsers for two approvers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from review_office import Browser, Office

from tasks.core.logs import log


@pytest.fixture
def office(world: Any, make: Any) -> Office:
    return Office(world, make)


@pytest.fixture
def office_with(world: Any, make: Any) -> Callable[..., Office]:
    """An office with other settings."""
    return lambda **settings: Office(world, make, **settings)


@pytest.fixture
def ann(office: Office) -> Browser:
    return Browser(office, "203.0.113.7")


@pytest.fixture
def bob(office: Office) -> Browser:
    return Browser(office, "198.51.100.4")


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """All that the tasks log, as CloudWatch would keep it."""
    kept = StringIO()
    before = log.registered_handler.setStream(kept)
    yield kept
    log.registered_handler.setStream(before)
