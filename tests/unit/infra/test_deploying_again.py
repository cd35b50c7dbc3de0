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
from infra.deploy import cloudformation, package, parameters, stacks
from infra.deploy import plan as planning
from infra.deploy.changes import Change
from infra.deploy.plan import Plan
from infra.errors import Failed, Misused
from infra.local.package import OneArchive
from tasks.catalog.approvers import Approvers
from tasks.core.aws.dynamodb import Table
from tasks.core.aws.session import Aws

FIRST = ["--approver", "ada@example.com", "--mail-from", "gallery@example.com", "--register-mail", "--approval-days", "3"]
ON_THE_EMULATOR = ["--region", "us-east-1", "--set", "RequireTls=false"]


@dataclass(frozen=True)
class Operator:
    """Whoever calls `greenroom deploy`, without `sam build`: the code is what a laptop runs."""

    account: stacks.Account

    def plan(self, *given: str) -> Plan:
        parser = argparse.ArgumentParser()
        planning.arguments(parser)
        return planning.make_plan(parser.parse_args(given), parameters.deployed(self.account.client, "greenroom"))

    def stacks(self, plan: Plan) -> list[stacks.Stack]:
        return stacks.upload(plan, self.account, self)

    def template(self, name: str, plan: Plan, account: stacks.Account) -> bytes:
        """The storage template as a deploy packages it, the others as a laptop does."""
        packager = deploy.SamPackage() if name == "storage" else OneArchive()
        return packager.template(name, plan, account)

    def preview(self, *given: str) -> list[Change]:
        plan = self.plan(*given)
        return stacks.preview(plan, self.account, self.stacks(plan))

    def deploy(self, *given: str) -> dict[str, str]:
        """Say yes to all that is shown; the parameters that are deployed then."""
        plan = self.plan(*given)
        uploaded = self.stacks(plan)
        stacks.deploy(plan, self.account, uploaded, stacks.preview(plan, self.account, uploaded))
        return parameters.deployed(self.account.client, "greenroom")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator whose gallery is deployed already, with its sender registered and three days for a decision."""
    folder = tmp_path_factory.mktemp("emulator")
    mocks = folder / "mocks.json"
    mocks.write_text("{}")
    with ministack(folder, mocks, free_port(range(18750, 18799))) as url, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", url)
        account = stacks.Account.open("greenroom", "us-east-1", delay=0.1)
        found = Operator(account)
        found.deploy(*FIRST, *ON_THE_EMULATOR)
        yield found


def registered() -> list[str]:
    return [row["IdentityName"] for row in boto3.client("sesv2").list_email_identities()["EmailIdentities"]]


def deciders() -> list[str]:
    return [one.address for one in Approvers(Table(Aws("us-east-1"), "greenroom-reviews")).all()]


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
    lost = [change for change in deploy.shown(stacks.preview(plan, operator.account, [*earlier, later])) if change.loses]
    assert [change.name for change in lost] == ["UploadsQueue"]
    assert "is replaced by a new one, and with it goes the messages in it" in capsys.readouterr().err
    with pytest.raises(Misused, match=r"UploadsQueue .*goes the messages in it"):
        deploy.agreed(lost)
    with pytest.raises(Failed, match="UploadsQueue"):
        stacks.deploy(plan, operator.account, [*earlier, later], [])


def test_the_inbox_takes_uploads_from_the_site_whose_address_is_known_last(operator: Operator) -> None:
    storage, edge = (cloudformation.look(operator.account.client, f"greenroom-{name}") for name in ("storage", "edge"))
    assert edge.outputs["SiteUrl"].startswith("https://")
    assert storage.parameters["SiteOrigin"] == edge.outputs["SiteUrl"]


def test_where_nobody_would_decide_there_are_no_functions(operator: Operator) -> None:
    plan = replace(operator.plan("--prefix", "lonely", *FIRST, *ON_THE_EMULATOR), approvers=())
    with pytest.raises(Misused, match="somebody must decide: give --approver"):
        stacks.deploy(plan, operator.account, operator.stacks(plan))
    here = {name: cloudformation.look(operator.account.client, f"lonely-{name}").works for name in package.STACKS}
    assert here == {"storage": True, "edge": False, "pipeline": False}
