"""The list of approvers: begun once, never empty again, and a membership that ends does not come back."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.catalog.approvers import Approvers, still_approves
from tasks.core.aws.dynamodb import Table, Write
from tasks.core.errors import BadRequest, Conflict


@pytest.fixture
def approvers(world: Any) -> Approvers:
    return Approvers(world.review_table)


def addresses(approvers: Approvers) -> list[str]:
    return [one.address for one in approvers.all()]


def test_a_list_is_begun_once_and_keeps_its_order(approvers: Approvers) -> None:
    assert addresses(approvers) == []
    assert approvers.begin(["zoe@example.org", "ann@example.org", "zoe@example.org"])
    assert not approvers.begin(["eve@example.org"])
    assert addresses(approvers) == ["zoe@example.org", "ann@example.org"]


def test_nobody_begins_no_list(approvers: Approvers) -> None:
    assert not approvers.begin([])
    assert approvers.begin(["ann@example.org"])


def test_a_list_that_one_transaction_cannot_write_is_refused_whole(approvers: Approvers) -> None:
    with pytest.raises(BadRequest, match="at most 99 approvers, not 100"):
        approvers.begin(f"a{number}@example.org" for number in range(100))
    assert approvers.begin(f"a{number}@example.org" for number in range(99))
    assert len(approvers.all()) == 99


def test_whoever_is_added_first_begins_the_list(approvers: Approvers) -> None:
    assert approvers.add("bob@example.org")
    assert not approvers.begin(["ann@example.org"])
    assert addresses(approvers) == ["bob@example.org"]


def test_adding_again_changes_nothing(approvers: Approvers) -> None:
    approvers.begin(["ann@example.org"])
    assert approvers.add("bob@example.org")
    before = approvers.all()
    assert not approvers.add("bob@example.org") and not approvers.add("ann@example.org")
    assert approvers.all() == before


def test_the_last_one_stays(approvers: Approvers) -> None:
    approvers.begin(["ann@example.org", "bob@example.org"])
    assert approvers.remove("ann@example.org") == "removed"
    assert approvers.remove("ann@example.org") == "unknown"
    assert approvers.remove("bob@example.org") == "last"
    assert approvers.add("ann@example.org")
    assert approvers.remove("bob@example.org") == "removed"
    assert addresses(approvers) == ["ann@example.org"]


def test_adding_somebody_twice_does_not_count_them_twice(approvers: Approvers) -> None:
    """Else the count would let the last one go."""
    approvers.begin(["ann@example.org"])
    approvers.add("ann@example.org")
    approvers.begin(["bob@example.org"])
    assert approvers.remove("ann@example.org") == "last"


@pytest.mark.parametrize("ending", ["remove", "revoke"])
def test_a_membership_that_ended_does_not_come_back(world: Any, approvers: Approvers, ending: str) -> None:
    approvers.begin(["ann@example.org", "bob@example.org"])
    first = approvers.find("ann@example.org")
    note = Write({"pk": "note", "sk": "note"})
    assert world.review_table.transact([note, still_approves(first.address, first.membership)]) == []

    assert getattr(approvers, ending)("ann@example.org")
    approvers.add("ann@example.org")

    again = approvers.find("ann@example.org")
    assert again.membership != first.membership
    assert world.review_table.transact([note, still_approves(first.address, first.membership)]) == [
        "None",
        "ConditionalCheckFailed",
    ]
    assert world.review_table.transact([note, still_approves(again.address, again.membership)]) == []


def test_nobody_s_links_can_be_revoked(approvers: Approvers) -> None:
    approvers.begin(["ann@example.org"])
    assert not approvers.revoke("eve@example.org")
    assert addresses(approvers) == ["ann@example.org"]


def test_collisions_are_tried_again_and_end_in_words(world: Any) -> None:
    class Busy(Table):
        refusals = 3

        def transact(self, writes: list[Write]) -> list[str]:
            self.refusals -= 1
            return super().transact(writes) if self.refusals < 0 else ["TransactionConflict"] * len(writes)

    table = Busy(world.aws, "reviews")
    assert Approvers(table).begin(["ann@example.org", "bob@example.org"])
    table.refusals = 3
    assert Approvers(table).remove("ann@example.org") == "removed"
    table.refusals = 99
    with pytest.raises(Conflict, match="too many writers"):
        Approvers(table).add("eve@example.org")
