"""List items, newest first."""

from __future__ import annotations

import argparse
import typing

from infra.cli.common import deployed, facts_of, say

REMOTE = True
EXAMPLE = """
greenroom items --status PENDING
greenroom items --json --limit 1000
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    from tasks.core.models.item import Status

    parser.add_argument("--status", type=str.upper, choices=typing.get_args(Status), help="only those of this status")
    parser.add_argument("--limit", type=int, default=100, help="how many at most (default: 100)")


def run(given: argparse.Namespace) -> int:
    target = deployed(given)
    for record in target.catalog.items.newest(given.status, limit=given.limit):
        line = f"{record.id}  {record.status:<11}  {record.received_at}  {record.album_title}: {record.item.filename}"
        say(given, facts_of(target, record), line + (f"  ({record.reason})" if record.reason else ""))
    return 0
