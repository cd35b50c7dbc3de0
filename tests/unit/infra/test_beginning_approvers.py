"""A deploy begins the list of approvers before the functions that ask it, and changes no list that has begun."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infra.deploy import aws as deploy
from infra.deploy.approvers import difference
from infra.errors import Misused

PLAN = deploy.Plan("green", "us-east-1", "arm64", "3.13", {}, ("ada@example.com", "bo@example.com"))


class Stacks:
    """CloudFormation with a pipeline stack that was told these parameters; None: there is no such stack."""

    def __init__(self, told: dict[str, str] | None) -> None:
        self.told = told

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        assert StackName == "green-pipeline"
        rows = [{"ParameterKey": key, "ParameterValue": value} for key, value in (self.told or {}).items()]
        status = "DELETE_COMPLETE" if self.told is None else "UPDATE_COMPLETE"
        return {"Stacks": [{"StackStatus": status, "Parameters": rows}]}


def begin(told: dict[str, str] | None = None, plan: deploy.Plan = PLAN) -> None:
    table = deploy._review_table(plan, {"ReviewsTable": "reviews", "CatalogTable": "catalog"})
    deploy._begin_approvers(deploy.Account("111122223333", "bucket", Stacks(told), None), plan, table)


def listed(world: Any) -> list[str]:
    return [one.address for one in world.catalog.approvers.all()]


def test_the_first_deploy_begins_the_list(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    begin()
    assert listed(world) == ["ada@example.com", "bo@example.com"]
    assert capsys.readouterr().err == "approvers: ada@example.com, bo@example.com\n"


def test_another_deploy_changes_nothing_and_says_so(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    begin()
    world.catalog.approvers.remove("bo@example.com")
    capsys.readouterr()
    begin({})
    assert listed(world) == ["ada@example.com"]
    said = capsys.readouterr().err
    assert "--approver begins the list of approvers and does not change it. The approvers are: ada@example.com." in said
    assert "`greenroom approvers --stack-name green-pipeline add ADDRESS`" in said


def test_a_deploy_that_names_nobody_says_only_who_decides(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    begin()
    capsys.readouterr()
    begin({}, replace(PLAN, approvers=()))
    assert capsys.readouterr().err == "approvers: ada@example.com, bo@example.com\n"


def test_the_approvers_of_a_deployment_from_before_the_list_are_taken_over(
    world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    begin({"Approvers": "Zoe@example.com, nobody ,cy@example.com", "Prefix": "green"})
    assert listed(world) == ["zoe@example.com", "cy@example.com"]
    said = capsys.readouterr().err
    assert "left out of the approvers: 'nobody' is not a mail address" in said and "does not change it" in said


def test_the_same_approvers_in_another_order_are_nothing_to_speak_of() -> None:
    assert difference(["bo@example.com", "ada@example.com"], ["ada@example.com", "bo@example.com"]) == ""


def test_an_approver_who_cannot_be_mailed_is_named() -> None:
    with pytest.raises(Misused, match=r"--approver 'jösé@example\.com' is not a mail address"):
        deploy._approver("jösé@example.com")
