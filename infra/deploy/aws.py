"""Deploys Greenroom to AWS: says what will be there and what it costs, builds, checks, deploys, fills the site.

The templates and the way to deploy them are the laptop's (package.py and cloudformation.py here); only the code comes from
`sam build`, with the packages that each kind of function needs.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import secrets
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra import resources
from infra.deploy import artifacts, asl, cloudformation, package, reviews, sam
from infra.deploy.approvers import begin, difference
from infra.errors import Failed, Misused
from infra.terminal import err, out, out_json
from tasks.core.addresses import normal_address
from tasks.core.errors import BadRequest

if TYPE_CHECKING:
    from tasks.catalog.review_table import ReviewTable

ADDRESS = re.compile(r"[^@\s,<>]+@[^@\s,<>]+\.[^@\s,<>]+")
# What people count; the rest are parts of these.
NOTABLE = {
    "AWS::S3::Bucket": "S3 bucket",
    "AWS::DynamoDB::Table": "DynamoDB table",
    "AWS::Serverless::Function": "Lambda function",
    "AWS::Serverless::StateMachine": "state machine",
    "AWS::SQS::Queue": "SQS queue",
    "AWS::CloudFront::Distribution": "CloudFront distribution",
    "AWS::Logs::LogGroup": "log group",
    "AWS::SES::EmailIdentity": "SES identity",
    "AWS::CloudWatch::Alarm": "alarm",
}
IDLE_COST = """\
Idle, it costs what it stores, and cents: nothing here is paid by the hour. Lambda's polling of the two queues makes about
1.3 million SQS requests a month (the first million is free), the sweeper about 8,700 short invocations (free tier), alarms
are charged from the eleventh of an account on. S3, DynamoDB with its point-in-time recovery, and logs are paid by the GB.
Prices: docs/how-to/deploy.md, and https://calculator.aws for today's."""


@dataclass(frozen=True)
class Plan:
    """What the operator asked for. `values` are template parameters by name."""

    prefix: str
    region: str
    architecture: str
    python: str
    values: dict[str, str]
    approvers: tuple[str, ...] = ()  # who begin the list; a list that has begun is not changed by a deploy

    @property
    def environment(self) -> dict[str, str]:
        """What infra/lambda/common.mk reads."""
        return {
            "GREENROOM_ARCHITECTURE": self.architecture,
            "GREENROOM_PYTHON": self.python,
            "AWS_DEFAULT_REGION": self.region,
        }


@dataclass(frozen=True)
class Account:
    """Where it is deployed to: the account's id, the bucket for code and templates, and the clients."""

    id: str
    bucket: str
    client: Any
    s3: Any


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--prefix", default="greenroom", help="first part of every name (default: greenroom)")
    decides = "who decides at first; several, or with commas"
    add("--approver", "--approvers", action="append", default=[], metavar="MAIL", help=decides)
    add("--mail-from", default="", metavar="MAIL", help="sender of the mails; an identity in SES")
    add("--register-mail", action="store_true", help="make the sender an identity in SES: it gets a mail to confirm")
    add("--operator", default="", metavar="MAIL", help="who is told of failures (default: the first approver)")
    add("--title", default="", help="name at the top of the site and the mails")
    add("--approval-days", type=float, metavar="DAYS", help="how long an item waits for a decision (default: 14)")
    add("--alarm-mail", default="", metavar="MAIL", help="who gets CloudWatch's alarms (default: nobody)")
    add("--region", default="", help="AWS region (default: the environment's)")
    add("--arch", choices=tuple(artifacts.PLATFORMS), default="arm64", help="the functions' processors (default: arm64)")
    add("--python", choices=("3.12", "3.13"), default="3.13", help="the functions' runtime (default: 3.13)")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="any other parameter of infra/templates")
    add("--yes", action="store_true", help="don't ask")
    add("--dry-run", action="store_true", help="say, build and check everything, and stop before AWS")


def run(given: argparse.Namespace) -> int:
    """Returns the exit code; raises Misused for what cannot be meant and Failed for what did not work."""
    plan = make_plan(given)
    err(*announce(plan).split("\n"))
    if not (given.dry_run or given.yes or _agreed()):
        return 1
    check(plan)
    build(plan)
    if given.dry_run:
        err("Nothing was deployed: this was a dry run.")
        return 0
    outputs = deploy(plan)
    fill(outputs, plan)
    if given.json:
        out_json(outputs)
    else:
        out(*report(outputs, plan).split("\n"))
    return 0


