"""Removals against decisions and against each other, many at once, on the real catalog: never both, and never nobody left."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from machines.stage import MOTO, SETTINGS, make_tables, shared_aws
from moto import mock_aws
from serial_moto import serial_dynamodb

from tasks.catalog import Catalog, Reviews
from tasks.catalog.approvers import Approvers, still_approves
from tasks.core.models.item import Item
from tasks.core.names import item_id

RACES = 50
SHA = "5" * 64
ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with mock_aws(config=MOTO), serial_dynamodb():
        make_tables(shared_aws(), SETTINGS)
        yield Catalog.open(shared_aws(), SETTINGS)


@pytest.fixture
def approvers(catalog: Catalog) -> Approvers:
    return catalog.approvers


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls from as many threads, let go in the same moment; their results in order."""
    gate = Barrier(len(calls))

    def go(call: Callable[[], Any]) -> Any:
        gate.wait(10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(go, calls))


def test_a_removal_and_a_decision_are_in_one_order(approvers: Approvers) -> None:
    """Whoever's removal was answered before the decision was recorded has not decided; and the other way round."""
    reviews = Reviews.open(shared_aws(), SETTINGS)
    approvers.begin([BOB])
    states = set()
    for number in range(RACES):
        id = item_id("inbox", f"Summer/{number}.jpg", "v1")
        one = Item(id, 1, "inbox", f"Summer/{number}.jpg", "v1", "etag", 10, "summer", "Summer", "Ben", "2026-07-05T08:00:00Z")
        reviews.request(one, "token", SHA)
        approvers.add(ANN)
        member = approvers.find(ANN)
        check = still_approves(member.address, member.membership)
        sides = [
            lambda id=id, check=check: reviews.record(id, "approve", approver=ANN, shown=SHA, only_if=check).state,
            lambda: approvers.remove(ANN),
        ]
        random.Random(number).shuffle(sides)
        outcome = set(at_once(*sides))
        assert outcome in ({"recorded", "removed"}, {"ended", "removed"}), f"race {number}"
        assert len(reviews.decisions(id)) == ("recorded" in outcome)
        # After the removal nothing of that membership is ever recorded, whatever came before.
        late = reviews.record(id, "reject", approver=ANN, shown=SHA, only_if=check).state
        assert late == ("taken" if "recorded" in outcome else "ended"), f"race {number}"
        states |= outcome
    assert "removed" in states


def test_two_who_remove_each_other_leave_one(approvers: Approvers) -> None:
    approvers.begin([ANN, BOB])
    for number in range(RACES):
        answers = at_once(lambda: approvers.remove(ANN), lambda: approvers.remove(BOB))
        assert sorted(answers) == ["last", "removed"], f"race {number}"
        (left,) = approvers.all()
        approvers.add(BOB if left.address == ANN else ANN)


def test_one_removed_from_many_sides_is_removed_and_counted_once(approvers: Approvers) -> None:
    for _ in range(RACES):
        approvers.begin([ANN, BOB])
        approvers.add(ANN)
        assert sorted(at_once(*[lambda: approvers.remove(ANN)] * 4)) == ["removed", "unknown", "unknown", "unknown"]
        assert approvers.remove(BOB) == "last"


def test_one_added_from_many_sides_is_added_and_counted_once(approvers: Approvers) -> None:
    approvers.begin([ANN])
    assert sorted(at_once(*[lambda: approvers.add(BOB)] * 4)) == [False, False, False, True]
    assert approvers.remove(BOB) == "removed" and approvers.remove(ANN) == "last"


def test_two_deploys_begin_one_list(approvers: Approvers) -> None:
    begun = at_once(*[lambda number=number: approvers.begin([f"a{number}@example.org", ANN]) for number in range(4)])
    assert sorted(begun) == [False, False, False, True]
    assert len(approvers.all()) == 2
