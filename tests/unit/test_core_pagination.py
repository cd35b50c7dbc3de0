"""What AWS hands over in pieces is read to its end: DynamoDB's UnprocessedKeys, Step Functions' and S3's next pages.

botocore's Stubber plays the service: it checks each request against the service's own description, and answers once each.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from tasks.core.aws.dynamodb import Table
from tasks.core.aws.s3 import Store
from tasks.core.aws.session import Aws
from tasks.core.aws.stepfunctions import Machine

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:greenroom-ingest:a-1"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:greenroom-ingest"


class Played:
    """AWS whose answers are given beforehand."""

    def __init__(self) -> None:
        self.aws = Aws("us-east-1")
        self.stubs: list[Stubber] = []

    def of(self, service: str) -> Stubber:
        self.stubs.append(Stubber(self.aws.client(service)))
        return self.stubs[-1]


@pytest.fixture
def played() -> Iterator[Played]:
    found = Played()
    yield found
    for stub in found.stubs:
        stub.assert_no_pending_responses()


def _key(number: int) -> dict[str, Any]:
    return {"pk": {"S": f"item#{number}"}, "sk": {"S": "review"}}


def _asked(*numbers: int) -> dict[str, Any]:
    return {"RequestItems": {"catalog": {"Keys": [_key(number) for number in numbers], "ConsistentRead": True}}}


def test_keys_that_dynamodb_leaves_unprocessed_are_asked_for_again(played: Played) -> None:
    """A batch beyond 16 MB or a throttled one answers with less, and says in UnprocessedKeys what is left."""
    left = {"catalog": {"Keys": [_key(3)], "ConsistentRead": True}}
    with played.of("dynamodb") as stub:
        some = {"Responses": {"catalog": [_key(1), _key(2)]}, "UnprocessedKeys": left}
        stub.add_response("batch_get_item", some, _asked(1, 2, 3))
        stub.add_response("batch_get_item", {"Responses": {"catalog": [_key(3)]}, "UnprocessedKeys": {}}, _asked(3))
        rows = Table(played.aws, "catalog").get_many([(f"item#{number}", "review") for number in (1, 2, 3)])
    assert [pk for pk, _ in rows] == ["item#1", "item#2", "item#3"]


def test_more_than_a_hundred_keys_are_several_batches(played: Played) -> None:
    """BatchGetItem refuses more than a hundred keys."""
    with played.of("dynamodb") as stub:
        for numbers in (range(100), range(100, 130)):
            answer = {"Responses": {"catalog": [_key(number) for number in numbers]}}
            stub.add_response("batch_get_item", answer, _asked(*numbers))
        assert len(Table(played.aws, "catalog").get_many([(f"item#{number}", "review") for number in range(130)])) == 130


def test_a_history_is_read_to_its_last_page(played: Played) -> None:
    """GetExecutionHistory answers with at most a thousand events, in order, and a nextToken where there are more."""

    def event(id: int) -> dict[str, Any]:
        return {"timestamp": datetime(2026, 1, 1, tzinfo=UTC), "type": "PassStateEntered", "id": id}

    with played.of("stepfunctions") as stub:
        first = {"events": [event(1), event(2)], "nextToken": "more"}
        stub.add_response("get_execution_history", first, {"executionArn": EXECUTION})
        stub.add_response("get_execution_history", {"events": [event(3)]}, {"executionArn": EXECUTION, "nextToken": "more"})
        assert [found["id"] for found in Machine(played.aws, "greenroom-ingest").history(EXECUTION)] == [1, 2, 3]


def test_running_executions_are_read_to_the_last_page(played: Played) -> None:
    def execution(name: str) -> dict[str, Any]:
        arn = MACHINE.replace("stateMachine", "execution") + f":{name}"
        began = datetime(2026, 1, 1, tzinfo=UTC)
        return {"executionArn": arn, "stateMachineArn": MACHINE, "name": name, "status": "RUNNING", "startDate": began}

    asked = {"stateMachineArn": MACHINE, "statusFilter": "RUNNING"}
    with played.of("sts") as identity, played.of("stepfunctions") as stub:
        who = {"Account": "123456789012", "Arn": "arn:aws:sts::123456789012:assumed-role/sweep/a", "UserId": "a"}
        identity.add_response("get_caller_identity", who)
        stub.add_response("list_executions", {"executions": [execution("a-1")], "nextToken": "more"}, asked)
        stub.add_response("list_executions", {"executions": [execution("b-1")]}, {**asked, "nextToken": "more"})
        assert Machine(played.aws, "greenroom-ingest").running() == {"a-1", "b-1"}


def test_the_keys_under_a_prefix_are_read_to_the_last_page(played: Played) -> None:
    """ListObjectsV2 answers with at most a thousand keys; what a withdrawal does not see, it does not delete."""
    asked = {"Bucket": "work", "Prefix": "items/a/"}
    with played.of("s3") as stub:
        first = {"Contents": [{"Key": "items/a/1"}], "IsTruncated": True, "NextContinuationToken": "more"}
        stub.add_response("list_objects_v2", first, asked)
        stub.add_response("list_objects_v2", {"Contents": [{"Key": "items/a/2"}]}, {**asked, "ContinuationToken": "more"})
        assert list(Store(played.aws).keys("work", "items/a/")) == ["items/a/1", "items/a/2"]