def make_plan(given: argparse.Namespace) -> Plan:
    """Parse the options; raises Misused naming the one that cannot be used."""
    approvers = tuple(_approver(part) for one in given.approver for part in one.split(",") if part.strip())
    for option, address in [
        ("--operator", given.operator),
        ("--alarm-mail", given.alarm_mail),
    ]:
        if address and not ADDRESS.fullmatch(address):
            raise Misused(f"{option} {address!r} is not a mail address")
    if given.mail_from and not ADDRESS.fullmatch(given.mail_from):
        raise Misused(f"--mail-from {given.mail_from!r} is not a plain mail address such as gallery@example.com")
    if not approvers or not given.mail_from:
        raise Misused("somebody must decide, and be asked by mail: give --approver and --mail-from")
    named = {
        "Prefix": given.prefix,
        "MailFrom": given.mail_from,
        "Operator": given.operator,
        "GalleryTitle": given.title,
        "AlarmMail": given.alarm_mail,
        "MailIdentity": given.mail_from if given.register_mail else "",
        "ApprovalSeconds": "" if given.approval_days is None else str(math.ceil(given.approval_days * 86_400)),
        "Architecture": given.arch,
        "PythonRuntime": f"python{given.python}",
    }
    values = package.parameter_values({**{name: value for name, value in named.items() if value}, **_pairs(given.set)})
    return Plan(given.prefix, given.region or _region(), given.arch, given.python, values, approvers)


def _approver(text: str) -> str:
    try:
        return normal_address(text)
    except BadRequest as fault:
        raise Misused(f"--approver {fault.reason}") from fault


def _pairs(given: list[str]) -> dict[str, str]:
    wrong = [pair for pair in given if "=" not in pair]
    if wrong:
        raise Misused(f"--set {wrong[0]!r} is not NAME=VALUE")
    return dict(pair.split("=", 1) for pair in given)


def _region() -> str:
    import boto3

    region = boto3.session.Session().region_name
    if not region:
        raise Misused("no region: give --region, or set AWS_REGION or a profile's region")
    return str(region)


def announce(plan: Plan) -> str:
    """What will be there, and what it costs when nobody uploads."""
    lines = [f"Greenroom as {plan.prefix!r} in {plan.region}, functions on {plan.architecture} with Python {plan.python}:"]
    for name in package.STACKS:
        kinds = Counter(row["Type"] for row in package.read_template(name)["Resources"].values() if wanted(row, plan))
        notable = [f"{kinds[kind]} {word}{'s'[: kinds[kind] > 1]}" for kind, word in NOTABLE.items() if kinds[kind]]
        lines.append(f"  stack {plan.prefix}-{name}: {', '.join(notable)}")
    return "\n".join([*lines, "", IDLE_COST, ""])


