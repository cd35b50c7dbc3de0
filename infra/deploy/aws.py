"""Deploys Greenroom to AWS: says what will be there and what it costs, builds, checks, deploys, fills the site.

The templates and the way to deploy them are the laptop's (package.py and cloudformation.py here); only the code comes from
`sam build`, with the packages that each kind of function needs.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra import resources
from infra.deploy import artifacts, asl, cloudformation, package, parameters, reviews, sam
from infra.deploy.approvers import begin, difference
from infra.deploy.changes import Change, describe
from infra.deploy.plan import Plan, asked, make_plan, region_here
from infra.errors import Failed, Misused
from infra.terminal import err, out, out_json
from tasks.core.addresses import normal_address
from tasks.core.errors import BadRequest

if TYPE_CHECKING:
    from tasks.catalog.review_table import ReviewTable

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
class Account:
    """Where it is deployed to: the account's id, the bucket for code and templates, the clients, seconds between two looks."""

    id: str
    bucket: str
    client: Any
    s3: Any
    delay: float = 5

    @classmethod
    def open(cls, prefix: str, region: str) -> Account:
        import boto3

        session = boto3.session.Session(region_name=region)
        id = session.client("sts").get_caller_identity()["Account"]
        return cls(id, f"{prefix}-artifacts-{id}-{region}", session.client("cloudformation"), session.client("s3"))


@dataclass(frozen=True)
class Stack:
    """One stack to be: its name, its template's name and address, and the template's Parameters section."""

    name: str
    template: str
    url: str
    declared: Mapping[str, Any]

    def told(self, *values: Mapping[str, str]) -> dict[str, str]:
        """Of all values, the later ones over the earlier, those that this template takes."""
        return {key: value for some in values for key, value in some.items() if key in self.declared}


def run(given: argparse.Namespace) -> int:
    """Returns the exit code; raises Misused for what cannot be meant and Failed for what did not work."""
    asked(given)  # what cannot be meant is said before AWS is asked
    if given.dry_run:
        prepare(announced(make_plan(given, {})))
        err("Nothing was deployed: this was a dry run.")
        return 0
    account = Account.open(given.prefix, given.region or region_here())
    plan = announced(make_plan(given, parameters.deployed(account.client, given.prefix)))
    if not (plan.deployed or given.yes or agreed()):
        return 1
    prepare(plan)
    stacks = upload(plan, account)
    changes = preview(plan, account, stacks)
    if changes and not (given.yes or agreed(changes)):
        err("Nothing was deployed.")
        return 1
    outputs = deploy(plan, account, stacks, changes)
    fill(outputs, plan)
    if given.json:
        out_json(outputs)
    else:
        out(*report(outputs, plan).split("\n"))
    return 0


def announced(plan: Plan) -> Plan:
    err(*announce(plan).split("\n"))
    return plan


def announce(plan: Plan) -> str:
    """What will be there, what it costs when nobody uploads, and which settings change or are kept."""
    lines = [f"Greenroom as {plan.prefix!r} in {plan.region}, functions on {plan.architecture} with Python {plan.python}:"]
    for name in package.STACKS:
        kinds = Counter(row["Type"] for row in package.read_template(name)["Resources"].values() if wanted(row, plan))
        notable = [f"{kinds[kind]} {word}{'s'[: kinds[kind] > 1]}" for kind, word in NOTABLE.items() if kinds[kind]]
        lines.append(f"  stack {plan.prefix}-{name}: {', '.join(notable)}")
    return "\n".join([*lines, "", IDLE_COST, "", *_settings(plan)])


def _settings(plan: Plan) -> list[str]:
    """What was deployed before beside what will be, where that is worth a word; nothing before the first deploy."""
    defaults = {name: str(rule.get("Default", "")) for name, rule in parameters.declared().items()}
    known = {name: value for name, value in plan.values.items() if not parameters.hidden(plan.deployed.get(name, "*"))}
    changed = [f"  {name}: {plan.deployed[name]!r} -> {value!r}" for name, value in known.items() if value != plan.deployed[name]]
    kept = [
        f"  {name}: {value!r} (default: {defaults[name]!r})"
        for name, value in known.items()
        if value == plan.deployed[name] != defaults[name] and name != "Prefix"
    ]
    return [
        *(["Settings that change:", *changed, ""] if changed else []),
        *(["Settings that stay as they were deployed:", *kept, ""] if kept else []),
    ]


def wanted(resource: Mapping[str, Any], plan: Plan) -> bool:
    """Whether the resource is made: alarms and the mail identity only where they were asked for."""
    optional = {"HasAlarms": "AlarmMail", "RegistersMail": "MailIdentity"}
    condition = resource.get("Condition", "")
    return condition not in optional or bool(plan.values.get(optional[condition]))


