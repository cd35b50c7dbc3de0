"""An ended execution, as EventBridge's "Step Functions Execution Status Change" announces it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tasks.core.errors import BadRequest
from tasks.core.names import parse_execution_name

# The emulator's word for an execution that its restart killed; the sweeper starts another attempt.
LOST = "States.ServiceRestart"


@dataclass(frozen=True)
class Ended:
    """One ended execution. Times are ISO 8601 with milliseconds, "" where the event has none."""

    arn: str
    name: str
    status: str
    started: str
    ended: str
    error: str = ""
    cause: str = ""

    @property
    def item(self) -> tuple[str, int] | None:
        """(item id, attempt), or None when the execution is no item's."""
        return parse_execution_name(self.name)

    @classmethod
    def parse(cls, event: Any) -> Ended:
        """Read EventBridge's envelope; raises BadRequest for anything else."""
        try:
            detail = event["detail"]
            return cls(
                arn=detail["executionArn"],
                name=detail["name"],
                status=detail["status"],
                started=moment(detail.get("startDate")),
                ended=moment(detail.get("stopDate")),
                error=detail.get("error") or "",
                cause=detail.get("cause") or "",
            )
        except (KeyError, TypeError) as fault:
            raise BadRequest("this is no execution status event (detail.executionArn, detail.name, detail.status)") from fault

    @classmethod
    def described(cls, found: dict[str, Any]) -> Ended:
        """From DescribeExecution's answer."""
        return cls(
            arn=found["executionArn"],
            name=found["name"],
            status=found["status"],
            started=moment(found.get("startDate")),
            ended=moment(found.get("stopDate")),
            error=found.get("error") or "",
            cause=found.get("cause") or "",
        )


def moment(value: Any) -> str:
    """A time as Step Functions gives it (milliseconds since 1970, a datetime, text or nothing) in ISO 8601."""
    if isinstance(value, int | float):
        value = datetime.fromtimestamp(value / 1000, UTC)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    return str(value or "")
