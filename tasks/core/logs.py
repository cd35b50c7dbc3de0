"""Structured logs (aws-lambda-powertools): one JSON line an event, with the item it belongs to. Never a token, never a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Logger

log = Logger(service="greenroom", use_rfc3339=True, utc=True)


@contextmanager
def request_scope(task: str, event: Any, context: Any) -> Iterator[None]:
    """Every line inside carries the task, the request and, where the event names one, the item."""
    item = event.get("item") if isinstance(event, dict) else None
    keys = {
        "task": task,
        "request": getattr(context, "aws_request_id", ""),
        "item": item.get("id", "") if isinstance(item, dict) else "",
        "attempt": item.get("attempt", 0) if isinstance(item, dict) else 0,
    }
    log.append_keys(**{name: value for name, value in keys.items() if value})
    try:
        yield
    except Exception:
        log.exception("failed")
        raise
    finally:
        log.remove_keys(list(keys))
