"""Step Functions as its callers need it: an execution is started once, and a token that is dead is an answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from tasks.core.aws.session import Aws
from tasks.core.aws.stepfunctions import Machine

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:greenroom-ingest"


@pytest.fixture
def machine() -> Iterator[tuple[Machine, Stubber]]:
    """The machine, and Step Functions as botocore's Stubber plays it."""
    aws = Aws("us-east-1")
    found = Machine(aws, "greenroom-ingest")
    found.__dict__["arn"] = MACHINE
    with Stubber(aws.client("stepfunctions")) as stub:
        yield found, stub
        stub.assert_no_pending_responses()


def test_starting_an_execution_is_idempotent(machine: tuple[Machine, Stubber]) -> None:
    """A name that ended within 90 days, or runs with another input, answers ExecutionAlreadyExists."""
    found, stub = machine
    stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    assert found.start("a-1", {"item": {}}) is False


def test_another_refusal_to_start_travels(machine: tuple[Machine, Stubber]) -> None:
    found, stub = machine
    stub.add_client_error("start_execution", "StateMachineDoesNotExist", http_status_code=400)
    with pytest.raises(Exception, match="StateMachineDoesNotExist"):
        found.start("a-1", {"item": {}})


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_dead_task_token_is_an_answer(machine: tuple[Machine, Stubber], code: str) -> None:
    found, stub = machine
    stub.add_client_error("send_task_success", code, http_status_code=400)
    assert found.succeed("token", {}) is False


def test_an_execution_that_is_not_there_has_no_status(machine: tuple[Machine, Stubber]) -> None:
    found, stub = machine
    stub.add_client_error("describe_execution", "ExecutionDoesNotExist", http_status_code=400)
    assert found.status("a-1") == ""
