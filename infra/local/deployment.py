"""Brings Greenroom into the emulated AWS: the very templates that go to AWS, in the same way; and what only a laptop needs."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from infra.deploy import parameters, stacks
from infra.deploy.deployed import Deployed
from infra.deploy.package import read_template
from infra.deploy.plan import Plan
from infra.deploy.stacks import Account
from infra.local.package import OneArchive
from infra.local.state import Instance
from infra.terminal import err
from tasks.core.settings import Settings

# What is always so on a laptop: plain HTTP, one address for everything.
ALWAYS = {
    "RequireTls": "false",
    "ViewerProtocol": "allow-all",
    "OriginSecret": "this laptop needs no secret of its own",
}
# What a laptop has until somebody asks for something else: people whose mails come into the mailbox, and mails at once.
APPROVER = "approver@example.com"
SUITED = {
    "Operator": "operator@example.com",
    "MailFrom": "greenroom@example.com",
    "DigestSeconds": "10",  # at most: infra/local/gather.py
}


def function_names(prefix: str) -> tuple[str, ...]:
    """`<prefix>-MakeThumbnails` for tasks/make_thumbnails.py, and so on: one name everywhere."""
    import tasks

    modules = [module.name for module in pkgutil.iter_modules(tasks.__path__) if not module.ispkg]
    return tuple(f"{prefix}-{''.join(part.capitalize() for part in name.split('_'))}" for name in modules)


def deploy(
    instance: Instance, prefix: str, asked: Mapping[str, str], approvers: tuple[str, ...], say: Callable[[str], None] = err
) -> Instance:
    """Create or update the stacks; the instance with what it learns by that. Raises Failed with CloudFormation's own reason.

    `asked` are parameters that were named this time; the others are what they were when this state folder was used last.
    `approvers`, else the demonstration's, begin the list where it is empty.
    """
    target = instance.deployed()
    # The emulator's look ahead takes what is adopted for a clash of names.
    account = Account.open(prefix, "us-east-1", delay=0.1, validate=False)
    before = parameters.deployed(account.client, prefix)
    here = {"Prefix": prefix, "SiteUrl": instance.site, "SiteOrigin": instance.site, "UploadOrigins": instance.endpoint}
    values = parameters.settle({**ALWAYS, **here, **asked}, before, SUITED)
    plan = Plan(prefix, account.region, values, before, approvers or (APPROVER,))
    made = stacks.deploy(plan, account, stacks.upload(plan, account, OneArchive()), say=say)
    _lock(account.s3, made.outputs["AuditBucket"])
    environment = target.function_environment("Sweep")
    told = Settings.read(environment)
    _register(target, {told.mail_from, told.operator, *made.approvers} - {""})
    return replace(instance, domain=made.outputs["DistributionDomain"], settings=environment)


def _register(target: Deployed, addresses: set[str]) -> None:
    """SES sends from and, in its sandbox, to registered addresses only."""
    ses = target.aws.client("ses")
    for address in sorted(addresses):
        ses.verify_email_identity(EmailAddress=address)


def _lock(s3: Any, bucket: str) -> None:
    """What the emulator's CloudFormation leaves out of storage.yaml and its S3 honours: nobody rewrites the audit."""
    lock = read_template("storage")["Resources"]["Audit"]["Properties"]["ObjectLockConfiguration"]
    days = read_template("storage")["Parameters"]["AuditLockDays"]["Default"]
    retention = {**lock["Rule"]["DefaultRetention"], "Days": days}
    s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    )


def fill(instance: Instance) -> None:
    """Assets and pages; and whatever waited for a decision when the stack stopped is started again."""
    target = instance.deployed()
    stacks.fill(target, instance.site)
    target.invoke("Sweep", {"grace_seconds": 0})
