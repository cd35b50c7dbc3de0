"""Payloads of executions that began under the version before, in today's shape.

On AWS an execution keeps its definition for as long as it runs, two weeks while nobody decides, and calls today's code.
What no execution can say any more may go a version later.
"""

from __future__ import annotations

from typing import Any


def today(payload: Any) -> Any:
    """What a state was given, as today's definition would give it.

    Before decision 0018 `prepared` stood beside `media`: thumbnails with their verdict, and the recognition.
    """
    if not isinstance(payload, dict) or not payload.get("prepared"):
        return payload
    found = dict(payload["prepared"])
    seen = found.pop("recognition", None)
    rest = {name: value for name, value in payload.items() if name != "prepared"}
    return {**rest, "media": {**payload["media"], "thumbnails": found, "recognition": seen}}
