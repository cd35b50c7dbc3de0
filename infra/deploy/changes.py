"""What a change set would do to what is there, and what would be lost by it, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# What goes with a resource that nobody can make again by deploying.
LOST = {
    "AWS::S3::Bucket": "the files in it",
    "AWS::DynamoDB::Table": "the rows in it",
    "AWS::SQS::Queue": "the messages in it",
    "AWS::Logs::LogGroup": "the logs in it",
    "AWS::SES::EmailIdentity": "its verification: no mail is sent until somebody confirms the address again",
    "AWS::StepFunctions::StateMachine": "every execution that runs or waits for a decision",
    "AWS::CloudFront::Distribution": "its address, which all links to the gallery have",
}
DONE = {"Add": "new", "Modify": "changed", "Remove": "removed", "Import": "adopted"}


@dataclass(frozen=True)
class Change:
    """One resource in a change set, in CloudFormation's words.

    `replacement` is "", "True", "False" or "Conditional"; `policy` says what becomes of a resource that goes: "Retain",
    "ReplaceAndRetain", "Delete", ... and is empty where nothing was said, which means deleted.
    """

    stack: str
    action: str
    name: str
    kind: str
    id: str = ""
    replacement: str = ""
    policy: str = ""

    @classmethod
    def read(cls, stack: str, row: Mapping[str, Any]) -> Change:
        """A `ResourceChange` of DescribeChangeSet's answer."""
        return cls(
            stack=stack,
            action=row["Action"],
            name=row["LogicalResourceId"],
            kind=row["ResourceType"],
            id=row.get("PhysicalResourceId", ""),
            replacement=row.get("Replacement", ""),
            policy=row.get("PolicyAction", ""),
        )

    @property
    def stateful(self) -> bool:
        return self.kind in LOST

    @property
    def goes(self) -> bool:
        """Whether the resource that is there leaves its stack, removed or replaced."""
        return self.action == "Remove" or self.replacement == "True"

    @property
    def may_go(self) -> bool:
        """Whether CloudFormation cannot say so before it has made the other changes."""
        return self.action == "Dynamic" or self.replacement == "Conditional"

    @property
    def loses(self) -> bool:
        """Whether something goes, or may go, that no deploy makes again."""
        return (self.goes or self.may_go) and self.stateful and not self.policy.endswith("Retain")

    def line(self) -> str:
        """What becomes of it: `MailSender (AWS::SES::EmailIdentity gallery@example.com) is deleted, and with it ...`."""
        subject = f"{self.name} ({f'{self.kind} {self.id}'.strip()})"
        if self.action == "Remove":
            act = "leaves the stack" if self.policy == "Retain" else "is deleted"
        else:
            act = "is replaced by a new one" if self.goes else "may be replaced by a new one"
        if self.policy.endswith("Retain"):
            return f"{subject} {act}; what is there is kept"
        return f"{subject} {act}, and with it goes {LOST[self.kind]}" if self.stateful else f"{subject} {act}"


def describe(changes: Iterable[Change]) -> str:
    """Each stack's changes in a line, and a line for each resource that goes."""
    by_stack: dict[str, list[Change]] = {}
    for change in changes:
        by_stack.setdefault(change.stack, []).append(change)
    return "\n".join(line for stack, rows in by_stack.items() for line in _of_stack(stack, rows))


def _of_stack(stack: str, rows: list[Change]) -> list[str]:
    counted = Counter(DONE.get(row.action, row.action) for row in rows)
    return [
        f"stack {stack}: {', '.join(f'{number} {word}' for word, number in counted.items())}",
        *(f"  {row.line()}" for row in rows if row.goes or row.loses),
    ]
