"""The definitions survive what AWS does to them, and a fault of anything that they call."""

from __future__ import annotations

import json
import re

import pytest
from contracts.templates import RESOURCES, TEMPLATES
from machines.definition import Definition, definitions

from infra.deploy import asl
from infra.deploy.package import DEFINITION, example_values, render_definition, substitutions
from infra.deploy.parameters import settle
from tasks.core.errors import BadRequest
from tasks.core.settings import Settings
from tasks.core.versions import ROW

TASKS = [(machine, name) for machine in definitions() for name in machine.tasks]


@pytest.mark.parametrize(("machine", "name"), TASKS, ids=lambda part: getattr(part, "name", part))
def test_a_task_is_tried_again_with_patience_and_ends(machine: Definition, name: str) -> None:
    task = machine.tasks[name]
    assert task.get("TimeoutSeconds", 0) > 0, f"{name} may hang for a year: it has no TimeoutSeconds"
    assert task.get("Retry"), f"{name} has no Retry"
    for rule in task["Retry"]:
        assert rule["BackoffRate"] > 1, f"{name} retries at a steady beat"
        assert rule["JitterStrategy"] == "FULL", f"{name} retries in step with its neighbours"
        assert 0 < rule["MaxDelaySeconds"] <= 60, f"{name}'s Retry has no cap"
        assert rule["MaxAttempts"] >= 3, f"{name} gives up at once"


@pytest.mark.parametrize(("machine", "name"), TASKS, ids=lambda part: getattr(part, "name", part))
def test_a_throttled_task_is_tried_again(machine: Definition, name: str) -> None:
    throttles = {
        "lambda": "Lambda.TooManyRequestsException",
        "dynamodb": "DynamoDB.ThrottlingException",
        "sqs": "SQS.SdkClientException",
    }
    resource = machine.tasks[name]["Resource"]
    service = "lambda" if resource.startswith("${") else resource.split(":")[5]
    caught = {error for rule in machine.tasks[name]["Retry"] for error in rule["ErrorEquals"]}
    assert throttles[service] in caught


def test_a_row_that_a_state_puts_says_the_version_of_its_shape() -> None:
    tasks = {name: machine.tasks[name] for machine, name in TASKS}
    puts = {name: task["Parameters"]["Item"] for name, task in tasks.items() if task["Resource"].endswith(":dynamodb:putItem")}
    assert {name: row.get("v") for name, row in puts.items()} == {"ClaimContent": {"N": str(ROW.version)}}


def test_every_substitution_is_given_and_every_given_one_is_used() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", DEFINITION.read_text(encoding="utf-8")))
    assert used == set(substitutions())


def test_a_function_is_given_under_its_own_name() -> None:
    wrong = [
        name
        for name, value in substitutions().items()
        if name.endswith("FunctionArn") and value != {"Fn::GetAtt": [name.removesuffix("Arn"), "Arn"]}
    ]
    assert wrong == []


def test_asl_validator_finds_nothing() -> None:
    assert asl.complaints(render_definition(example_values())) == ""


def test_asl_validator_names_a_state_that_is_missing() -> None:
    definition = render_definition(example_values())
    del definition["States"]["Publish"]
    assert "Publish" in asl.complaints(definition)


def test_a_substitution_without_a_value_is_named() -> None:
    values = example_values()
    del values["PublishFunctionArn"]
    with pytest.raises(BadRequest, match="PublishFunctionArn"):
        render_definition(values)


def test_the_packaged_definition_is_json_without_shared_parts() -> None:
    definition = render_definition()
    first, second = definition["States"]["Publish"]["Retry"], definition["States"]["Discard"]["Retry"]
    assert first == second and first is not second
    assert len(json.dumps(definition)) < 1_048_576  # AWS takes no more


def test_the_operator_says_how_long_approvers_may_sleep() -> None:
    assert render_definition(approval_seconds=3_600)["States"]["AwaitApproval"]["TimeoutSeconds"] == 3_600
    with pytest.raises(BadRequest, match="99999999"):
        render_definition(approval_seconds=0)


def test_every_default_of_the_approval_time_is_one() -> None:
    written = render_definition()["States"]["AwaitApproval"]["TimeoutSeconds"]
    templates = {TEMPLATES[name]["Parameters"]["ApprovalSeconds"]["Default"] for name in ("edge", "pipeline")}
    assert {written, *templates} == {Settings.approval_seconds}


@pytest.mark.parametrize("seconds", [60, 3_600, 86_400, 1_209_600])
def test_a_link_dies_before_its_question(seconds: int) -> None:
    values = settle({"ApprovalSeconds": str(seconds)})
    assert 30 <= int(values["LinkSeconds"]) < seconds
    assert int(values["WorkDays"]) * 86_400 > seconds


def test_a_link_that_outlives_its_question_is_refused() -> None:
    with pytest.raises(BadRequest, match="LinkSeconds"):
        settle({"ApprovalSeconds": "3600", "LinkSeconds": "3600"})


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(BadRequest, match="Aprovers"):
        settle({"Aprovers": "ada@example.com"})


def test_the_machine_is_found_under_the_name_that_functions_are_told() -> None:
    variables = TEMPLATES["pipeline"]["Globals"]["Function"]["Environment"]["Variables"]
    assert RESOURCES["Ingest"]["Properties"]["Name"] == variables["MACHINE_NAME"]
