"""The handler around a queue's consumer: a batch of SQS messages in, the ones to try again out.

Each message is answered for itself (`ReportBatchItemFailures`), so that one that fails does not bring the others back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.core.entrypoint import Services, parts
from tasks.core.logs import log, request_scope


@dataclass(frozen=True)
class Message:
    """One message: SQS's id for it, and its body as parsed JSON."""

    id: str
    body: Any


def parse_batch(event: dict[str, Any]) -> tuple[list[Message], list[str]]:
    """The readable messages of an SQS event, and the ids of those whose body is no JSON."""
    messages: list[Message] = []
    unreadable: list[str] = []
    for record in event.get("Records", []):
        try:
            messages.append(Message(record["messageId"], json.loads(record["body"])))
        except ValueError:
            unreadable.append(record["messageId"])
    return messages, unreadable


def queue_handler(function: Callable[..., list[str]], services: Services | None = None) -> Callable[[Any, Any], Any]:
    """The handler for a consumer `function(messages, *, services...) -> ids to try again`. A fault returns the whole batch.

    A body that is no JSON is never tried by the function: it goes back until the queue moves it to its DLQ.
    """
    _, wanted = parts(function)
    opened = services or Services()

    def handler(event: Any, context: Any) -> Any:
        with request_scope(function.__name__, {}, context):
            messages, failed = parse_batch(event)
            if failed:
                log.error("unreadable messages", extra={"messages": failed})
            if messages:
                failed += function(messages, **{name: opened.get(kind) for name, kind in wanted.items()})
            log.info("done", extra={"messages": len(messages), "again": len(failed)})
        return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}

    handler.task = function  # type: ignore[attr-defined]
    return handler
