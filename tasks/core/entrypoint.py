"""Turns a plain, typed function into a Lambda handler with one line: `handler = lambda_handler(publish)`.

The function's first parameter is its request, a frozen dataclass parsed from the event at the door; its
keyword-only parameters are what it uses. Each is annotated with a class that this module knows how to open:
`Settings`, anything of core.aws, or a class with `open(aws)` or `open(aws, settings)`. They are opened once
per worker, so that warm invocations share clients.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from tasks.core.aws.dynamodb import Table
from tasks.core.aws.edge import Edge
from tasks.core.aws.session import Aws
from tasks.core.aws.stepfunctions import Machine
from tasks.core.before import today
from tasks.core.json import from_json, to_json
from tasks.core.logs import log, request_scope
from tasks.core.settings import Settings, settings


class Services:
    """Opens what functions ask for, once each."""

    def __init__(self, environment: Settings | None = None, aws: Aws | None = None) -> None:
        self._settings = environment
        self._aws = aws or Aws()
        self._opened: dict[type, Any] = {}

    @property
    def settings(self) -> Settings:
        if self._settings is None:
            self._settings = settings()
        return self._settings

    def get(self, wanted: type) -> Any:
        if wanted not in self._opened:
            self._opened[wanted] = self._open(wanted)
        return self._opened[wanted]

    def _open(self, wanted: type) -> Any:
        if wanted is Settings:
            return self.settings
        if wanted is Table:
            return Table(self._aws, self.settings.catalog_table)
        if wanted is Machine:
            return Machine(self._aws, self.settings.machine_name)
        if wanted is Edge:
            return Edge(self._aws, self.settings.site_url_parameter)
        opener = wanted.open  # type: ignore[attr-defined]
        takes_settings = len(inspect.signature(opener).parameters) == 2
        return opener(self._aws, self.settings) if takes_settings else opener(self._aws)


def parts(function: Callable[..., Any]) -> tuple[type, dict[str, type]]:
    """The request's type and the keyword-only services of a task function, by name."""
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters.values()
    request = next(p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY)
    wanted = {p.name: hints[p.name] for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    return hints[request.name], wanted


def lambda_handler(function: Callable[..., Any], services: Services | None = None) -> Callable[[Any, Any], Any]:
    """The handler for a task: JSON in, dataclass to the function, its answer as JSON out. Faults travel."""
    request_type, wanted = parts(function)
    opened = services or Services()

    def handler(event: Any, context: Any) -> Any:
        with request_scope(function.__name__, event, context):
            request = event if request_type in (dict, Any) else from_json(today(event), request_type)
            answer = function(request, **{name: opened.get(kind) for name, kind in wanted.items()})
            log.info("done")
            return to_json(answer)

    handler.task = function  # type: ignore[attr-defined]
    return handler
