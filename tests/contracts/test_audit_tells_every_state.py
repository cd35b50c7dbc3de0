"""`greenroom audit` has words for each state that takes time or does something, and for no other."""

from __future__ import annotations

from machines.definition import definitions

from tasks.lifecycle.timeline_words import TELLERS

DOES_SOMETHING = ("Task", "Map", "Parallel", "Wait")
# Pass states only move a fact, but this one decides.
DECIDES = "RejectByPolicy"
# Told of executions that ended before decision 0018; their records are read for years.
OF_BEFORE = {"Prepare"}


def test_each_state_that_does_something_is_told_in_words() -> None:
    states = {name: state["Type"] for definition in definitions() for name, state in definition.states.items()}
    told = {name for name, type in states.items() if type in DOES_SOMETHING} | {DECIDES}
    assert not told & OF_BEFORE
    assert sorted(TELLERS) == sorted(told | OF_BEFORE)
