"""Brings one CloudFormation stack to what its template says, through a change set, and says in words why it couldn't."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.errors import Failed

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
# CloudFormation's word for a stack that a failed creation left behind; it can only be deleted.
HOLLOW = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED")
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed", "no changes")


def stack_status(client: Any, name: str) -> str:
    """The stack's status, "" where there is no such stack."""
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as fault:
        if fault.response["Error"]["Code"] != "ValidationError":
            raise
        return ""
    return "" if found["StackStatus"] == "DELETE_COMPLETE" else str(found["StackStatus"])


def outputs(client: Any, name: str) -> dict[str, str]:
    """A stack's outputs by key."""
    found = client.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
    return {row["OutputKey"]: row["OutputValue"] for row in found}


def parameters(client: Any, name: str) -> dict[str, str]:
    """The values that a stack was last deployed with, by key; {} where there is no such stack."""
    if not stack_status(client, name):
        return {}
    found = client.describe_stacks(StackName=name)["Stacks"][0].get("Parameters", [])
    return {row["ParameterKey"]: row["ParameterValue"] for row in found}


def make_bucket(s3: Any, bucket: str, region: str) -> None:
    """Where code and templates wait for CloudFormation: private, and encrypted as S3 does by itself."""
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **where)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)


def apply(
    client: Any,
    name: str,
    template_url: str,
    declared: Mapping[str, Any],
    values: Mapping[str, str],
    *,
    delay: float = 5,
    validate: bool = True,
) -> dict[str, str]:
    """Create or update the stack and return its outputs; nothing happens where nothing changed.

    `declared` is the template's Parameters section; a parameter that `values` lacks keeps its present value. Buckets and
    tables that exist already under their literal names are adopted. `delay` is in seconds; `validate` False leaves out
    CloudFormation's look ahead. Raises Failed with what went wrong first.
    """
    status = stack_status(client, name)
    if status in HOLLOW:
        client.delete_stack(StackName=name)
        _wait(client, "stack_delete_complete", delay, StackName=name)
        status = ""
    change = "UPDATE" if status else "CREATE"
    since = time.time()
    request = {
        "StackName": name,
        "ChangeSetType": change,
        "TemplateURL": template_url,
        "Parameters": _parameters(declared, values, bool(status)),
        **({} if validate else {"DisableValidation": True}),
    }
    prepared = _prepare(client, request, delay)
    if prepared:
        client.execute_change_set(StackName=name, ChangeSetName=prepared)
        try:
            _wait(client, f"stack_{change.lower()}_complete", delay, StackName=name)
        except WaiterError as fault:
            raise Failed(f"stack {name}: {_first_failure(client, name, since)}") from fault
    return outputs(client, name)


def _parameters(declared: Mapping[str, Any], values: Mapping[str, str], exists: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, rule in declared.items():
        if name in values:
            rows.append({"ParameterKey": name, "ParameterValue": str(values[name])})
        elif exists and "Default" not in rule:
            rows.append({"ParameterKey": name, "UsePreviousValue": True})
    return rows


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
    reason = stack_status(client, name) or "is gone"
    for page in client.get_paginator("describe_stack_events").paginate(StackName=name):
        for event in page["StackEvents"]:
            if event["Timestamp"].timestamp() < since - 1:
                return reason
            if event["ResourceStatus"].endswith("FAILED"):
                reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
    return reason