def wanted(resource: Mapping[str, Any], plan: Plan) -> bool:
    """Whether the resource is made: alarms and the mail identity only where they were asked for."""
    optional = {"HasAlarms": "AlarmMail", "RegistersMail": "MailIdentity"}
    condition = resource.get("Condition", "")
    return condition not in optional or bool(plan.values.get(optional[condition]))


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise Misused("nobody is there to ask: give --yes to deploy this, or --dry-run to try it")
    print("Deploy this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def check(plan: Plan) -> None:
    """Validate what AWS would only refuse halfway; raises Failed."""
    approval = int(plan.values.get("ApprovalSeconds", 0)) or None
    package.write_definition(approval)
    if wrong := asl.complaints(package.render_definition(package.example_values(), approval_seconds=approval)):
        raise Failed(f"state_machines/ingest.asl.yaml: {wrong}")


def build(plan: Plan) -> None:
    """`sam build` for the stacks that have functions; prints what each artifact weighs."""
    for name in _with_code():
        err(f"sam build of {name}.yaml ...")
        sam.run(
            "build",
            "--build-in-source",
            f"--template-file={package.template_path(name, resources.workshop())}",
            f"--build-dir={_built(name)}",
            f"--parameter-overrides=Architecture={plan.architecture}",
            environment=plan.environment,
        )
    for kind in artifacts.KINDS:
        err(f"  {artifacts.build(kind, plan.architecture, plan.python).line()}")


def _built(name: str) -> Path:
    """Where `sam build` puts a stack."""
    return resources.workshop() / "build" / "sam" / name


def _with_code() -> list[str]:
    return [name for name in package.STACKS if "Transform" in package.read_template(name)]


def deploy(plan: Plan) -> dict[str, str]:
    """Package and deploy every stack in order; returns all outputs by key."""
    import boto3

    session = boto3.session.Session(region_name=plan.region)
    account = session.client("sts").get_caller_identity()["Account"]
    there = Account(
        account, f"{plan.prefix}-artifacts-{account}-{plan.region}", session.client("cloudformation"), session.client("s3")
    )
    cloudformation.make_bucket(there.s3, there.bucket, plan.region)
    results: dict[str, str] = {}
    for name in package.STACKS:
        results |= _deploy_one(there, name, plan, results)
        if name == "storage":  # before the functions that ask the list, so that no approver is locked out meanwhile
            _begin_approvers(there, plan, _review_table(plan, results))
    # The inbox learns the site's address last: CloudFront has it only now.
    results |= _deploy_one(there, "storage", plan, {"SiteOrigin": results["SiteUrl"]})
    if moved := reviews.move_all(_review_table(plan, results)):
        err(f"moved {moved} reviews, decisions and links to their own table")
    return results


def _review_table(plan: Plan, results: Mapping[str, str]) -> ReviewTable:
    from tasks.catalog.review_table import ReviewTable
    from tasks.core.aws.session import Aws

    return ReviewTable(Aws(plan.region), results["ReviewsTable"], results["CatalogTable"])


def _begin_approvers(there: Account, plan: Plan, table: ReviewTable) -> None:
    """Begin the list of approvers where it is empty: with that of an earlier version, else the plan's."""
    from tasks.catalog.approvers import Approvers

    reviews.copy_approvers(table)
    told = cloudformation.parameters(there.client, f"{plan.prefix}-pipeline").get("Approvers", "")
    listed = begin(Approvers(table), _earlier(told) or plan.approvers)
    err(f"approvers: {', '.join(listed)}")
    command = f"greenroom approvers --stack-name {plan.prefix}-pipeline"
    if note := difference(plan.approvers, listed, command):
        err(note)


def _earlier(told: str) -> tuple[str, ...]:
    """The approvers that a deployment from before there was a list was told, but for what was never an address."""
    found = []
    for part in filter(str.strip, told.split(",")):
        try:
            found.append(normal_address(part))
        except BadRequest as fault:
            err(f"left out of the approvers: {fault.reason}")
    return tuple(found)


def _deploy_one(there: Account, name: str, plan: Plan, results: Mapping[str, str]) -> dict[str, str]:
    stack = f"{plan.prefix}-{name}"
    err(f"stack {stack} ...")
    body = package.Artifact.of(_packaged(there, name, plan), ".template")
    there.s3.put_object(Bucket=there.bucket, Key=body.key, Body=body.body)
    declared = package.read_template(name)["Parameters"]
    values = {**_first_values(there.client, stack, name), **results, **plan.values}
    told = {key: value for key, value in values.items() if key in declared}
    url = f"{there.s3.meta.endpoint_url}/{there.bucket}/{body.key}"
    return cloudformation.apply(there.client, stack, url, declared, told)


def _first_values(client: Any, stack: str, name: str) -> dict[str, str]:
    """A secret for a new edge (an update keeps it), and the address that a known site already has."""
    if name == "edge" and not cloudformation.stack_status(client, stack):
        return {"OriginSecret": secrets.token_urlsafe(32)}
    if name == "storage" and cloudformation.stack_status(client, edge := stack.replace("-storage", "-edge")).endswith("COMPLETE"):
        return {"SiteOrigin": cloudformation.outputs(client, edge).get("SiteUrl", "https://*.cloudfront.net")}
    return {}


def _packaged(there: Account, name: str, plan: Plan) -> bytes:
    """The template with its code in the bucket; where it has no code, with the names of what it keeps."""
    if name not in _with_code():
        names = {"Prefix": plan.prefix, "AWS::AccountId": there.id, "AWS::Region": plan.region}
        return json.dumps(package.with_literal_names(package.read_template(name), names)).encode()
    packaged = _built(name) / "packaged.yaml"
    sam.run(
        "package",
        f"--template-file={_built(name) / 'template.yaml'}",
        f"--s3-bucket={there.bucket}",
        f"--output-template-file={packaged}",
        f"--region={plan.region}",
        environment=plan.environment,
    )
    return packaged.read_bytes()


def fill(outputs: Mapping[str, str], plan: Plan) -> None:
    """Static files and the first pages."""
    import boto3

    from infra.dev import assets
    from tasks.core.settings import Settings

    session = boto3.session.Session(region_name=plan.region)
    function = session.client("lambda").get_function_configuration(FunctionName=f"{plan.prefix}-RebuildIndexes")
    told = Settings.read(function["Environment"]["Variables"])
    found = assets.collect(
        told.gallery_title, outputs["SiteUrl"], max_image_bytes=told.max_image_bytes, max_video_bytes=told.max_video_bytes
    )
    for key, asset in found.items():
        session.client("s3").put_object(
            Bucket=told.site_bucket,
            Key=key,
            Body=asset.path.read_bytes(),
            ContentType=asset.content_type,
            CacheControl=asset.cache,
        )
    session.client("lambda").invoke(FunctionName=f"{plan.prefix}-RebuildIndexes", Payload=json.dumps({"all": True}).encode())


def report(outputs: Mapping[str, str], plan: Plan) -> str:
    return "\n".join(
        [
            f"gallery   {outputs['SiteUrl']}/",
            f"upload    {outputs['SiteUrl']}/upload/",
            f"inbox     s3://{outputs['InboxBucket']}/  (aws s3 sync ./photos s3://{outputs['InboxBucket']}/Summer/)",
            f"machine   {outputs['MachineArn']}",
            f"SES must know {plan.values['MailFrom']}, and in its sandbox the approvers too: docs/how-to/deploy.md",
        ]
    )
