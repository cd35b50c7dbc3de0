"""Checks a rendered state machine with asl-validator, which knows what cfn-lint does not: where each transition leads."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from infra import node, resources

PROGRAM = Path("node_modules") / "asl-validator" / "dist" / "bin" / "asl-validator.js"


def complaints(definition: dict[str, Any]) -> str:
    """What is wrong with it in asl-validator's words, "" when nothing is. Raises Failed where node cannot run."""
    node.install(_tool())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "definition.json"
        path.write_text(json.dumps(definition), encoding="utf-8")
        done = node.run(_tool(), "node", str(PROGRAM), "--json-path", str(path))
    return "" if done.returncode == 0 else (done.stderr + done.stdout).strip().replace(str(path), "it")


def _tool() -> Path:
    """The folder with asl-validator's lock file, and its packages once they are installed."""
    return resources.workshop() / "infra" / "deploy" / "lint"


def main() -> int:
    """Check the machine as it would be deployed, its substitutions made up."""
    from infra.deploy.package import example_values, render_definition

    wrong = complaints(render_definition(example_values()))
    print(wrong or "state_machines/ingest.asl.yaml is valid")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
