"""What goes to CloudFormation, and how an operator hears of what didn't."""

from __future__ import annotations

import argparse
import io
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError
from moto import mock_aws
from samtranslator.translator.transform import transform

from infra.deploy import artifacts, cloudformation, package
from infra.deploy import aws as deploy
from infra.errors import Failed, Misused
from tasks.core.errors import BadRequest

NAMES = {"Prefix": "green", "AWS::AccountId": "111122223333", "AWS::Region": "eu-central-1"}
CODE = package.Artifact("code.zip", b"")
DEFINITION = package.Artifact("ingest.asl.json", b"")
ORDINARY = ["--approver", "ada@example.com", "--mail-from", "gallery@example.com", "--region", "eu-central-1"]


def plan(*given: str) -> deploy.Plan:
    parser = argparse.ArgumentParser()
    deploy.arguments(parser)
    return deploy.make_plan(parser.parse_args([*ORDINARY, *given]))


# The laptop's templates


def expanded(name: str) -> dict[str, Any]:
    """A template as the emulator makes resources of it."""
    template = package.render_for_local(package.read_template(name), "artifacts", CODE, DEFINITION, NAMES)
    if "Transform" not in template:
        return template
    found: dict[str, Any] = transform(template, {}, SimpleNamespace(load=dict))
    return found


@pytest.mark.parametrize("name", ["edge", "pipeline"])
def test_every_function_of_the_laptop_takes_its_code_from_the_bucket(name: str) -> None:
    functions = {key: row for key, row in expanded(name)["Resources"].items() if row["Type"] == "AWS::Lambda::Function"}
    code = [row["Properties"]["Code"] for row in functions.values()]
    assert functions and code == [{"S3Bucket": "artifacts", "S3Key": "code.zip"}] * len(functions)


def test_the_laptops_machine_takes_its_definition_from_the_bucket() -> None:
    machine = expanded("pipeline")["Resources"]["Ingest"]["Properties"]
    assert machine["DefinitionS3Location"] == {"Bucket": "artifacts", "Key": "ingest.asl.json"}


def test_what_is_kept_has_a_name_under_which_it_is_found_again() -> None:
    resources = expanded("storage")["Resources"]
    assert resources["Inbox"]["Properties"]["BucketName"] == "green-inbox-111122223333-eu-central-1"
    assert resources["Catalog"]["Properties"]["TableName"] == "green-catalog"
    assert resources["Reviews"]["Properties"]["TableName"] == "green-reviews"


def test_rendering_leaves_the_template_alone() -> None:
    template = package.read_template("pipeline")
    package.render_for_local(template, "artifacts", CODE, DEFINITION, NAMES)
    assert template == package.read_template("pipeline")


def test_the_code_is_all_of_tasks_and_the_same_every_time() -> None:
    first, again = package.code_zip(), package.code_zip()
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert first == again
    assert {"tasks/publish.py", "tasks/site/templates/base.html"} <= set(names)
    assert [name for name in names if "__pycache__" in name or not name.startswith("tasks/")] == []


# What the operator says


def test_a_deployment_without_anybody_who_decides_is_refused() -> None:
    parser = argparse.ArgumentParser()
    deploy.arguments(parser)
    with pytest.raises(Misused, match="--approver and --mail-from"):
        deploy.make_plan(parser.parse_args(["--region", "eu-central-1"]))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--approver", "ada"], "--approver 'ada'"),
        (["--operator", "a b@example.com"], "--operator"),
        (["--mail-from", "Gallery <gallery@example.com>"], "plain mail address"),
        (["--set", "PageSize"], "NAME=VALUE"),
    ],
)
def test_what_cannot_be_meant_is_named(given: list[str], words: str) -> None:
    with pytest.raises(Misused, match=words):
        plan(*given)


def test_a_parameter_that_no_template_has_is_named() -> None:
    with pytest.raises(BadRequest, match="Pagesize"):
        plan("--set", "Pagesize=3")


def test_the_approval_time_brings_the_others_with_it() -> None:
    values = plan("--approval-days", "2.5").values
    assert values["ApprovalSeconds"] == "216000"
    assert int(values["LinkSeconds"]) < 216_000 and values["WorkDays"] == "19"


def test_several_approvers_come_in_either_way() -> None:
    assert plan("--approver", " Bo@Example.com,cy@example.com").approvers == (
        "ada@example.com",
        "bo@example.com",
        "cy@example.com",
    )


def test_the_announcement_counts_what_will_be_there() -> None:
    words = deploy.announce(plan())
    assert "stack greenroom-storage: 4 S3 buckets, 2 DynamoDB tables\n" in words
    assert "3 Lambda functions, 1 CloudFront distribution" in words
    assert "1 state machine, 5 SQS queues" in words and "alarms," not in words.splitlines()[3]


def test_the_announcement_has_alarms_and_the_identity_only_when_asked_for() -> None:
    words = deploy.announce(plan("--alarm-mail", "ops@example.com", "--register-mail"))
    assert "1 SES identity" in words and "4 alarms" in words


# CloudFormation


