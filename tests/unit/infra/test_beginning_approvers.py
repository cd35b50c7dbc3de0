"""A deploy begins the list of approvers before the functions that ask it, and changes no list that has begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from infra.deploy import aws as deploy
from infra.deploy import plan as planning
from infra.deploy.approvers import difference
from infra.errors import Misused

PLAN = deploy.Plan("green", "us-east-1", {}, {}, ("ada@example.com", "bo@example.com"))
NOTHING: Mapping[str, str] = {}


def begin(deployed: Mapping[str, str] = NOTHING, plan: deploy.Plan = PLAN) -> None:
    """As a deploy begins it where the stacks have these parameters."""
    table = deploy._review_table(plan, {"ReviewsTable": "reviews", "CatalogTable": "catalog"})
    deploy._begin_approvers(replace(plan, deployed=deployed), table)


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


def test_a_deploy_after_which_nobody_would_decide_ends_before_there_are_functions(world: Any) -> None:
    with pytest.raises(Misused, match="somebody must decide: give --approver"):
        begin({"Prefix": "green"}, replace(PLAN, approvers=()))


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
        planning._approver("jösé@example.com")
