"""A mocked answer is worth something only while the real task could give it, and could read what it is given."""

from __future__ import annotations

import importlib
import json
import types
import typing
from typing import Any

import pytest
from machines.chronicle import Chronicle, mock_configuration
from machines.definition import Definition, definitions, filled, snake

from tasks.core.entrypoint import parts
from tasks.core.json import from_json, to_json
from tasks.core.models.review import Decision

# What comes back to a state that calls no function of ours.
ANSWERS = {
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken": Decision,
    "arn:aws:states:::dynamodb:putItem": dict[str, Any],
}
INGEST = next(definition for definition in definitions() if definition.name == "ingest")
# What only the engine knows: the Map's item, the task's token.
CONTEXT = {"Map": {"Item": {"Value": {"index": 0, "start": 0.0, "end": 30.0}}}, "Task": {"Token": "token"}}


def task_function(state: str, definition: Definition = INGEST) -> Any:
    """The plain function behind a Task state."""
    name = snake(definition.functions[state])
    return importlib.import_module(f"tasks.{name}").handler.task


def answer_type(state: str) -> Any:
    resource = INGEST.tasks[state]["Resource"]
    answer = ANSWERS[resource] if resource in ANSWERS else typing.get_type_hints(task_function(state))["return"]
    # Of several the first is for today's definition, the others for executions that began under one before.
    return typing.get_args(answer)[0] if isinstance(answer, types.UnionType) else answer


def mocked_returns() -> list[tuple[str, str]]:
    """(state, mocked response) for every pair that some case uses and that returns."""
    config = mock_configuration()
    cases = config["StateMachines"]["ingest"]["TestCases"].values()
    pairs = {pair for case in cases for pair in case.items()}
    return sorted(pair for pair in pairs if any("Return" in row for row in config["MockedResponses"][pair[1]].values()))


@pytest.mark.parametrize(("state", "response"), mocked_returns())
def test_a_mocked_answer_is_one_that_the_task_could_give(state: str, response: str) -> None:
    for row in mock_configuration()["MockedResponses"][response].values():
        understood = json.loads(json.dumps(to_json(from_json(row["Return"], answer_type(state)))))
        assert _beyond(row["Return"], understood) == [], f"{response} says what {state} never answers"


@pytest.mark.parametrize("state", sorted(INGEST.functions))
def test_a_task_can_read_what_its_state_gives_it(chronicle: Chronicle, state: str) -> None:
    request_type, _ = parts(task_function(state))
    events = [_event(state, story.given) for story in chronicle.stories.values() if _reached(state, story.given)]
    assert events, f"no case reaches {state}"
    for event in events:
        assert isinstance(from_json(event, request_type), request_type)


def test_no_mocked_response_is_unused() -> None:
    config = mock_configuration()
    used = {
        name for machine in config["StateMachines"].values() for case in machine["TestCases"].values() for name in case.values()
    }
    assert set(config["MockedResponses"]) == used


def _around(state: str) -> str:
    return INGEST.container.get(state, state)


def _reached(state: str, given: dict[str, Any]) -> bool:
    return _around(state) in given


def _event(state: str, given: dict[str, Any]) -> Any:
    around, body = INGEST.states[_around(state)], INGEST.states[state]
    told = given[_around(state)]
    if "ItemSelector" in around:
        told = filled(around["ItemSelector"], told, CONTEXT)
    return filled(body["Parameters"], told, CONTEXT) if "Parameters" in body else told


def _beyond(said: Any, understood: Any, path: str = "$") -> list[str]:
    """Paths of what a mocked answer says and the real type does not keep."""
    if isinstance(said, dict) and isinstance(understood, dict):
        return [
            wrong
            for name, value in said.items()
            for wrong in (_beyond(value, understood[name], f"{path}.{name}") if name in understood else [f"{path}.{name}"])
        ]
    if isinstance(said, list) and isinstance(understood, list) and len(said) == len(understood):
        return [wrong for index, value in enumerate(said) for wrong in _beyond(value, understood[index], f"{path}[{index}]")]
    return [] if said == understood else [path]