class Emulated:
    """CloudFormation's answers for one stack: what was asked, and how it ends (`ending`)."""

    def __init__(self, ending: str = "", reason: str = "", status: str = "") -> None:
        self.ending, self.reason, self.status = ending, reason, status
        self.requests: list[dict[str, Any]] = []
        self.done: list[str] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if not self.status:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no such stack"}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": self.status, "Outputs": [{"OutputKey": "Name", "OutputValue": StackName}]}]}

    def create_change_set(self, **request: Any) -> None:
        self.requests.append(request)

    def execute_change_set(self, **request: Any) -> None:
        self.done.append("execute")
        self.status = f"{self.requests[-1]['ChangeSetType']}_COMPLETE"

    def delete_change_set(self, **request: Any) -> None:
        self.done.append("forget")

    def delete_stack(self, StackName: str) -> None:
        self.done.append("delete")
        self.status = ""

    def get_waiter(self, name: str) -> Any:
        def wait(**subject: Any) -> None:
            if name == self.ending:
                raise WaiterError(name, "it failed", {"StatusReason": self.reason})

        return SimpleNamespace(wait=wait)

    def get_paginator(self, name: str) -> Any:
        def event(logical: str, status: str, reason: str) -> dict[str, Any]:
            now = datetime.now(UTC)
            return {"LogicalResourceId": logical, "ResourceStatus": status, "ResourceStatusReason": reason, "Timestamp": now}

        events = [event("Site", "CREATE_FAILED", "Resource creation cancelled"), event("Inbox", "CREATE_FAILED", self.reason)]
        return SimpleNamespace(paginate=lambda **subject: [{"StackEvents": events}])


DECLARED = {"Prefix": {"Default": "greenroom"}, "OriginSecret": {}}


def bring(client: Emulated, **values: str) -> dict[str, str]:
    return cloudformation.apply(client, "green", "https://s3.example/template", DECLARED, values)


def test_a_stack_is_made_and_says_its_outputs() -> None:
    client = Emulated()
    assert bring(client, OriginSecret="new") == {"Name": "green"}
    assert client.requests[0]["ChangeSetType"] == "CREATE" and client.requests[0]["ImportExistingResources"]
    assert client.requests[0]["Parameters"] == [{"ParameterKey": "OriginSecret", "ParameterValue": "new"}]


def test_an_update_keeps_the_secret_that_it_is_not_told() -> None:
    client = Emulated(status="CREATE_COMPLETE")
    bring(client, Prefix="green")
    assert client.requests[0]["ChangeSetType"] == "UPDATE"
    assert {"ParameterKey": "OriginSecret", "UsePreviousValue": True} in client.requests[0]["Parameters"]


def test_nothing_happens_where_nothing_changed() -> None:
    words = "The submitted information didn't contain changes."
    client = Emulated("change_set_create_complete", words, status="UPDATE_COMPLETE")
    assert bring(client) == {"Name": "green"}
    assert client.done == ["forget"]


def test_a_change_that_cannot_be_made_is_said_in_cloudformations_words() -> None:
    client = Emulated("change_set_create_complete", "Parameter Prefix is odd", status="UPDATE_COMPLETE")
    with pytest.raises(Failed, match="stack green: Parameter Prefix is odd"):
        bring(client)


def test_the_first_failure_is_named_and_not_what_followed_from_it() -> None:
    with pytest.raises(Failed, match="stack green: Inbox: the name is taken"):
        bring(Emulated("stack_create_complete", "the name is taken"))


def test_what_a_failed_creation_left_is_cleared_away_first() -> None:
    client = Emulated(status="ROLLBACK_COMPLETE")
    bring(client)
    assert client.done == ["delete", "execute"] and client.requests[0]["ChangeSetType"] == "CREATE"


@mock_aws
def test_a_bucket_for_code_is_private_and_made_once() -> None:
    s3 = boto3.client("s3", region_name="eu-central-1")
    for _ in range(2):
        cloudformation.make_bucket(s3, "green-artifacts", "eu-central-1")
    block = s3.get_public_access_block(Bucket="green-artifacts")["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}


# Lambda's artifacts


def test_every_package_of_every_kind_is_locked() -> None:
    pinned = {line.split("==")[0] for line in artifacts.locked("3.13")}
    assert {name for names in artifacts.KINDS.values() for name in names} <= pinned


def test_of_two_locked_versions_the_one_for_lambdas_python_is_taken() -> None:
    older, newer = ([pin for pin in artifacts.locked(python) if pin.startswith("numpy==")] for python in ("3.11", "3.13"))
    assert len(older) == len(newer) == 1 and older != newer


def test_ffmpeg_is_in_one_kind_only() -> None:
    assert [kind for kind, names in artifacts.KINDS.items() if "imageio-ffmpeg" in names] == ["video"]


def test_an_artifact_that_lambda_would_refuse_is_named_with_what_weighs_most(tmp_path: Path) -> None:
    (tmp_path / "ffmpeg").mkdir()
    with (tmp_path / "ffmpeg" / "binary").open("wb") as binary:
        binary.truncate(artifacts.MOST_BYTES + 1)
    (tmp_path / "light.py").write_text("")
    with pytest.raises(Failed, match="heaviest are ffmpeg"):
        artifacts.measured(tmp_path)


def test_bytecode_needs_no_look_at_its_source(tmp_path: Path) -> None:
    """A zip changes the times of files, and bytecode that trusts times would be compiled again at every cold start."""
    (tmp_path / "module.py").write_text("answer = 42\n")
    version = artifacts.sys.version_info
    artifacts.compile_all(tmp_path, f"{version.major}.{version.minor}")
    compiled = next((tmp_path / "__pycache__").glob("module.*.pyc")).read_bytes()
    assert int.from_bytes(compiled[4:8], "little") == 0b01  # hash-based, unchecked


def test_a_python_that_is_not_here_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shutil.which("python3.99") is None
    artifacts.compile_all(tmp_path, "3.99")
    assert "no Python 3.99 here" in capsys.readouterr().err
