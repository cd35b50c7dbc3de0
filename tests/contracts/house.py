"""Reads a checkout of Greenroom as text (nothing is imported) and complains, by name, of what does not fit together."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml
from machines.definition import Definition, snake

ROOT = Path(__file__).parents[2]
FUNCTION_TYPES = ("AWS::Serverless::Function", "AWS::Lambda::Function")
ENDS = ("Succeed", "Fail")
EDGE = re.compile(r"<title>(\w+)&#45;&gt;(\w+)</title>")


class TemplateLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML with CloudFormation's short forms: `!Ref X` reads as X."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


TemplateLoader.add_multi_constructor("!", _short_form)


# The same text is read for every copy of the house that differs elsewhere.
@cache
def _template(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(text, TemplateLoader)
    return found


@cache
def _module(text: str) -> ast.Module:
    return ast.parse(text)


@dataclass(frozen=True)
class House:
    """One checkout."""

    root: Path

    @cached_property
    def machines(self) -> list[Definition]:
        return [Definition.read(path) for path in sorted((self.root / "state_machines").glob("*.asl.yaml"))]

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """The flat task modules by name."""
        paths = sorted((self.root / "tasks").glob("*.py"))
        return {path.stem: _module(path.read_text()) for path in paths if path.stem != "__init__"}

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        paths = sorted((self.root / "infra" / "templates").glob("*.yaml"))
        return {path.name: _template(path.read_text()) for path in paths}

    @cached_property
    def functions(self) -> dict[str, str]:
        """Each function resource's handler that stands in tasks/, by logical name: `PublishFunction: tasks.publish.handler`."""
        return {
            name: str(resource["Properties"].get("Handler", ""))
            for template in self.templates.values()
            for name, resource in template.get("Resources", {}).items()
            if resource["Type"] in FUNCTION_TYPES
        }

    def complaints(self) -> list[str]:
        """Everything that does not fit, one sentence each; empty when all is well."""
        return [
            *(wrong for machine in self.machines for wrong in self._of_machine(machine)),
            *self._of_modules(),
            *self._of_functions(),
        ]

    def _of_machine(self, machine: Definition) -> Iterator[str]:
        for name, state in machine.states.items():
            yield from (f"{machine.name}: {wrong}" for wrong in _of_state(name, state))
        for way in machine.transitions:
            if way.target not in machine.states:
                yield f"{machine.name}: {way} leads to a state that does not exist"
        for name in sorted(set(machine.states) - machine.reachable()):
            yield f"{machine.name}: no transition leads to {name}"
        yield from self._of_drawing(machine)
        for state, function in machine.functions.items():
            if state != function:
                yield f"{machine.name}: {state} calls {function}Function; a state and its function bear one name"
            yield from self._of_task(machine.name, state)

    def _of_drawing(self, machine: Definition) -> Iterator[str]:
        """A rule whose target other ways lead to as well is missed by nobody but the drawing."""
        text = (self.root / "docs" / "images" / f"{machine.name}.svg").read_text()
        drawn = set(EDGE.findall(text))
        written = {(_drawn(machine, way.source), _drawn(machine, way.target)) for way in machine.transitions}
        for source, target in sorted(drawn ^ written):
            has, lacks = ("the drawing", "the definition") if (source, target) in drawn else ("the definition", "the drawing")
            yield f"{machine.name}: {has} leads from {source} to {target}, {lacks} does not; run `make pictures` if it is right"

    def _of_task(self, machine: str, state: str) -> Iterator[str]:
        if snake(state) not in self.modules:
            yield f"{machine}: {state} has no module tasks/{snake(state)}.py"
        if f"{state}Function" not in self.functions:
            yield f"{machine}: {state} has no resource {state}Function in infra/templates"

    def _of_modules(self) -> Iterator[str]:
        for name, tree in self.modules.items():
            resource = f"{pascal(name)}Function"
            if not _defines(tree, name):
                yield f"tasks/{name}.py has no function {name}"
            if not _assigns(tree, "handler"):
                yield f"tasks/{name}.py has no handler"
            if resource not in self.functions:
                yield f"tasks/{name}.py has no resource {resource} in infra/templates"

    def _of_functions(self) -> Iterator[str]:
        for resource, handler in self.functions.items():
            name = snake(resource.removesuffix("Function"))
            if name not in self.modules:
                yield f"{resource} has no module tasks/{name}.py"
            elif handler != f"tasks.{name}.handler":
                yield f"{resource} has the handler {handler!r}, not tasks.{name}.handler"


def _drawn(machine: Definition, name: str) -> str:
    """The node that a state is drawn as: of a Map or Parallel state the first inside."""
    state = machine.states.get(name, {})
    inner = state.get("Branches") or ([state["ItemProcessor"]] if "ItemProcessor" in state else [])
    return str(inner[0]["StartAt"]) if inner else name


def pascal(name: str) -> str:
    """`validate_media` -> `ValidateMedia`."""
    return "".join(part.capitalize() for part in name.split("_"))


def _of_state(name: str, state: dict[str, Any]) -> Iterator[str]:
    if state["Type"] == "Choice":
        if "Default" not in state:
            yield f"{name} has no Default: what no rule expects would fail the execution"
        if not state.get("Choices"):
            yield f"{name} is a Choice without a rule"
        for index, rule in enumerate(state.get("Choices", [])):
            if "Next" not in rule:
                yield f"{name}'s rule {index} leads nowhere: it has no Next"
    elif state["Type"] not in ENDS and not state.get("End") and "Next" not in state:
        yield f"{name} leads nowhere: it has neither Next nor End"


def _defines(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)


def _assigns(tree: ast.Module, name: str) -> bool:
    plain = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    typed = [node.target for node in tree.body if isinstance(node, ast.AnnAssign) and node.value]
    return any(isinstance(target, ast.Name) and target.id == name for target in [*plain, *typed])
