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

from infra.deploy import artifacts, cloudformation, package, parameters
from infra.deploy import aws as deploy
from infra.deploy import plan as planning
from infra.deploy.changes import Change, describe
from infra.deploy.plan import Plan
from infra.errors import Failed, Misused
from tasks.core.errors import BadRequest

NAMES = {"Prefix": "green", "AWS::AccountId": "111122223333", "AWS::Region": "eu-central-1"}
CODE = package.Artifact("code.zip", b"")
DEFINITION = package.Artifact("ingest.asl.json", b"")
ORDINARY = ["--approver", "ada@example.com", "--mail-from", "gallery@example.com", "--region", "eu-central-1"]


def options(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    planning.arguments(parser)
    return parser.parse_args(given)


def plan(*given: str) -> Plan:
    """A first deploy's."""
    return planning.make_plan(options(*ORDINARY, *given), {})


def again(first: Plan, *given: str) -> dict[str, str]:
    """The parameters of the next deploy, which is told `given` and nothing else."""
    return planning.make_plan(options("--region", "eu-central-1", *given), first.values).values


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
    with pytest.raises(Misused, match="--approver and --mail-from"):
        planning.make_plan(options("--region", "eu-central-1"), {})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--approver", "ada"], "--approver 'ada'"),
        (["--operator", "a b@example.com"], "--operator"),
        (["--mail-from", "Gallery <gallery@example.com>"], "plain mail address"),
        (["--set", "PageSize"], "NAME=VALUE"),
        (["--set", "Prefix=other"], "use --prefix"),
        (["--set", "InboxBucket=other"], "InboxBucket cannot be set"),
        (["--approval-days", "nan"], "--approval-days"),
        (["--approval-days", "1158"], "less than 1157"),
    ],
)
def test_what_cannot_be_meant_is_named(given: list[str], words: str) -> None:
    with pytest.raises(Misused, match=words):
        plan(*given)


