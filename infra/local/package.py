"""Packages the templates for the emulator: one archive of tasks/ is every function's code, and its workers have the packages."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from infra import resources
from infra.deploy import package
from infra.deploy.plan import Plan
from infra.deploy.stacks import Account


class OneArchive:
    """The same code for every function, and the definition beside it."""

    @cached_property
    def code(self) -> package.Artifact:
        return package.Artifact.of(code_zip(), ".zip")

    def template(self, name: str, plan: Plan, account: Account) -> bytes:
        approval = int(plan.values.get("ApprovalSeconds", 0)) or None
        definition = json.dumps(package.render_definition(approval_seconds=approval)).encode()
        machine = package.Artifact.of(definition, ".asl.json")
        for artifact in (self.code, machine):
            account.put(artifact)
        rendered = render(package.read_template(name), account.bucket, self.code, machine, account.names(plan))
        return json.dumps(rendered, separators=(",", ":")).encode()


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


def render(
    template: dict[str, Any], bucket: str, code: package.Artifact, definition: package.Artifact, names: Mapping[str, str]
) -> dict[str, Any]:
    """A template as the emulator can deploy it: code and definition in `bucket`, and literal names for what is kept."""
    rendered = package.with_literal_names(template, names)
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
