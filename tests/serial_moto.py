"""One DynamoDB request at a time, as far as moto is concerned: its tables are plain dictionaries that threads trip over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.dynamodb.responses import DynamoHandler


@contextmanager
def serial_dynamodb() -> Iterator[None]:
    """Requests of many threads still interleave, but none sees another half done: the real one's conditions promise that.

    moto's transactions overwrite each other's tables, and a query fails when a row arrives while it reads.
    """
    one_at_a_time = threading.Lock()
    answer = DynamoHandler.call_action

    def serially(handler: DynamoHandler) -> Any:
        with one_at_a_time:
            return answer(handler)

    with patch.object(DynamoHandler, "call_action", serially):
        yield
