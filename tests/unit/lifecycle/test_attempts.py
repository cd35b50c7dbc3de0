"""Attempts: one execution for each attempt of an item, named after it, with the item as its input."""

import pytest

from tasks.lifecycle.attempts import begin, begin_next


@pytest.fixture
def item(world, make):
    item = make.item()
    world.catalog.items.create(item)
    return item


def test_an_execution_bears_the_attempts_name_and_is_given_the_item(world, item):
    assert begin(item, world.machine)
    (name,) = world.machine.executions
    assert name == f"{item.id}-1"
    given = world.machine.executions[name]["input"]
    assert list(given) == ["item"]
    assert (given["item"]["id"], given["item"]["attempt"], given["item"]["key"]) == (item.id, 1, "Summer/IMG_0042.HEIC")


def test_an_attempt_begins_once_however_often_it_is_asked_for(world, item):
    assert [begin(item, world.machine) for _ in range(3)] == [True, False, False]
    assert len(world.machine.executions) == 1


def test_the_next_attempt_is_begun_by_one_of_those_who_try(world, item):
    first, second = (begin_next(item.id, 1, world.catalog, world.machine) for _ in range(2))
    assert (first.attempt, second) == (2, None)
    assert world.machine.executions[f"{item.id}-2"]["input"]["item"]["attempt"] == 2
    assert (world.catalog.items.get(item.id).attempt, list(world.machine.executions)) == (2, [f"{item.id}-2"])


def test_what_has_ended_has_no_next_attempt(world, item):
    world.catalog.items.mark(item.id, "REJECTED", attempt=1)
    assert begin_next(item.id, 1, world.catalog, world.machine) is None
    assert world.machine.executions == {}
