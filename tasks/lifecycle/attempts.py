"""Attempts: an item's executions are started here and nowhere else, so that their names and inputs are always the same."""

from __future__ import annotations

from tasks.catalog import Catalog
from tasks.core.aws.stepfunctions import Machine
from tasks.core.json import to_json
from tasks.core.models.item import Item


def begin(item: Item, machine: Machine) -> bool:
    """Start the execution of the item's attempt; False when it was started before.

    Its name is the attempt's, so that a second start is refused. Its input is the item and nothing else.
    """
    return machine.start(item.execution, {"item": to_json(item)})


def begin_next(id: str, attempt: int, catalog: Catalog, machine: Machine) -> Item | None:
    """Start the attempt after `attempt`; the item as it is now, or None when somebody else did or the item has ended."""
    following = catalog.items.next_attempt(id, attempt)
    if following:
        begin(following, machine)
    return following
