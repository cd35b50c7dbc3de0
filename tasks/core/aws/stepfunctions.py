"""The ingest state machine as its callers need it: executions started by name, looked at, listed, answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tasks.core.errors import error_code
from tasks.core.versions import begun

if TYPE_CHECKING:
    from tasks.core.aws.session import Aws


class Machine:
    """The ingest state machine: start, ask, answer."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        self._name = name

    @property
    def _sfn(self) -> Any:
        return self._aws.client("stepfunctions")

    @cached_property
    def arn(self) -> str:
        identity = self._aws.client("sts").get_caller_identity()
        region = self._aws.client("stepfunctions").meta.region_name
        partition = identity["Arn"].split(":")[1]
        return f"arn:{partition}:states:{region}:{identity['Account']}:stateMachine:{self._name}"

    def execution_arn(self, name: str) -> str:
        return self.arn.replace(":stateMachine:", ":execution:") + ":" + name

    def start(self, name: str, payload: dict[str, Any]) -> bool:
        """Start the execution `name` with `{"item": ...}`; False when it was started before (with whatever input)."""
        try:
            self._sfn.start_execution(stateMachineArn=self.arn, name=name, input=json.dumps(begun(payload)))
        except Exception as fault:
            if error_code(fault) == "ExecutionAlreadyExists":
                return False
            raise
        return True

    def status(self, name: str) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, or "" when there is no such execution."""
        try:
            found = self._sfn.describe_execution(executionArn=self.execution_arn(name))
        except Exception as fault:
            if error_code(fault) == "ExecutionDoesNotExist":
                return ""
            raise
        return str(found["status"])

    def running(self, most: int = 10_000) -> set[str]:
        """The names of running executions, the newest `most` of them; a moment behind on AWS."""
        listing = self._sfn.get_paginator("list_executions")
        pages = listing.paginate(stateMachineArn=self.arn, statusFilter="RUNNING", PaginationConfig={"MaxItems": most})
        return {row["name"] for page in pages for row in page["executions"]}

    def describe(self, execution_arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self._sfn.describe_execution(executionArn=execution_arn)
        return found

    def history(self, execution_arn: str) -> Iterator[dict[str, Any]]:
        """Every event of an execution in order, all pages."""
        pages = self._sfn.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
        for page in pages:
            yield from page["events"]

    def succeed(self, token: str, output: Any) -> bool:
        """Answer a waiting task; False when the token is dead (timed out, unknown, answered)."""
        try:
            self._sfn.send_task_success(taskToken=token, output=json.dumps(output))
        except Exception as fault:
            if error_code(fault) in ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken"):
                return False
            raise
        return True
