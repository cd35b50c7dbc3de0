"""Reads a state machine as a story that tests can check: its states, its ways from one to the next, who does the work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "state_machines"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FUNCTION = re.compile(r"\$\{(\w+)FunctionArn\}")


@dataclass(frozen=True, order=True)
class Transition:
    """One way out of a state. `via` is `Next`, `Default`, `Choices[0]`, `Catch[0]`, ..."""

    source: str
    via: str
    target: str

    def __str__(self) -> str:
        return f"{self.source} --{self.via}--> {self.target}"


@dataclass(frozen=True)
class Definition:
    """One state machine's definition, substitutions not yet made."""

    name: str
    body: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Definition:
        return cls(path.name.removesuffix(".asl.yaml"), yaml.load(path.read_text(), LOADER))

    @cached_property
    def states(self) -> dict[str, dict[str, Any]]:
        """Every state by name, those inside Map and Parallel too."""
        return {name: state for scope in _scopes(self.body) for name, state in scope["States"].items()}

    @cached_property
    def container(self) -> dict[str, str]:
        """The Map or Parallel state around each state that has one: the outermost."""
        return {
            inner: name
            for name, state in self.body["States"].items()
            for scope in _inner(state)
            for deep in _scopes(scope)
            for inner in deep["States"]
        }

    @cached_property
    def tasks(self) -> dict[str, dict[str, Any]]:
        return {name: state for name, state in self.states.items() if state["Type"] == "Task"}

    @cached_property
    def functions(self) -> dict[str, str]:
        """The function's logical name by the state that calls it: `ValidateMedia: ValidateMedia`."""
        found = {name: FUNCTION.fullmatch(state["Resource"]) for name, state in self.tasks.items()}
        return {name: match[1] for name, match in found.items() if match}

    @cached_property
    def transitions(self) -> tuple[Transition, ...]:
        return tuple(way for name, state in self.states.items() for way in _ways_out(name, state))

    def ways(self, source: str, target: str) -> list[Transition]:
        return [way for way in self.transitions if (way.source, way.target) == (source, target)]

    def way(self, source: str, target: str, given: Any, *, caught: bool) -> Transition:
        """Which way led from one state to the next, for a state's input and whether it left by a Catch."""
        ways = self.ways(source, target)
        if self.states[source]["Type"] == "Choice":
            rules = self.states[source]["Choices"]
            via = next((f"Choices[{index}]" for index, rule in enumerate(rules) if _holds(rule, given)), "Default")
            ways = [way for way in ways if way.via == via]
        else:
            ways = [way for way in ways if way.via.startswith("Catch") == caught]
        return ways[0] if ways else Transition(source, "no way that the definition names", target)

    def reachable(self) -> set[str]:
        """Every state that some path from the start can reach."""
        seen: set[str] = set()
        waiting = [self.body["StartAt"]]
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.states:
                continue
            seen.add(name)
            waiting += [way.target for way in self.transitions if way.source == name]
            waiting += [scope["StartAt"] for scope in _inner(self.states[name])]
        return seen


def definitions() -> list[Definition]:
    """Every machine of the project."""
    return [Definition.read(path) for path in sorted(FOLDER.glob("*.asl.yaml"))]


def snake(name: str) -> str:
    """`ValidateMedia` -> `validate_media`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def at(path: str, value: Any) -> Any:
    """What a reference path such as `$.media.kind` names; None where nothing is."""
    for part in path.removeprefix("$").strip(".").split("."):
        if part:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def filled(template: Any, given: Any, context: dict[str, Any] | None = None) -> Any:
    """Parameters or ItemSelector with every `x.$` replaced by what it names in the state's input (`$.`) or context (`$$.`)."""
    if not isinstance(template, dict):
        return template
    return {
        name.removesuffix(".$"): _named(value, given, context or {}) if name.endswith(".$") else filled(value, given, context)
        for name, value in template.items()
    }


def _named(path: str, given: Any, context: dict[str, Any]) -> Any:
    return at(path[1:], context) if path.startswith("$$") else at(path, given)


def _holds(rule: dict[str, Any], given: Any) -> bool:
    """Whether a Choice rule is true; raises LookupError for a comparison that no machine of this project used yet."""
    if "And" in rule or "Or" in rule:
        together = all if "And" in rule else any
        return together(_holds(part, given) for part in rule.get("And", rule.get("Or")))
    if "Not" in rule:
        return not _holds(rule["Not"], given)
    value = at(rule["Variable"], given)
    for comparison, expected in rule.items():
        if comparison == "IsPresent":
            return (value is not None) == expected
        if comparison == "IsNull":
            return (value is None) == expected
        if comparison in ("StringEquals", "BooleanEquals", "NumericEquals"):
            return bool(value == expected)
        if comparison == "NumericGreaterThan":
            return isinstance(value, int | float) and value > expected
    raise LookupError(f"teach tests/machines/definition.py the comparison of {rule}")


def _inner(state: dict[str, Any]) -> list[dict[str, Any]]:
    if state["Type"] == "Parallel":
        return list(state["Branches"])
    return [state["ItemProcessor"]] if state["Type"] == "Map" else []


def _scopes(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield body
    for state in body["States"].values():
        for scope in _inner(state):
            yield from _scopes(scope)


def _ways_out(name: str, state: dict[str, Any]) -> Iterator[Transition]:
    for via in ("Next", "Default"):
        if via in state:
            yield Transition(name, via, state[via])
    for field in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(field, [])):
            yield Transition(name, f"{field}[{index}]", rule["Next"])
