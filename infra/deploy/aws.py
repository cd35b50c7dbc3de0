"""`greenroom deploy`: says what will be there and what it costs, builds, checks, shows what would change, and asks.

The templates and the way to deploy them (stacks.py) are the laptop's; only the code comes from `sam build`, with the packages
that each kind of function needs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from infra import resources
from infra.deploy import artifacts, asl, package, parameters, sam, stacks
from infra.deploy.approvers import difference
from infra.deploy.changes import Change, describe
from infra.deploy.deployed import Deployed
from infra.deploy.plan import Plan, asked, make_plan, region_here
from infra.deploy.stacks import Account
from infra.errors import Failed, Misused
from infra.terminal import err, out, out_json

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
    uploaded = stacks.upload(plan, account, SamPackage())
    changes = shown(stacks.preview(plan, account, uploaded))
    if changes and not (given.yes or agreed(changes)):
        err("Nothing was deployed.")
        return 1
    made = stacks.deploy(plan, account, uploaded, changes)
    say_approvers(plan, made.approvers)
    stacks.fill(Deployed(f"{plan.prefix}-pipeline", plan.region), made.outputs["SiteUrl"])
    if given.json:
        out_json(made.outputs)
    else:
        out(*report(made.outputs, plan).split("\n"))
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


def shown(changes: list[Change]) -> list[Change]:
    if changes:
        err(*describe(changes).split("\n"))
    return changes


def say_approvers(plan: Plan, listed: tuple[str, ...]) -> None:
    """Who decides, and how to change that where others were asked for."""
    err(f"approvers: {', '.join(listed)}")
    if note := difference(plan.approvers, listed, f"greenroom approvers --stack-name {plan.prefix}-pipeline"):
        err(note)


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


class SamPackage:
    """`sam package` for the stacks that have functions; the names of what it keeps for the one that has none."""

    def template(self, name: str, plan: Plan, account: Account) -> bytes:
        if name not in _with_code():
            return json.dumps(package.with_literal_names(package.read_template(name), account.names(plan))).encode()
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
