"""IAM in small: what each call to AWS asks for, and whether a role in infra/templates may do that.

Actions and the resources that they name are written here from AWS's service authorization reference, not from the templates
and not from an emulator, which knows neither ConditionCheckItem nor LeadingKeys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cache, cached_property
from typing import Any
from urllib.parse import unquote

from contracts.house import pascal
from contracts.templates import Grant, grants

from tasks.core.aws.session import Aws
from tasks.core.settings import Settings

REGION, ACCOUNT = "us-east-1", "123456789012"
# Of a call to TransactWriteItems, each write needs the right to itself; the call has no right of its own.
TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
LISTS = {"ListObjectsV2": "s3:ListBucket", "ListObjectVersions": "s3:ListBucketVersions", "HeadBucket": "s3:ListBucket"}


@dataclass(frozen=True)
class Call:
    """One action on one resource (an ARN, or "*" where the service knows none); `rows` are the partition keys it names."""

    action: str
    resource: str
    rows: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}" + (f" (rows {', '.join(sorted(self.rows))})" if self.rows else "")


def calls(service: str, operation: str, params: dict[str, Any]) -> list[Call]:
    """What an operation asks for; raises KeyError for one that has no row here."""
    if service == "dynamodb":
        return list(_of_dynamodb(operation, params))
    if service == "s3":
        return list(_of_s3(operation, params))
    return list(OTHERS[f"{service}:{operation}"](params))


def _of_dynamodb(operation: str, params: dict[str, Any]) -> Iterator[Call]:
    if operation == "TransactWriteItems":
        for write in params["TransactItems"]:
            ((kind, members),) = write.items()
            yield Call(f"dynamodb:{TRANSACTED[kind]}", _table(members["TableName"]), _rows(members))
    elif operation == "BatchGetItem":
        for name, asked in params["RequestItems"].items():
            yield Call("dynamodb:BatchGetItem", _table(name), frozenset(key["pk"]["S"] for key in asked["Keys"]))
    elif operation == "Query":
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        partition = params["ExpressionAttributeValues"][":pk"]["S"]
        yield Call("dynamodb:Query", _table(params["TableName"]) + index, frozenset([partition]))
    elif operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
        yield Call(f"dynamodb:{operation}", _table(params["TableName"]), _rows(params))
    else:
        raise KeyError(f"tests/rights.py does not know what dynamodb:{operation} asks for")


def _rows(members: dict[str, Any]) -> frozenset[str]:
    return frozenset([(members.get("Item") or members["Key"])["pk"]["S"]])


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def _of_s3(operation: str, params: dict[str, Any]) -> Iterator[Call]:
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if operation in LISTS:
        yield Call(LISTS[operation], bucket)
    elif operation == "DeleteObjects":
        yield from (_on_object("s3:DeleteObject", bucket, row) for row in params["Delete"]["Objects"])
    elif operation == "CopyObject":
        source = _copied(params["CopySource"])
        yield _on_object("s3:GetObject", f"arn:aws:s3:::{source['Bucket']}", source)
        yield _on_object("s3:PutObject", bucket, params)
    elif operation in ("HeadObject", "GetObject"):
        yield _on_object("s3:GetObject", bucket, params)
    elif operation == "PutObjectTagging":
        yield _on_object("s3:PutObjectTagging", bucket, params)
    elif operation in ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"):
        yield Call("s3:PutObject", f"{bucket}/{params['Key']}")
    else:
        raise KeyError(f"tests/rights.py does not know what s3:{operation} asks for")


def _on_object(action: str, bucket: str, named: dict[str, Any]) -> Call:
    """On an object; whoever names its version needs the right to versions (s3:GetObject -> s3:GetObjectVersion)."""
    versioned = re.sub(r"Object(Tagging)?$", r"ObjectVersion\1", action) if named.get("VersionId") else action
    return Call(versioned, f"{bucket}/{named['Key']}")


def _copied(source: Any) -> dict[str, Any]:
    if isinstance(source, dict):
        return source
    path, _, version = unquote(source).partition("?versionId=")
    bucket, _, key = path.lstrip("/").partition("/")
    return {"Bucket": bucket, "Key": key, "VersionId": version}


def _states(action: str, member: str) -> Callable[[dict[str, Any]], list[Call]]:
    return lambda params: [Call(f"states:{action}", params[member])]


def _nowhere(*actions: str) -> Callable[[dict[str, Any]], list[Call]]:
    return lambda params: [Call(action, "*") for action in actions]


OTHERS: dict[str, Callable[[dict[str, Any]], list[Call]]] = {
    "sts:GetCallerIdentity": _nowhere(),  # anybody may ask who they are
    "stepfunctions:StartExecution": _states("StartExecution", "stateMachineArn"),
    "stepfunctions:ListExecutions": _states("ListExecutions", "stateMachineArn"),
    "stepfunctions:DescribeExecution": _states("DescribeExecution", "executionArn"),
    "stepfunctions:GetExecutionHistory": _states("GetExecutionHistory", "executionArn"),
    "stepfunctions:SendTaskSuccess": _nowhere("states:SendTaskSuccess"),
    "ses:SendRawEmail": _nowhere("ses:SendRawEmail"),
    "ssm:GetParameter": lambda params: [Call("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{params['Name']}")],
    "cloudfront:CreateInvalidation": lambda params: [
        Call("cloudfront:CreateInvalidation", f"arn:aws:cloudfront::{ACCOUNT}:distribution/{params['DistributionId']}")
    ],
    "rekognition:DetectLabels": _nowhere("rekognition:DetectLabels"),
    "rekognition:DetectModerationLabels": _nowhere("rekognition:DetectModerationLabels"),
}


def may(holder: str, call: Call, settings: Settings) -> bool:
    """Whether the role of this function, or of this logical name, allows the call."""
    return any(_allows(grant, call, settings) for grant in _granted(holder) if grant.action == call.action)


@cache
def _granted(holder: str) -> list[Grant]:
    return [grant for grant in grants() if grant.holder == holder and grant.effect == "Allow"]


def _allows(grant: Grant, call: Call, settings: Settings) -> bool:
    rows = not grant.rows or all(any(fnmatchcase(row, pattern) for pattern in grant.rows) for row in call.rows)
    return rows and bool(re.fullmatch(_pattern(grant.resource, settings), call.resource))


@cache
def _pattern(resource: str, settings: Settings) -> str:
    """A grant's resource as a regular expression, with the names that these settings say."""
    names = {pascal(row.name): str(getattr(settings, row.name)) for row in fields(settings)}
    prefix = settings.machine_name.removesuffix("-ingest")
    names |= {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "Prefix": prefix}
    whole = re.sub(r"\$\{(.*?)\}", lambda found: names[found[1]], resource)
    return re.escape(whole).replace(r"\*", ".*").replace(r"\?", ".")


