"""Brings one CloudFormation stack to what its template says, through a change set, and says in words why it couldn't."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.deploy.changes import Change
from infra.errors import Failed

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
# CloudFormation's word for a stack that a failed creation left behind; it can only be deleted.
HOLLOW = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED")
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed", "no changes")
# Stands in a preview for what an earlier stack has yet to make.
NOT_YET_KNOWN = "not-known-before-it-is-made"


@dataclass(frozen=True)
class Present:
    """A stack as it is: its status, "" where there is none, its parameters (hidden ones as asterisks) and its outputs by key."""

    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def works(self) -> bool:
        """Whether there is a stack that can be updated."""
        return bool(self.status) and self.status not in HOLLOW


def look(client: Any, name: str) -> Present:
    """The stack as it is now; what a failed creation left behind has neither parameters nor outputs."""
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as fault:
        if fault.response["Error"]["Code"] != "ValidationError":
            raise
        return Present("", {}, {})
    status = str(found["StackStatus"])
    if status == "DELETE_COMPLETE" or status in HOLLOW:
        return Present("" if status == "DELETE_COMPLETE" else status, {}, {})
    return Present(
        status,
        {row["ParameterKey"]: row.get("ParameterValue", "") for row in found.get("Parameters", [])},
        {row["OutputKey"]: row["OutputValue"] for row in found.get("Outputs", [])},
    )


def make_bucket(s3: Any, bucket: str, region: str) -> None:
    """Where code and templates wait for CloudFormation: private, and encrypted as S3 does by itself."""
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **where)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)


def preview(
    client: Any, name: str, template_url: str, declared: Mapping[str, Any], values: Mapping[str, str], *, delay: float = 5
) -> list[Change]:
    """What `apply` would change of a stack that is there; the stack stays as it is. Empty where there is none."""
    present = look(client, name)
    if not present.works:
        return []
    unknown = {key for key, rule in declared.items() if "Default" not in rule} - values.keys() - present.parameters.keys()
    request = _request(name, template_url, declared, {**dict.fromkeys(unknown, NOT_YET_KNOWN), **values}, present)
    if not (prepared := _prepare(client, request, delay)):
        return []
    changes = _changes(client, name, prepared)
    client.delete_change_set(StackName=name, ChangeSetName=prepared)
    return changes


def apply(
    client: Any,
    name: str,
    template_url: str,
    declared: Mapping[str, Any],
    values: Mapping[str, str],
    *,
    delay: float = 5,
    validate: bool = True,
    agreed: Collection[Change] | None = None,
) -> dict[str, str]:
    """Create or update the stack and return its outputs; nothing happens where nothing changed.

    `declared` is the template's Parameters section; a parameter that `values` lacks keeps its present value, and has its
    default where the stack doesn't know it yet. Buckets and tables that exist already under their literal names are
    adopted. `delay` is in seconds; `validate` False leaves out CloudFormation's look ahead. Nothing that holds something is
    removed or replaced unless it is in `agreed`; None agrees to everything. Raises Failed with what went wrong first.
    """
    present = look(client, name)
    if present.status in HOLLOW:
        client.delete_stack(StackName=name)
        _wait(client, "stack_delete_complete", delay, StackName=name)
    since = time.time()
    request = _request(name, template_url, declared, values, present) | ({} if validate else {"DisableValidation": True})
    prepared = _prepare(client, request, delay)
    if prepared:
        if agreed is not None:
            _refuse_surprises(client, name, prepared, agreed)
        client.execute_change_set(StackName=name, ChangeSetName=prepared)
        try:
            _wait(client, f"stack_{request['ChangeSetType'].lower()}_complete", delay, StackName=name)
        except WaiterError as fault:
            raise Failed(f"stack {name}: {_first_failure(client, name, since)}") from fault
    return dict(look(client, name).outputs)


def _request(
    name: str, template_url: str, declared: Mapping[str, Any], values: Mapping[str, str], present: Present
) -> dict[str, Any]:
    """CreateChangeSet's request, but for the change set's own name."""
    return {
        "StackName": name,
        "ChangeSetType": "UPDATE" if present.works else "CREATE",
        "TemplateURL": template_url,
        "Parameters": _parameters(declared, values, present.parameters),
    }


def _parameters(declared: Mapping[str, Any], values: Mapping[str, str], present: Mapping[str, str]) -> list[dict[str, Any]]:
    """A value, or the previous one; CloudFormation refuses the word of a previous one for a parameter that is new."""
    stated = [{"ParameterKey": name, "ParameterValue": str(values[name])} for name in declared if name in values]
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in declared if name not in values and name in present]
    return stated + kept


def _changes(client: Any, name: str, change_set: str) -> list[Change]:
    pages = client.get_paginator("describe_change_set").paginate(StackName=name, ChangeSetName=change_set)
    return [Change.read(name, row["ResourceChange"]) for page in pages for row in page["Changes"] if row["Type"] == "Resource"]


def _refuse_surprises(client: Any, name: str, change_set: str, agreed: Collection[Change]) -> None:
    """What goes was shown before, unless the stack or what it depends on changed meanwhile."""
    shown = {(change.stack, change.name) for change in agreed if change.goes}
    found = [change for change in _changes(client, name, change_set) if change.goes and change.stateful]
    if surprises := [change for change in found if (change.stack, change.name) not in shown]:
        client.delete_change_set(StackName=name, ChangeSetName=change_set)
        words = "; ".join(change.line() for change in surprises)
        raise Failed(f"stack {name} was left as it is, for more would go than was shown: {words}. Deploy again to be asked")


def _prepare(client: Any, request: dict[str, Any], delay: float) -> str:
    """Make a change set and return its name; "" when it would change nothing."""
    name, change_set = request["StackName"], f"greenroom-{time.time_ns()}"
    client.create_change_set(ChangeSetName=change_set, Capabilities=CAPABILITIES, ImportExistingResources=True, **request)
    try:
        _wait(client, "change_set_create_complete", delay, StackName=name, ChangeSetName=change_set)
    except WaiterError as fault:
        reason = str(fault.last_response.get("StatusReason", "") or fault)
        client.delete_change_set(StackName=name, ChangeSetName=change_set)
        if any(words in reason for words in NOTHING_TO_DO):
            return ""
        raise Failed(f"stack {name}: {reason}") from fault
    return change_set


def _wait(client: Any, waiter: str, delay: float, **subject: Any) -> None:
    """Half an hour at most: CloudFront takes its time."""
    client.get_waiter(waiter).wait(**subject, WaiterConfig={"Delay": delay, "MaxAttempts": int(1800 / delay)})


def _first_failure(client: Any, name: str, since: float) -> str:
    """The oldest failure of this change: the later ones only follow from it."""
    reason = look(client, name).status or "is gone"
    for page in client.get_paginator("describe_stack_events").paginate(StackName=name):
        for event in page["StackEvents"]:
            if event["Timestamp"].timestamp() < since - 1:
                return reason
            if event["ResourceStatus"].endswith("FAILED"):
                reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
    return reason
