"""Approve or reject an item, through the same conditional write as the review page: the first decision stands."""

from __future__ import annotations

import argparse
import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING

from infra.cli.common import deployed, find_item, say
from infra.errors import Failed, Misused

if TYPE_CHECKING:
    from tasks.catalog.reviews import Outcome
    from tasks.catalog.standing import Standing

REMOTE = True
EXAMPLE = """
greenroom decide k3vq approve
greenroom decide k3vq reject --reason "blurry" --by ada@example.com
"""
LONGEST_REASON = 500
STOOD = {"recorded": "", "repeated": "Already recorded. "}
LATE = {
    "taken": "Not recorded, because another decision came first. ",
    "expired": "Not recorded, because the time to decide is over. ",
    "unknown": "Not recorded. ",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("item", metavar="ITEM", help="an item's id, or the beginning of it")
    parser.add_argument("verdict", choices=("approve", "reject"))
    parser.add_argument("--reason", default="", help="why; kept with the decision")
    parser.add_argument("--by", default="", metavar="NAME", help="who decides (default: you, by your login name)")


def run(given: argparse.Namespace) -> int:
    from tasks.catalog.standing import standing
    from tasks.core.clock import epoch

    if len(given.reason) > LONGEST_REASON:
        raise Misused(f"a reason has at most {LONGEST_REASON} characters, not {len(given.reason)}")
    target = deployed(given)
    id = find_item(target, given.item).id
    who = given.by or getpass.getuser()
    outcome = target.reviews.record(id, given.verdict, given.reason, approver=who, agent="greenroom decide")
    told = outcome.state in STOOD and target.reviews.tell(id, target.machine)
    record = target.catalog.items.get(id)
    execution = "" if told else target.machine.status(record.execution)
    now = standing(record, target.reviews.review(id), epoch(), viewer=who, execution=execution)
    if outcome.state not in STOOD:
        raise Failed(f"{id}: {_late(outcome, now)}")
    facts = {"id": id, "verdict": given.verdict, "outcome": outcome.state, "told": told, "standing": asdict(now)}
    say(given, facts, f"{id}: {STOOD[outcome.state]}{now.message}")
    return 0


def _late(outcome: Outcome, now: Standing) -> str:
    return LATE.get(outcome.state, "Not recorded. ") + now.message
