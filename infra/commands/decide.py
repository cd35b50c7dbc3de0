"""Approve or reject an item, through the same conditional write as the review page: the first decision stands."""

from __future__ import annotations

import argparse
import getpass

from infra.commands.common import deployed, find_item, say
from infra.errors import Misused

REMOTE = True
EXAMPLE = """
greenroom decide k3vq approve
greenroom decide k3vq reject --reason "blurry" --by ada@example.com
"""
LONGEST_REASON = 500


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("item", metavar="ITEM", help="an item's id, or the beginning of it")
    parser.add_argument("verdict", choices=("approve", "reject"))
    parser.add_argument("--reason", default="", help="why; kept with the decision")
    parser.add_argument("--by", default="", metavar="NAME", help="who decides (default: you, by your login name)")


def run(given: argparse.Namespace) -> int:
    from dataclasses import asdict

    from tasks.review import decide_by_operator

    if len(given.reason) > LONGEST_REASON:
        raise Misused(f"a reason has at most {LONGEST_REASON} characters, not {len(given.reason)}")
    target = deployed(given)
    record = find_item(target, given.item)
    standing = decide_by_operator(
        record.id,
        given.verdict,
        given.reason,
        catalog=target.catalog,
        reviews=target.reviews,
        machine=target.machine,
        approver=given.by or getpass.getuser(),
    )
    say(given, {"id": record.id, "verdict": given.verdict, **asdict(standing)}, f"{record.id}: {standing.message}")
    return 0
