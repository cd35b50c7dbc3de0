"""An item's story, from its upload to its end: every state, every try, and who decided."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from infra.commands.common import deployed, facts_of, find_item, say
from infra.stack import Deployed

if TYPE_CHECKING:
    from tasks.core.models import ItemRecord

REMOTE = True
EXAMPLE = """
greenroom audit k3vq
greenroom audit k3vq --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("item", metavar="ITEM", help="an item's id, or the beginning of it")


def run(given: argparse.Namespace) -> int:
    from infra import timeline

    target = deployed(given)
    record = find_item(target, given.item)
    told = timeline.story(records(target, record), facts_of(target, record))
    say(given, told, timeline.as_text(told).rstrip())
    return 0


def records(target: Deployed, item: ItemRecord) -> Iterator[dict[str, Any]]:
    """Every execution of an item, first attempt first: from the audit bucket, or from Step Functions while it still runs."""
    from tasks.core.models import Location

    bucket = target.settings.audit_bucket
    archived = {key.rsplit("/", 1)[-1].removesuffix(".json"): key for key in target.catalog.archives(item.id)}
    for attempt in range(1, item.attempt + 1):
        name = f"{item.id}-{attempt}"
        if name in archived:
            yield json.loads(target.store.read(Location(bucket, archived[name])))
        elif live := _live(target, name):
            yield live


def _live(target: Deployed, name: str) -> dict[str, Any] | None:
    """The history so far of an execution that has no record yet; None when there is no such execution."""
    from tasks.archive_history import build_record, decision_of
    from tasks.core.executions import Ended

    arn = target.machine.execution_arn(name)
    try:
        ended = Ended.described(target.machine.describe(arn))
    except Exception as fault:
        if target.error_code(fault) == "ExecutionDoesNotExist":
            return None
        raise
    return build_record(ended, target.machine.history(arn), decision_of(ended, target.reviews))
