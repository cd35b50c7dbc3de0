"""An item's story, from its upload to its end: every state, every try, and who decided."""

from __future__ import annotations

import argparse

from infra.cli.common import deployed, facts_of, find_item, say

REMOTE = True
EXAMPLE = """
greenroom audit k3vq
greenroom audit k3vq --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("item", metavar="ITEM", help="an item's id, or the beginning of it")


def run(given: argparse.Namespace) -> int:
    from tasks.lifecycle import timeline
    from tasks.lifecycle.record import records

    target = deployed(given)
    item = find_item(target, given.item)
    found = records(item, target.catalog, target.reviews, target.store, target.machine, target.settings)
    told = timeline.story(found, facts_of(target, item))
    say(given, told, *timeline.as_lines(told))
    return 0
