"""Makes what CloudFormation takes of what people write: the definition as JSON, the templates with their code in a bucket.

AWS gets the definition from here and the rest from `sam build`; the emulator gets all of it from here. Both deploy the
same templates, in the order of STACKS, and an output of one stack is a parameter of the next ones where the names agree.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import zipfile
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
# What is always so on a laptop: plain HTTP, one address for everything.
LOCAL = {
    "RequireTls": "false",
    "ViewerProtocol": "allow-all",
    "OriginSecret": "this laptop needs no secret of its own",
}


@dataclass(frozen=True)
class Stack:
    """One stack: its name and its template as CloudFormation takes it (long-form intrinsics, SAM not yet expanded)."""

    name: str
    template: dict[str, Any]

    @property
    def parameters(self) -> dict[str, Any]:
        declared: dict[str, Any] = self.template.get("Parameters", {})
        return declared

    @property
    def body(self) -> str:
        return json.dumps(self.template, separators=(",", ":"))


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


def code_zip() -> bytes:
    """tasks/ as a Lambda archive without its dependencies; the same files give the same bytes."""
    folder = resources.package_folder("tasks")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = str(Path(folder.name) / path.relative_to(folder))
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def render_for_local(
    template: dict[str, Any], bucket: str, code: Artifact, definition: Artifact, names: Mapping[str, str]
) -> dict[str, Any]:
    """A template as the emulator can deploy it: code and definition in `bucket`, and literal names for what is kept."""
    rendered = with_literal_names(template, names)
    here = {"Bucket": bucket, "Key": code.key}
    if "Globals" in rendered:
        rendered["Globals"]["Function"]["CodeUri"] = here
    for resource in rendered["Resources"].values():
        resource.pop("Metadata", None)
        properties = resource.get("Properties", {})
        if "CodeUri" in properties:
            properties["CodeUri"] = here
        if "DefinitionUri" in properties:
            properties["DefinitionUri"] = {"Bucket": bucket, "Key": definition.key}
    return rendered


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


def local_stacks(prefix: str, bucket: str, code: Artifact, definition: Artifact, names: Mapping[str, str]) -> list[Stack]:
    """Every stack in the order of deployment, for the emulator."""
    return [Stack(f"{prefix}-{name}", render_for_local(read_template(name), bucket, code, definition, names)) for name in STACKS]


def deploy_local(endpoint_url: str, prefix: str, asked: Mapping[str, str], suited: Mapping[str, str]) -> dict[str, str]:
    """Create or update every stack on the emulator at `endpoint_url`; returns all their outputs, by key.

    A parameter that is not `asked` for keeps the value that the stacks have, else has the one that suits, else the template's
    own. Raises BadRequest for parameters that make no sense and infra.errors.Failed when a stack cannot be made.
    """
    import boto3

    from infra.deploy.cloudformation import apply, make_bucket
    from infra.deploy.parameters import deployed, settle

    session = boto3.session.Session()
    region = session.region_name or "us-east-1"
    client = session.client("cloudformation", endpoint_url=endpoint_url, region_name=region)
    s3 = session.client("s3", endpoint_url=endpoint_url, region_name=region, config=_path_style())
    account = session.client("sts", endpoint_url=endpoint_url, region_name=region).get_caller_identity()["Account"]
    names = {"Prefix": prefix, "AWS::AccountId": account, "AWS::Region": region}
    bucket = f"{prefix}-artifacts-{account}-{region}"
    make_bucket(s3, bucket, region)
    values = settle({**LOCAL, "Prefix": prefix, **asked}, deployed(client, prefix), suited)
    approval = int(values["ApprovalSeconds"]) if "ApprovalSeconds" in values else None
    definition = json.dumps(render_definition(approval_seconds=approval))
    artifacts = Artifact.of(code_zip(), ".zip"), Artifact.of(definition.encode(), ".asl.json")
    results: dict[str, str] = {}
    for stack in local_stacks(prefix, bucket, *artifacts, names):
        template = Artifact.of(stack.body.encode(), ".template")
        for artifact in (*artifacts, template):
            s3.put_object(Bucket=bucket, Key=artifact.key, Body=artifact.body)
        told = {name: value for name, value in {**results, **values}.items() if name in stack.parameters}
        url = f"{endpoint_url}/{bucket}/{template.key}"
        # The emulator's look ahead takes what is adopted for a clash of names.
        results |= apply(client, stack.name, url, stack.parameters, told, delay=0.1, validate=False)
    _lock(s3, results["AuditBucket"])
    return results


def _lock(s3: Any, bucket: str) -> None:
    """What the emulator's CloudFormation leaves out of storage.yaml and its S3 honours: nobody rewrites the audit."""
    lock = read_template("storage")["Resources"]["Audit"]["Properties"]["ObjectLockConfiguration"]
    days = read_template("storage")["Parameters"]["AuditLockDays"]["Default"]
    retention = {**lock["Rule"]["DefaultRetention"], "Days": days}
    s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    )


def _path_style() -> Any:
    from botocore.config import Config

    return Config(s3={"addressing_style": "path"})


if __name__ == "__main__":
    print(write_definition())
