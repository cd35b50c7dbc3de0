"""Brings Greenroom into the emulated AWS: the very templates that go to AWS, mail identities, assets, and the first pages."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping

from infra.deploy import reviews
from infra.deploy.approvers import begin
from infra.deploy.stack import Deployed
from infra.local.state import Stack
from tasks.core.settings import Settings

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


def deploy(stack: Stack, prefix: str, asked: Mapping[str, str]) -> dict[str, str]:
    """Create or update the stacks; returns their outputs. Raises Failed with CloudFormation's own reason.

    `asked` are parameters that were named this time; the others are what they were when this state folder was used last.
    """
    from infra.deploy.package import deploy_local

    here = {"SiteUrl": stack.site, "SiteOrigin": stack.site, "UploadOrigins": stack.endpoint}
    outputs = deploy_local(stack.endpoint, prefix, {**here, **asked}, SUITED)
    target = Deployed.local(stack)
    told = Settings.read(target.function_environment("Sweep"))
    _register(target, {told.mail_from, told.operator} - {""})
    return outputs


def move_reviews(stack: Stack) -> None:
    """Give the reviews, links and approvers of an earlier version's state folder their own table."""
    from tasks.catalog.review_table import ReviewTable

    table = Deployed.local(stack).services.get(ReviewTable)
    reviews.copy_approvers(table)
    reviews.move_all(table)


def begin_approvers(stack: Stack, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Who decides: those of an earlier run, else `wanted`, else the demonstration's approver."""
    target = Deployed.local(stack)
    listed = begin(target.catalog.approvers, wanted or (APPROVER,))
    _register(target, set(listed))
    return listed


def _register(target: Deployed, addresses: set[str]) -> None:
    """SES sends from and, in its sandbox, to registered addresses only."""
    ses = target.aws.client("ses")
    for address in sorted(addresses):
        ses.verify_email_identity(EmailAddress=address)


def settings(stack: Stack) -> dict[str, str]:
    """What the functions are told about their surroundings."""
    return Deployed.local(stack).function_environment("Sweep")


def fill(stack: Stack) -> None:
    """Assets and pages; and whatever waited for a decision when the stack stopped is started again."""
    from infra.dev import assets

    target = Deployed.local(stack)
    told = target.settings
    found = assets.collect(
        told.gallery_title, stack.site, max_image_bytes=told.max_image_bytes, max_video_bytes=told.max_video_bytes
    )
    for key, asset in found.items():
        target.store.put(told.site_bucket, key, asset.path.read_bytes(), asset.content_type, cache=asset.cache)
    target.invoke("RebuildIndexes", {"all": True})
    target.invoke("Sweep", {"grace_seconds": 0})
