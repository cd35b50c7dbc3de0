"""A gallery is deployed a second and a third time on the emulator's CloudFormation: nothing is lost that nobody gave away."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import boto3
import pytest
from machines.engine import free_port, ministack

from infra.deploy import aws as deploy
from infra.deploy import package, parameters
from infra.deploy import plan as planning
from infra.deploy.changes import Change
from infra.deploy.plan import Plan
from infra.errors import Failed, Misused
from tasks.catalog.approvers import Approvers
from tasks.core.aws.dynamodb import Table
from tasks.core.aws.session import Aws

FIRST = ["--approver", "ada@example.com", "--mail-from", "gallery@example.com", "--register-mail", "--approval-days", "3"]
ON_THE_EMULATOR = ["--region", "us-east-1", "--set", "RequireTls=false"]


@dataclass(frozen=True)
class Operator:
    """Whoever calls `greenroom deploy`, without `sam build`: the code is what a laptop runs."""

    account: deploy.Account

    def plan(self, *given: str) -> Plan:
        parser = argparse.ArgumentParser()
        planning.arguments(parser)
        return planning.make_plan(parser.parse_args(given), parameters.deployed(self.account.client, "greenroom"))

    def stacks(self, plan: Plan) -> list[deploy.Stack]:
        """The storage template as a deploy uploads it, the others as a laptop does."""
        s3, bucket = self.account.s3, self.account.bucket
        code = package.Artifact.of(package.code_zip(), ".zip")
        seconds = int(plan.values.get("ApprovalSeconds", 1_209_600))
        definition = package.Artifact.of(json.dumps(package.render_definition(approval_seconds=seconds)).encode(), ".json")
        names = {"Prefix": plan.prefix, "AWS::AccountId": self.account.id, "AWS::Region": plan.region}
        local = package.local_stacks(plan.prefix, bucket, code, definition, names)
        storage = package.Artifact.of(deploy._packaged(self.account, "storage", plan), ".template")
        templates = [storage, *(package.Artifact.of(stack.body.encode(), ".template") for stack in local[1:])]
        for artifact in (code, definition, *templates):
            s3.put_object(Bucket=bucket, Key=artifact.key, Body=artifact.body)
        url = f"{s3.meta.endpoint_url}/{bucket}"
        return [
            deploy.Stack(stack.name, name, f"{url}/{template.key}", package.read_template(name)["Parameters"])
            for name, stack, template in zip(package.STACKS, local, templates, strict=True)
        ]

    def preview(self, *given: str) -> list[Change]:
        plan = self.plan(*given)
        return deploy.preview(plan, self.account, self.stacks(plan))

    def deploy(self, *given: str) -> dict[str, str]:
        """Say yes to all that is shown; the parameters that are deployed then."""
        plan = self.plan(*given)
        stacks = self.stacks(plan)
        deploy.deploy(plan, self.account, stacks, deploy.preview(plan, self.account, stacks))
        return parameters.deployed(self.account.client, "greenroom")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator whose gallery is deployed already, with its sender registered and three days for a decision."""
    folder = tmp_path_factory.mktemp("emulator")
    mocks = folder / "mocks.json"
    mocks.write_text("{}")
    with ministack(folder, mocks, free_port(range(18750, 18799))) as url, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", url)
        account = replace(deploy.Account.open("greenroom", "us-east-1"), delay=0.1)
        deploy.cloudformation.make_bucket(account.s3, account.bucket, "us-east-1")
        found = Operator(account)
        found.deploy(*FIRST, *ON_THE_EMULATOR)
        yield found


def registered() -> list[str]:
    return [row["IdentityName"] for row in boto3.client("sesv2").list_email_identities()["EmailIdentities"]]


def deciders() -> list[str]:
    return [one.address for one in Approvers(Table(Aws("us-east-1"), "greenroom-catalog")).all()]


def waiting_time(operator: Operator) -> int:
    """How long the deployed machine waits for a decision."""
    machine = operator.account.client.describe_stack_resource(StackName="greenroom-pipeline", LogicalResourceId="Ingest")
    arn = machine["StackResourceDetail"]["PhysicalResourceId"]
    definition = boto3.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
    seconds: int = json.loads(definition)["States"]["AwaitApproval"]["TimeoutSeconds"]
    return seconds


def test_a_second_deploy_that_says_nothing_changes_nothing(operator: Operator) -> None:
    before = parameters.deployed(operator.account.client, "greenroom")
    assert operator.preview("--region", "us-east-1") == []
    assert operator.deploy("--region", "us-east-1") == before
    assert registered() == ["gallery@example.com"]
    assert waiting_time(operator) == 259_200
    assert deciders() == ["ada@example.com"]


def test_a_title_is_changed_alone(operator: Operator) -> None:
    before = parameters.deployed(operator.account.client, "greenroom")
    changes = operator.preview("--region", "us-east-1", "--title", "Ours")
    assert changes and [change for change in changes if change.goes] == []
    assert operator.deploy("--region", "us-east-1", "--title", "Ours") == {**before, "GalleryTitle": "Ours"}
    assert registered() == ["gallery@example.com"]


def test_an_identity_that_leaves_the_stack_goes_on_sending_and_is_taken_back(operator: Operator) -> None:
    """The emulator's change sets don't show what a condition removes; AWS's do (test_deploying.py has its answer)."""
    assert operator.deploy("--region", "us-east-1", "--no-register-mail")["MailIdentity"] == ""
    assert registered() == ["gallery@example.com"]
    assert operator.deploy("--region", "us-east-1", "--register-mail")["MailIdentity"] == "gallery@example.com"
    assert registered() == ["gallery@example.com"]


def test_a_queue_whose_name_changes_is_said_and_asked_about(operator: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    """As if a later version of the template had given it another name."""
    plan = operator.plan("--region", "us-east-1")
    *earlier, pipeline = operator.stacks(plan)
    s3, bucket = operator.account.s3, operator.account.bucket
    template = json.loads(s3.get_object(Bucket=bucket, Key=pipeline.url.rsplit("/", 1)[1])["Body"].read())
    template["Resources"]["UploadsQueue"]["Properties"]["QueueName"] = "another"
    s3.put_object(Bucket=bucket, Key="another.template", Body=json.dumps(template).encode())
    later = replace(pipeline, url=f"{s3.meta.endpoint_url}/{bucket}/another.template")
    lost = [change for change in deploy.preview(plan, operator.account, [*earlier, later]) if change.loses]
    assert [change.name for change in lost] == ["UploadsQueue"]
    assert "is replaced by a new one, and with it goes the messages in it" in capsys.readouterr().err
    with pytest.raises(Misused, match=r"UploadsQueue .*goes the messages in it"):
        deploy.agreed(lost)
    with pytest.raises(Failed, match="UploadsQueue"):
        deploy.deploy(plan, operator.account, [*earlier, later], [])