def agreed(changes: Collection[Change] = ()) -> bool:
    """Ask. Raises Misused when nobody is there to be asked, naming what would be lost."""
    if not sys.stdin.isatty():
        losses = "".join(f"; {change.line()}" for change in changes if change.loses)
        raise Misused(f"nobody is there to ask: give --yes to deploy this, or --dry-run to try it{losses}")
    print("Deploy this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def prepare(plan: Plan) -> None:
    check(plan)
    build(plan)


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


def upload(plan: Plan, account: Account) -> list[Stack]:
    """Every stack in the order of deployment, its code and its template in the bucket."""
    cloudformation.make_bucket(account.s3, account.bucket, plan.region)
    stacks = []
    for name in package.STACKS:
        body = package.Artifact.of(_packaged(account, name, plan), ".template")
        account.s3.put_object(Bucket=account.bucket, Key=body.key, Body=body.body)
        url = f"{account.s3.meta.endpoint_url}/{account.bucket}/{body.key}"
        stacks.append(Stack(f"{plan.prefix}-{name}", name, url, package.read_template(name)["Parameters"]))
    return stacks


def preview(plan: Plan, account: Account, stacks: list[Stack]) -> list[Change]:
    """Show and return what would change of the stacks that are there, with what they say of each other now."""
    outputs: dict[str, str] = {}
    changes: list[Change] = []
    for stack in stacks:
        told = stack.told(_first_values(account.client, stack), outputs, plan.values)
        changes += cloudformation.preview(account.client, stack.name, stack.url, stack.declared, told, delay=account.delay)
        outputs |= cloudformation.look(account.client, stack.name).outputs
    if changes:
        err(*describe(changes).split("\n"))
    return changes


def deploy(plan: Plan, account: Account, stacks: list[Stack], changes: Collection[Change]) -> dict[str, str]:
    """Deploy every stack in order; returns all outputs by key. Nothing goes that is not in `changes`."""
    results: dict[str, str] = {}
    for stack in stacks:
        results |= _deploy_one(account, stack, changes, _first_values(account.client, stack), results, plan.values)
        if stack.template == "storage":  # before the functions that ask the list, so that no approver is locked out meanwhile
            _begin_approvers(plan, _review_table(plan, results))
    # The inbox learns the site's address last: CloudFront has it only now.
    results |= _deploy_one(account, stacks[0], changes, plan.values, {"SiteOrigin": results["SiteUrl"]})
    if moved := reviews.move_all(_review_table(plan, results)):
        err(f"moved {moved} reviews, decisions and links to their own table")
    return results


def _review_table(plan: Plan, results: Mapping[str, str]) -> ReviewTable:
    from tasks.catalog.review_table import ReviewTable
    from tasks.core.aws.session import Aws

    return ReviewTable(Aws(plan.region), results["ReviewsTable"], results["CatalogTable"])


def _begin_approvers(plan: Plan, table: ReviewTable) -> None:
    """Begin the list of approvers where it is empty: with that of an earlier version, else the plan's.

    Raises Misused when nobody would decide then.
    """
    from tasks.catalog.approvers import Approvers

    reviews.copy_approvers(table)
    earlier = _earlier(plan.deployed.get("Approvers", ""))
    listed = begin(Approvers(table), earlier or plan.approvers)
    if not listed:
        raise Misused("somebody must decide: give --approver")
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


def _deploy_one(account: Account, stack: Stack, changes: Collection[Change], *values: Mapping[str, str]) -> dict[str, str]:
    err(f"stack {stack.name} ...")
    there = account.client, stack.name, stack.url, stack.declared
    return cloudformation.apply(*there, stack.told(*values), delay=account.delay, agreed=changes)


def _first_values(client: Any, stack: Stack) -> dict[str, str]:
    """A secret for a new edge (an update keeps it), and the address that a known site already has."""
    if stack.template == "edge" and not cloudformation.look(client, stack.name).works:
        return {"OriginSecret": secrets.token_urlsafe(32)}
    if stack.template == "storage":
        site = cloudformation.look(client, f"{stack.name.removesuffix('storage')}edge").outputs.get("SiteUrl", "")
        return {"SiteOrigin": site} if site else {}
    return {}


def _packaged(account: Account, name: str, plan: Plan) -> bytes:
    """The template with its code in the bucket; where it has no code, with the names of what it keeps."""
    if name not in _with_code():
        identity = {"MailIdentity": plan.values["MailIdentity"]} if plan.values.get("MailIdentity") else {}
        names = {"Prefix": plan.prefix, "AWS::AccountId": account.id, "AWS::Region": plan.region, **identity}
        return json.dumps(package.with_literal_names(package.read_template(name), names)).encode()
    packaged = _built(name) / "packaged.yaml"
    sam.run(
        "package",
        f"--template-file={_built(name) / 'template.yaml'}",
        f"--s3-bucket={account.bucket}",
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
