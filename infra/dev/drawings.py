"""Draws a state machine from its definition: `python -m infra.dev.drawings` writes docs/images/<machine>.svg.

The drawing carries a hash of the DOT source it was made from, so that a test can tell, without drawing, when it is stale.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra import node

ROOT = Path(__file__).parents[2]
MACHINES = ROOT / "state_machines"
IMAGES = ROOT / "docs" / "images"
TOOL = Path(__file__).parent / "drawings"

# One row a kind of state: shape, fill and line.
LOOKS = {
    "Task": ("box", "#eef4ff", "#3b6fd4"),
    "Person": ("box", "#fff3d6", "#c98a06"),
    "Choice": ("diamond", "#ffffff", "#8a8f98"),
    "Pass": ("box", "#f6f6f6", "#8a8f98"),
    "Wait": ("box", "#f3eefc", "#7a5bc7"),
    "Succeed": ("oval", "#e7f7ec", "#2f9e55"),
}


def dot(definition: dict[str, Any]) -> str:
    """The DOT source of one machine: a node a state, a cluster for each Map and Parallel."""
    lines = [
        "digraph machine {",
        "graph [rankdir=TB nodesep=0.35 ranksep=0.42 compound=true bgcolor=white pad=0.2]",
        'graph [fontname="Helvetica,Arial,sans-serif"]',
        'node [fontname="Helvetica,Arial,sans-serif" fontsize=12 style="filled,rounded" penwidth=1.3 margin="0.16,0.08"]',
        'edge [fontname="Helvetica,Arial,sans-serif" fontsize=10 color="#6b7280" fontcolor="#4b5563" arrowsize=0.7]',
        *_machine(definition),
        "}",
    ]
    return "\n".join(lines)


def _machine(machine: dict[str, Any]) -> Iterator[str]:
    for name, state in machine["States"].items():
        inner = state.get("Branches") or ([state["ItemProcessor"]] if "ItemProcessor" in state else [])
        if inner:
            yield from _cluster(name, state, inner)
        else:
            yield _node(name, state)
    for name, state in machine["States"].items():
        yield from _edges(name, state, machine["States"])


def _node(name: str, state: dict[str, Any]) -> str:
    kind = "Person" if "waitForTaskToken" in state.get("Resource", "") else state["Type"]
    shape, fill, line = LOOKS[kind]
    corners = ' style="filled"' if shape == "diamond" else ""
    return f'"{name}" [shape={shape} fillcolor="{fill}" color="{line}"{corners}]'


def _cluster(name: str, state: dict[str, Any], machines: list[dict[str, Any]]) -> Iterator[str]:
    yield f'subgraph "cluster_{name}" {{'
    yield f'label="{name} ({state["Type"]})" labeljust=l fontsize=11 fontcolor="#4b5563" color="#9db7ea" style="rounded,dashed"'
    for machine in machines:
        yield from _machine(machine)
    yield "}"


def _entry(name: str, states: dict[str, Any]) -> tuple[str, str]:
    """The node where a state is entered, and its cluster when it is one."""
    state = states[name]
    inner = state.get("Branches") or ([state["ItemProcessor"]] if "ItemProcessor" in state else [])
    return (inner[0]["StartAt"], f"cluster_{name}") if inner else (name, "")


def _edges(name: str, state: dict[str, Any], states: dict[str, Any]) -> Iterator[str]:
    if "Next" in state:
        yield _edge(name, state["Next"], states)
    for choice in state.get("Choices", []):
        yield _edge(name, choice["Next"], states, label=_condition(choice))
    if "Default" in state:
        yield _edge(name, state["Default"], states, label="else" if state.get("Choices") else "")
    for catch in state.get("Catch", []):
        yield _edge(name, catch["Next"], states, label=" ".join(_short(e) for e in catch["ErrorEquals"]), style="dashed")


def _edge(source: str, target: str, states: dict[str, Any], label: str = "", style: str = "") -> str:
    tail, tail_cluster = _entry(source, states)
    head, head_cluster = _entry(target, states)
    options = {"label": f"  {label}" if label else "", "style": style, "ltail": tail_cluster, "lhead": head_cluster}
    text = " ".join(f'{key}="{value}"' for key, value in options.items() if value)
    return f'"{tail}" -> "{head}"' + (f" [{text}]" if text else "")


def _condition(choice: dict[str, Any]) -> str:
    name = choice["Variable"].rsplit(".", 1)[-1]
    if choice.get("IsNull"):
        return f"no {name}"
    value = next(value for key, value in choice.items() if key not in ("Variable", "Next"))
    return name if value is True else str(value)


def _short(error: str) -> str:
    return {"States.Timeout": "timeout", "DynamoDB.ConditionalCheckFailedException": "known"}.get(error, error)


def stamp(source: str) -> str:
    """The comment that ties a drawing to its source."""
    return f"<!-- drawn from {hashlib.sha256(source.encode()).hexdigest()[:16]} -->"


def draw(source: str) -> str:
    """SVG of DOT source; needs the packages of infra/dev/drawings/package-lock.json, which it installs once."""
    node.install(TOOL)
    drawn = node.run_checked(TOOL, "node", "render.mjs", stdin=source)
    return re.sub(r"(?s)^.*?(?=<svg)", stamp(source) + "\n", drawn)


def machines() -> Iterator[tuple[Path, str]]:
    """Each machine's drawing and the DOT source it must come from."""
    for path in sorted(MACHINES.glob("*.asl.yaml")):
        yield IMAGES / f"{path.name.split('.')[0]}.svg", dot(yaml.safe_load(path.read_text()))


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for picture, source in machines():
        picture.write_text(draw(source))
        sys.stdout.write(f"{picture.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