def granted(holder: str) -> set[str]:
    """The actions that a role has; those on an index say so."""
    return {grant.action + ("/index" if "/index/" in grant.resource else "") for grant in _granted(holder)}


def brief(call: Call) -> str:
    """The action alone, as `granted` spells it."""
    return call.action + ("/index" if "/index/" in call.resource else "")


class RoleAws(Aws):
    """The clients of one function: what its role does not allow raises PermissionError, as AWS would deny it."""

    def __init__(self, holder: str, session: Any, settings: Settings) -> None:
        super().__init__()
        self.__dict__["_session"] = session
        self.holder = holder
        self.settings = settings
        self.asked: set[Call] = set()
        self.denied: list[str] = []

    def client(self, service: str) -> Any:
        known = service in self._clients
        return super().client(service) if known else self._heard(super().client(service))

    @cached_property
    def link_signer(self) -> Any:
        """A link has the rights of who signed it."""
        found = super().link_signer
        return found if found is self.client("s3") else self._heard(found)

    def _heard(self, client: Any) -> Any:
        client.meta.events.register_first("before-parameter-build", self._hear)
        return client

    def _hear(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        for call in calls(str(model.service_model.service_id).lower().replace("sfn", "stepfunctions"), model.name, params):
            self.ask(call)

    def ask(self, call: Call) -> None:
        """Note it; raises PermissionError where the role does not allow it."""
        self.asked.add(call)
        if not may(self.holder, call, self.settings):
            self.denied.append(f"{self.holder} may not {call}")
            raise PermissionError(f"{self.denied[-1]}: its policy in infra/templates lacks that")
