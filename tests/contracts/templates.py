"""Reads infra/templates as facts that tests can check: which function may do what to what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.deploy.package import STACKS, read_template

FUNCTION = "AWS::Serverless::Function"
TEMPLATES: dict[str, dict[str, Any]] = {name: read_template(name) for name in STACKS}
RESOURCES: dict[str, dict[str, Any]] = {
    logical: resource for template in TEMPLATES.values() for logical, resource in template["Resources"].items()
}


@dataclass(frozen=True)
class Grant:
    """One action that a statement allows or denies on one resource, both as text."""

    holder: str  # a function's name without its ending, or the logical name of a role or policy
    action: str
    resource: str
    effect: str
    rows: tuple[str, ...] = ()  # patterns of the partition keys that it is limited to (dynamodb:LeadingKeys); none: all

    def on(self, bucket: str) -> bool:
        """Whether it is about this bucket (`InboxBucket`) or keys in it."""
        return "${" + bucket + "}" in self.resource

    def __str__(self) -> str:
        return f"{self.holder}: {self.effect} {self.action} on {self.resource}"


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of one type, by logical name."""
    return {name: row.get("Properties", {}) for name, row in RESOURCES.items() if row["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """Every function's properties, its template's Globals filled in, by name without the ending."""
    found: dict[str, dict[str, Any]] = {}
    for template in TEMPLATES.values():
        shared = template.get("Globals", {}).get("Function", {})
        for name, resource in template["Resources"].items():
            if resource["Type"] == FUNCTION:
                found[name.removesuffix("Function")] = {**shared, **resource["Properties"]}
    return found


def environment(properties: dict[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = properties["Environment"]["Variables"]
    return variables


def text(value: Any) -> str:
    """A resource as one string: `arn:${AWS::Partition}:s3:::${InboxBucket}/*`, `UploadsQueue.Arn`, `*`."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))
        return ".".join(inner) if isinstance(inner, list) and all(isinstance(part, str) for part in inner) else text(inner)
    return json.dumps(value)


def grants() -> list[Grant]:
    """Everything that any policy in any template says."""
    found: list[Grant] = []
    for name, properties in functions().items():
        for policy in properties.get("Policies", []):
            found += _statements(name, policy["Statement"])
    for name, resource in RESOURCES.items():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", []) if "PolicyDocument" in policy]
        documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
        for document in documents:
            found += _statements(name, document["Statement"])
    return found


def _statements(holder: str, statements: list[Any]) -> Iterator[Grant]:
    for row in statements:
        statement = row["Fn::If"][1] if "Fn::If" in row else row
        for action in _many(statement["Action"]):
            for resource in _many(statement["Resource"]):
                yield Grant(holder, action, text(resource), statement["Effect"], _leading_keys(statement))


def _leading_keys(statement: dict[str, Any]) -> tuple[str, ...]:
    keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", [])
    return tuple(_many(keys))


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed(action: str, bucket: str = "") -> set[str]:
    """Who may do this (in this bucket)."""
    return {
        grant.holder
        for grant in grants()
        if grant.effect == "Allow" and grant.action == action and (not bucket or grant.on(bucket))
    }
