"""Makes what CloudFormation takes of what people write: the definition as JSON, the templates in their long form.

AWS and the emulator get the same ones. Where their code comes from is in aws.py here, and in infra/local/package.py.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra import resources
from tasks.core.errors import BadRequest

DEFINITION = resources.root() / "state_machines" / "ingest.asl.yaml"
APPROVAL_STATE = "AwaitApproval"
# Later stacks need what earlier ones make.
STACKS = ("storage", "edge", "pipeline")


@dataclass(frozen=True)
class Artifact:
    """Bytes for the artifacts bucket under a key that their content makes."""

    key: str
    body: bytes

    @classmethod
    def of(cls, body: bytes, ending: str) -> Artifact:
        return cls(f"{hashlib.sha256(body).hexdigest()[:24]}{ending}", body)


def read_definition(path: Path = DEFINITION) -> dict[str, Any]:
    """The machine as its authors wrote it; anchors resolved, because JSON has none."""
    # A round through JSON also ends the sharing of what an anchor named.
    definition: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    return definition


def render_definition(
    values: Mapping[str, str] | None = None, *, approval_seconds: int | None = None, path: Path = DEFINITION
) -> dict[str, Any]:
    """The definition with the operator's approval time and, where `values` are given, its `${...}` substituted.

    Raises BadRequest when the time is out of bounds or a substitution has no value.
    """
    definition = read_definition(path)
    if approval_seconds is not None:
        if not 1 <= approval_seconds <= 99_999_999:
            raise BadRequest(f"the approval time must be 1 to 99999999 seconds, not {approval_seconds}")
        definition["States"][APPROVAL_STATE]["TimeoutSeconds"] = approval_seconds
    if values is None:
        return definition
    filled: dict[str, Any] = _substitute(definition, values)
    return filled


def _substitute(part: Any, values: Mapping[str, str]) -> Any:
    """Replace every `${Name}` in every string, as CloudFormation's DefinitionSubstitutions do."""
    if isinstance(part, dict):
        return {name: _substitute(inner, values) for name, inner in part.items()}
    if isinstance(part, list):
        return [_substitute(inner, values) for inner in part]
    if not isinstance(part, str):
        return part
    for name, value in values.items():
        part = part.replace("${" + name + "}", str(value))
    if "${" in part:
        raise BadRequest(f"the definition names {part}, and nothing gives it a value")
    return part


def substitutions() -> dict[str, Any]:
    """What pipeline.yaml gives the definition, by name: CloudFormation expressions."""
    given: dict[str, Any] = read_template("pipeline")["Resources"]["Ingest"]["Properties"]["DefinitionSubstitutions"]
    return given


def example_values() -> dict[str, str]:
    """A value of the right shape for every substitution: what a validator wants to see."""
    shapes = {
        "Arn": "arn:aws:lambda:eu-central-1:111122223333:function:greenroom-{}",
        "Url": "https://sqs.eu-central-1.amazonaws.com/111122223333/greenroom-{}",
    }
    return {name: shapes.get(name[-3:], "greenroom-{}").format(name) for name in substitutions()}


def template_path(name: str, folder: Path | None = None) -> Path:
    """A template's file: of the `infra` package itself, else of the one in `folder`, which is laid out like a checkout."""
    infra = folder / "infra" if folder else resources.package_folder("infra")
    return infra / "templates" / f"{name}.yaml"


def write_definition(approval_seconds: int | None = None) -> Path:
    """Put the JSON where pipeline.yaml's DefinitionUri looks for it."""
    path = resources.workshop() / "build" / "ingest.asl.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(render_definition(approval_seconds=approval_seconds), indent=1) + "\n", encoding="utf-8")
    return path


def read_template(name: str) -> dict[str, Any]:
    """A template with `!Ref` and its kin in their long forms."""
    from samtranslator.yaml_helper import yaml_parse

    template: dict[str, Any] = yaml_parse(template_path(name).read_text(encoding="utf-8"))
    return template


def with_literal_names(template: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A copy in which buckets, tables and a mail identity are named without `Fn::Sub` and `Ref`.

    CloudFormation adopts what outlived its stack (ImportExistingResources) under a literal name only; a computed one clashes.
    """
    rendered = copy.deepcopy(template)
    for resource in rendered["Resources"].values():
        properties = resource.get("Properties", {})
        for name in {"BucketName", "TableName", "EmailIdentity"} & properties.keys():
            properties[name] = _literal(properties[name], names)
    return rendered


def _literal(value: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("Fn::Sub"), str):
        return _substitute(value["Fn::Sub"], names)
    return names.get(value.get("Ref", ""), value)


if __name__ == "__main__":
    print(write_definition())