def test_a_parameter_that_no_template_has_is_named() -> None:
    with pytest.raises(BadRequest, match="Pagesize"):
        plan("--set", "Pagesize=3")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--set", "PageSize=many"], "PageSize must be a number, not 'many'"),
        (["--set", "Architecture=mips"], "Architecture must be one of arm64, x86_64"),
        (["--set", "OriginSecret="], "OriginSecret has no default"),
        (["--set", "LinkSeconds=1209600"], "LinkSeconds must be shorter"),
        (["--set", "WorkDays=14"], "WorkDays must be longer"),
    ],
)
def test_a_value_that_cannot_be_is_named_before_the_build(given: list[str], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        plan(*given)


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


# What was deployed before


@pytest.mark.parametrize(
    "given",
    [
        ["--register-mail"],
        ["--operator", "ops@example.com"],
        ["--title", "Ours"],
        ["--approval-days", "3"],
        ["--alarm-mail", "ops@example.com"],
        ["--arch", "x86_64"],
        ["--python", "3.12"],
        ["--set", "DigestSeconds=60"],
        ["--set", "SiteUrl=https://photos.example.com"],
        ["--approval-days", "3", "--set", "LinkSeconds=3600", "--set", "WorkDays=90"],
    ],
)
def test_a_setting_that_is_left_out_stays_as_it_was_deployed(given: list[str]) -> None:
    first = plan(*given)
    assert first.values != plan().values
    assert again(first) == first.values
    assert again(first, "--title", "Theirs") == {**first.values, "GalleryTitle": "Theirs"}


def test_every_option_is_a_parameter_or_says_how_to_deploy() -> None:
    """Whoever adds an option adds it above, or here."""
    how = {"prefix", "region", "set", "yes", "dry_run"}
    above = {"approver", "mail_from", "register_mail", "operator", "title", "approval_days", "alarm_mail", "arch", "python"}
    assert vars(options()).keys() == how | above
    assert [name for name in above if vars(options())[name] is not None] == [], "left out must not look like said"


@pytest.mark.parametrize(
    ("given", "back", "name", "default"),
    [
        (["--register-mail"], ["--no-register-mail"], "MailIdentity", ""),
        (["--operator", "ops@example.com"], ["--operator", ""], "Operator", ""),
        (["--alarm-mail", "ops@example.com"], ["--alarm-mail", ""], "AlarmMail", ""),
        (["--title", "Ours"], ["--title", ""], "GalleryTitle", "Greenroom"),
        (["--arch", "x86_64"], ["--set", "Architecture="], "Architecture", "arm64"),
        (["--approval-days", "3"], ["--set", "ApprovalSeconds="], "LinkSeconds", "1123200"),
        (["--set", "PageSize=30"], ["--set", "PageSize="], "PageSize", "60"),
    ],
)
def test_a_setting_goes_back_to_its_default_when_told(given: list[str], back: list[str], name: str, default: str) -> None:
    first = plan(*given)
    assert first.values[name] != default
    assert again(first, *back)[name] == default


def test_the_functions_are_built_for_what_is_deployed() -> None:
    first = plan("--arch", "x86_64", "--python", "3.12")
    later = planning.make_plan(options("--region", "eu-central-1"), first.values)
    assert (later.architecture, later.python) == ("x86_64", "3.12")
    assert later.environment["GREENROOM_ARCHITECTURE"] == "x86_64"


def test_a_new_approval_time_takes_along_only_what_followed_from_the_old_one() -> None:
    followed = again(plan("--approval-days", "10"), "--approval-days", "3")
    assert (followed["LinkSeconds"], followed["WorkDays"]) == ("172800", "19")
    chosen = again(plan("--approval-days", "10", "--set", "WorkDays=60"), "--approval-days", "3")
    assert (chosen["LinkSeconds"], chosen["WorkDays"]) == ("172800", "60")
    with pytest.raises(BadRequest, match="LinkSeconds must be shorter"):
        again(plan("--set", "LinkSeconds=500000"), "--approval-days", "3")


def test_the_sender_that_is_registered_is_the_one_that_is_deployed() -> None:
    assert again(plan(), "--register-mail")["MailIdentity"] == "gallery@example.com"


def test_what_the_deploy_finds_out_and_what_is_hidden_are_not_kept_as_settings() -> None:
    before = {**plan().values, "SiteOrigin": "https://old.example", "InboxBucket": "old", "OriginSecret": "****", "Gone": "1"}
    later = planning.make_plan(options("--region", "eu-central-1"), before).values
    assert later.keys() & {"SiteOrigin", "InboxBucket", "OriginSecret", "Gone"} == set()


def test_the_announcement_says_which_settings_change_and_which_stay() -> None:
    first = plan("--title", "Ours", "--alarm-mail", "ops@example.com", "--set", "OriginSecret=0123456789abcdefghij")
    before = {**first.values, "OriginSecret": "****"}
    given = options("--region", "eu-central-1", "--title", "Theirs", "--set", "OriginSecret=abcdefghij0123456789")
    words = deploy.announce(planning.make_plan(given, before))
    assert "GalleryTitle: 'Ours' -> 'Theirs'" in words
    assert "AlarmMail: 'ops@example.com' (default: '')" in words
    assert "abcdefghij" not in words and "PageSize" not in words


# CloudFormation


class Emulated:
    """CloudFormation's answers for one stack: what was asked, and how it ends (`ending`).

    `parameters` are the stack's own; a word of the previous value of any other is refused, as AWS refuses it. `changes` are
    what its next change sets say, two to a page.
    """

    def __init__(
        self,
        ending: str = "",
        reason: str = "",
        status: str = "",
        parameters: dict[str, str] | None = None,
        changes: list[dict[str, Any]] | None = None,
    ) -> None:
        self.ending, self.reason, self.status = ending, reason, status
        self.parameters, self.changes = parameters or {}, changes or []
        self.requests: list[dict[str, Any]] = []
        self.done: list[str] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if not self.status:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no such stack"}}, "DescribeStacks")
        rows = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]
        outputs = [{"OutputKey": "Name", "OutputValue": StackName}]
        return {"Stacks": [{"StackStatus": self.status, "Parameters": rows, "Outputs": outputs}]}

    def create_change_set(self, **request: Any) -> None:
        for row in request["Parameters"]:
            if row.get("UsePreviousValue") and row["ParameterKey"] not in self.parameters:
                raise ClientError({"Error": {"Code": "ValidationError", "Message": f"no previous {row}"}}, "CreateChangeSet")
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
        if name == "describe_change_set":
            rows = [{"Type": "Resource", "ResourceChange": row} for row in self.changes]
            pages = [{"Changes": rows[start : start + 2]} for start in range(0, len(rows), 2)]
            return SimpleNamespace(paginate=lambda **subject: pages)

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


def test_an_update_keeps_what_it_is_not_told_hidden_or_not() -> None:
    client = Emulated(status="CREATE_COMPLETE", parameters={"Prefix": "green", "OriginSecret": "****"})
    bring(client)
    assert client.requests[0]["ChangeSetType"] == "UPDATE"
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in ("Prefix", "OriginSecret")]
    assert client.requests[0]["Parameters"] == kept


def test_a_parameter_that_is_new_in_the_template_has_its_default_and_one_that_is_gone_is_not_sent() -> None:
    client = Emulated(status="UPDATE_COMPLETE", parameters={"OriginSecret": "****", "Gone": "x"})
    bring(client)
    assert [row["ParameterKey"] for row in client.requests[0]["Parameters"]] == ["OriginSecret"]


