"""Deploys Greenroom's stacks in order, the same way for a laptop and an AWS account; only how code is packaged differs.

Later stacks need what earlier ones make: an output of one is a parameter of the next ones where the names agree.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from infra.deploy import cloudformation, reviews
from infra.deploy.approvers import begin, earlier
from infra.deploy.package import STACKS, Artifact, read_template
from infra.errors import Misused
from infra.terminal import err

if TYPE_CHECKING:
    from infra.deploy.changes import Change
    from infra.deploy.deployed import Deployed
    from infra.deploy.plan import Plan
    from tasks.catalog.review_table import ReviewTable


@dataclass(frozen=True)
class Account:
    """Where it is deployed to: the account's id, the bucket for code and templates, and the clients.

    `delay` is the seconds between two looks at a stack; `validate` False leaves out CloudFormation's look ahead.
    """

    id: str
    region: str
    bucket: str
    client: Any
    s3: Any
    delay: float = 5
    validate: bool = True

    @classmethod
    def open(cls, prefix: str, region: str, *, delay: float = 5, validate: bool = True) -> Account:
        """The account that the environment names."""
        from tasks.core.aws.session import Aws

        aws = Aws(region)
        id = aws.client("sts").get_caller_identity()["Account"]
        bucket = f"{prefix}-artifacts-{id}-{region}"
        return cls(id, region, bucket, aws.client("cloudformation"), aws.client("s3"), delay, validate)

    def names(self, plan: Plan) -> dict[str, str]:
        """What the names of kept resources are made of, for `package.with_literal_names`."""
        identity = plan.values.get("MailIdentity", "")
        names = {"Prefix": plan.prefix, "AWS::AccountId": self.id, "AWS::Region": self.region}
        return {**names, "MailIdentity": identity} if identity else names

    def put(self, artifact: Artifact) -> str:
        """Into the bucket; its address there."""
        self.s3.put_object(Bucket=self.bucket, Key=artifact.key, Body=artifact.body)
        return f"{self.s3.meta.endpoint_url}/{self.bucket}/{artifact.key}"


class Packager(Protocol):
    """How a template gets its code."""

    def template(self, name: str, plan: Plan, account: Account) -> bytes:
        """The template as CloudFormation takes it; the code that it names is in the account's bucket."""


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


@dataclass(frozen=True)
class Deployment:
    """What a deploy made: all outputs by key, and who decides."""

    outputs: Mapping[str, str]
    approvers: tuple[str, ...]


def upload(plan: Plan, account: Account, packager: Packager) -> list[Stack]:
    """Every stack in the order of deployment, its code and its template in the bucket."""
    cloudformation.make_bucket(account.s3, account.bucket, account.region)
    stacks = []
    for name in STACKS:
        url = account.put(Artifact.of(packager.template(name, plan, account), ".template"))
        stacks.append(Stack(f"{plan.prefix}-{name}", name, url, read_template(name)["Parameters"]))
    return stacks


def preview(plan: Plan, account: Account, stacks: list[Stack]) -> list[Change]:
    """What would change of the stacks that are there, with what they say of each other now."""
    outputs: dict[str, str] = {}
    changes: list[Change] = []
    for stack in stacks:
        told = stack.told(_first_values(account.client, stack), outputs, plan.values)
        changes += cloudformation.preview(account.client, stack.name, stack.url, stack.declared, told, delay=account.delay)
        outputs |= cloudformation.look(account.client, stack.name).outputs
    return changes


def deploy(
    plan: Plan,
    account: Account,
    stacks: list[Stack],
    agreed: Collection[Change] | None = None,
    say: Callable[[str], None] = err,
) -> Deployment:
    """Deploy every stack in order. Nothing that holds something goes that is not in `agreed`; None agrees to everything.

    Raises Failed with CloudFormation's own reason, and Misused when nobody would decide.
    """
    outputs: dict[str, str] = {}
    approvers: tuple[str, ...] = ()
    for stack in stacks:
        say(f"stack {stack.name} ...")
        told = stack.told(_first_values(account.client, stack), outputs, plan.values)
        outputs |= _apply(account, stack, told, agreed)
        if stack.template == "storage":  # before the functions that ask the list, so that no approver is locked out meanwhile
            approvers = begin_approvers(plan, review_table(plan, outputs), say)
    if "SiteOrigin" not in plan.values:
        # The inbox learns the site's address last: CloudFront has it only now.
        say(f"stack {stacks[0].name} ...")
        outputs |= _apply(account, stacks[0], stacks[0].told(plan.values, {"SiteOrigin": outputs["SiteUrl"]}), agreed)
    if moved := reviews.move_all(review_table(plan, outputs)):
        say(f"moved {moved} reviews, decisions and links to their own table")
    return Deployment(outputs, approvers)


def review_table(plan: Plan, outputs: Mapping[str, str]) -> ReviewTable:
    from tasks.catalog.review_table import ReviewTable
    from tasks.core.aws.session import Aws

    return ReviewTable(Aws(plan.region), outputs["ReviewsTable"], outputs["CatalogTable"])


def _apply(account: Account, stack: Stack, told: Mapping[str, str], agreed: Collection[Change] | None) -> dict[str, str]:
    there = account.client, stack.name, stack.url, stack.declared
    return cloudformation.apply(*there, told, delay=account.delay, validate=account.validate, agreed=agreed)


def _first_values(client: Any, stack: Stack) -> dict[str, str]:
    """A secret for a new edge (an update keeps it), and the address that a known site already has."""
    if stack.template == "edge" and not cloudformation.look(client, stack.name).works:
        return {"OriginSecret": secrets.token_urlsafe(32)}
    if stack.template == "storage":
        site = cloudformation.look(client, f"{stack.name.removesuffix('storage')}edge").outputs.get("SiteUrl", "")
        return {"SiteOrigin": site} if site else {}
    return {}


def begin_approvers(plan: Plan, table: ReviewTable, say: Callable[[str], None] = err) -> tuple[str, ...]:
    """Begin the list of approvers where it is empty: with those of an earlier version, else the plan's.

    The addresses that the list then has. Raises Misused when nobody would decide.
    """
    from tasks.catalog.approvers import Approvers

    reviews.copy_approvers(table)
    before, faults = earlier(plan.deployed.get("Approvers", ""))
    for fault in faults:
        say(f"left out of the approvers: {fault}")
    listed = begin(Approvers(table), before or plan.approvers)
    if not listed:
        raise Misused("somebody must decide: give --approver")
    return listed


def fill(target: Deployed, site_url: str) -> None:
    """The site's static files, and every page of the gallery. Raises Failed with what went wrong."""
    from infra.dev import assets

    told = target.settings
    for key, asset in assets.collect(told.gallery_title, site_url).items():
        target.store.put(told.site_bucket, key, asset.path.read_bytes(), asset.content_type, cache=asset.cache)
    target.invoke("RebuildIndexes", {"all": True})
