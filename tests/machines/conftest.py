"""The engines that every case of MockConfigFile.json runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from machines.chronicle import ENGINES, MOCKS, Chronicle, write
from machines.definition import Definition
from machines.engine import free_port, ministack


@pytest.fixture(scope="session", params=ENGINES)
def engine_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """(engine's name, its address)."""
    if request.param == "stepfunctions-local":
        yield request.param, os.environ["STEPFUNCTIONS_LOCAL_URL"]
        return
    with ministack(tmp_path_factory.mktemp("ministack"), MOCKS, free_port(range(18700, 18750))) as url:
        yield request.param, url


@pytest.fixture(scope="session")
def chronicle(engine_url: tuple[str, str], machines: dict[str, Definition]) -> Chronicle:
    """What became of every case."""
    engine, url = engine_url
    return write(engine, url, machines)
