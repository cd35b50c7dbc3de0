"""Table: plain values in and out, conditions answered, transactions whole or not at all."""

import pytest

from tasks.core.aws.attributes import pack, unpack
from tasks.core.aws.dynamodb import Write


@pytest.mark.parametrize("value", ["", "x", 0, -7, 10**15, 2.5, 1e-9, True, False, None, [1, ["a"]], {"a": {"b": [None]}}])
def test_values_come_back_as_they_went(value):
    assert unpack(pack(value)) == value
    assert type(unpack(pack(value))) is type(value)


def test_what_dynamodb_cannot_hold_is_named():
    with pytest.raises(TypeError, match="cannot hold a set"):
        pack({1, 2})


def test_a_conditional_write_that_does_not_hold_is_an_answer(world):
    table = world.table
    assert table.put({"pk": "a", "sk": "b", "n": 1}, "attribute_not_exists(#pk)")
    assert not table.put({"pk": "a", "sk": "b", "n": 2}, "attribute_not_exists(#pk)")
    assert table.update("a", "b", "SET #n = #n + :one", "#n = :old", one=1, old=1)
    assert not table.update("a", "b", "SET #n = #n + :one", "#n = :old", one=1, old=1)
    assert table.get("a", "b") == {"pk": "a", "sk": "b", "n": 2, "v": 1}
    assert not table.delete("a", "b", "#n = :old", old=1)
    assert table.delete("a", "b")
    assert table.get("a", "b") is None


def test_a_refused_transaction_says_which_write_was_at_fault_and_changes_nothing(world):
    taken, checked = {"pk": "a", "sk": "taken"}, {"pk": "a", "sk": "checked"}
    for row in (taken, checked):
        world.table.put(row)
    writes = [
        Write({"pk": "new", "sk": "b"}),
        Write(taken, "attribute_not_exists(#pk)"),
        Write(checked, "attribute_exists(#pk)", check=True),
    ]
    assert world.table.transact(writes) == ["None", "ConditionalCheckFailed", "None"]
    assert world.table.get("new", "b") is None
    assert world.table.transact([writes[0], writes[2]]) == []
    assert world.table.get("new", "b") is not None


def test_a_query_reads_on_for_as_long_as_one_asks(world):
    for number in range(25):
        world.table.put({"pk": "p", "sk": f"{number:03d}"})
    assert [row["sk"] for row in world.table.query("p", page=10)] == [f"{number:03d}" for number in range(25)]
    assert next(world.table.query("p", "#sk < :bound", forward=False, page=1, bound="010"))["sk"] == "009"


def test_many_rows_are_read_at_once_each_once(world):
    for number in range(120):
        world.table.put({"pk": "p", "sk": str(number)})
    keys = [("p", str(number)) for number in range(130)] * 2
    assert len(world.table.get_many(keys)) == 120
    assert world.table.get_many([]) == {}
