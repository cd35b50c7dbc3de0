"""Plain Python values as DynamoDB's attribute values, and expressions whose names and values are filled in by themselves.

Numbers are ints and floats, never Decimals: what the catalog counts fits into them.
"""

from __future__ import annotations

import re
from typing import Any

Row = dict[str, Any]


def pack(value: Any) -> dict[str, Any]:
    """One value as DynamoDB writes it; raises TypeError for what it cannot hold."""
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float():
            return {"N": repr(value)}
        case None:
            return {"NULL": True}
        case list() | tuple():
            return {"L": [pack(part) for part in value]}
        case dict():
            return {"M": pack_row(value)}
        case _:
            raise TypeError(f"DynamoDB cannot hold a {type(value).__name__}")


def unpack(value: dict[str, Any]) -> Any:
    """The Python value of one attribute value."""
    kind, inner = next(iter(value.items()))
    match kind:
        case "N":
            return float(inner) if re.search(r"[.eE]", inner) else int(inner)
        case "NULL":
            return None
        case "L":
            return [unpack(part) for part in inner]
        case "M":
            return unpack_row(inner)
        case _:
            return inner


def pack_row(row: Row) -> dict[str, Any]:
    return {name: pack(value) for name, value in row.items()}


def unpack_row(row: dict[str, Any]) -> Row:
    return {name: unpack(value) for name, value in row.items()}


def expression_parts(expressions: dict[str, str], values: Row) -> dict[str, Any]:
    """Request members for expressions in which `#name` stands for the attribute `name` and `:name` for `values["name"]`.

    DynamoDB refuses names and values that no expression uses, so only those that are used are sent.
    """
    used = {kind: text for kind, text in expressions.items() if text}
    text = " ".join(used.values())
    names = {f"#{name}": name for name in re.findall(r"#(\w+)", text)}
    filled = {f":{name}": pack(values[name]) for name in re.findall(r":(\w+)", text)}
    members: dict[str, Any] = dict(used)
    if names:
        members["ExpressionAttributeNames"] = names
    if filled:
        members["ExpressionAttributeValues"] = filled
    return members