def test_what_a_failed_creation_was_told_does_not_count() -> None:
    client = Emulated(status="ROLLBACK_COMPLETE", parameters={"Prefix": "green", "OriginSecret": "****"})
    assert parameters.deployed(client, "green") == {}
    bring(client, OriginSecret="new")
    assert client.requests[0]["Parameters"] == [{"ParameterKey": "OriginSecret", "ParameterValue": "new"}]


def test_after_a_deploy_that_failed_halfway_the_newer_value_counts() -> None:
    class Halfway(Emulated):
        def describe_stacks(self, StackName: str) -> dict[str, Any]:
            title = {"green-storage": "", "green-edge": "New", "green-pipeline": "Old"}[StackName]
            self.parameters = {"GalleryTitle": title, "AlarmMail": "ops@example.com"} if title else {"WorkDays": "30"}
            return super().describe_stacks(StackName)

    found = parameters.deployed(Halfway(status="UPDATE_ROLLBACK_COMPLETE"), "green")
    assert found == {"WorkDays": "30", "GalleryTitle": "New", "AlarmMail": "ops@example.com"}


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


# What would go


def change(name: str, kind: str, action: str = "Modify", **more: str) -> dict[str, Any]:
    """A ResourceChange as DescribeChangeSet gives it."""
    return {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": f"green-{name}", **more}


SENDER = change("MailSender", "AWS::SES::EmailIdentity", "Remove", PolicyAction="Delete")
DESTRUCTIVE = [
    change("ReviewFunction", "AWS::Lambda::Function", Replacement="False"),
    change("SweepRule", "AWS::Events::Rule", "Add"),
    change("OldFunction", "AWS::Lambda::Function", "Remove", PolicyAction="Delete"),
    SENDER,
    change("Catalog", "AWS::DynamoDB::Table", Replacement="True", PolicyAction="ReplaceAndRetain"),
    change("Uploads", "AWS::SQS::Queue", Replacement="Conditional"),
    change("Permission", "AWS::Lambda::Permission", Replacement="Conditional"),
]


def preview(client: Emulated) -> list[Change]:
    return cloudformation.preview(client, "green", "https://s3.example/template", DECLARED, {})


def test_a_preview_reads_every_page_and_leaves_the_stack_alone() -> None:
    client = Emulated(status="UPDATE_COMPLETE", parameters={"OriginSecret": "****"}, changes=DESTRUCTIVE)
    assert [found.name for found in preview(client)] == [row["LogicalResourceId"] for row in DESTRUCTIVE]
    assert client.done == ["forget"]


def test_where_there_is_no_stack_nothing_can_go() -> None:
    assert preview(Emulated()) == preview(Emulated(status="ROLLBACK_COMPLETE")) == []


def test_a_preview_does_without_what_an_earlier_stack_has_yet_to_make() -> None:
    client = Emulated(status="UPDATE_COMPLETE", parameters={"Prefix": "green"}, changes=DESTRUCTIVE)
    preview(client)
    assert [row["ParameterKey"] for row in client.requests[0]["Parameters"]] == ["OriginSecret", "Prefix"]


def test_what_goes_is_said_with_what_is_lost_by_it() -> None:
    changes = [Change.read("green", row) for row in DESTRUCTIVE]
    words = describe(changes).splitlines()
    assert words[0] == "stack green: 4 changed, 1 new, 2 removed"
    assert [line.split()[0] for line in words[1:]] == ["OldFunction", "MailSender", "Catalog", "Uploads"]
    assert "AWS::SES::EmailIdentity green-MailSender" in words[2] and "confirms the address again" in words[2]
    assert words[3].endswith("is replaced by a new one; what is there is kept")
    assert "may be replaced" in words[4] and "messages" in words[4]
    assert [found.name for found in changes if found.loses] == ["MailSender", "Uploads"]


def test_without_anybody_to_ask_what_would_be_lost_is_named() -> None:
    with pytest.raises(Misused, match=r"--yes.*MailSender .*is deleted") as refused:
        deploy.agreed([Change.read("green", row) for row in DESTRUCTIVE])
    assert refused.value.code == 2


def test_nothing_goes_that_was_not_shown() -> None:
    client = Emulated(status="UPDATE_COMPLETE", changes=[SENDER])
    with pytest.raises(Failed, match=r"green was left as it is.*MailSender"):
        cloudformation.apply(client, "green", "https://s3.example/template", DECLARED, {}, agreed=[])
    assert client.done == ["forget"]
    shown = [Change.read("green", SENDER)]
    cloudformation.apply(client, "green", "https://s3.example/template", DECLARED, {}, agreed=shown)
    assert client.done == ["forget", "execute"]


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
