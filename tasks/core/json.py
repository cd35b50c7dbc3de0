"""Facts in JSON and out of it: plain values to dataclasses and back."""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_built: set[Any] = set()
_building = Lock()


def from_json(value: Any, shape: type[T]) -> T:
    """Parse plain JSON values into `shape`; raises msgspec.ValidationError naming the path that is wrong."""
    if shape not in _built:
        _build(shape)
    return msgspec.convert(value, shape)


def _build(shape: Any) -> None:
    """Let msgspec learn a shape, one thread at a time: when two meet at its first use, it crashes the process (0.22.0)."""
    with _building:
        msgspec.json.Decoder(shape)
        _built.add(shape)


def to_json(value: Any) -> Any:
    """Turn dataclasses into plain JSON values: dicts, lists, strings, numbers."""
    return msgspec.to_builtins(value)
