"""All that is known of one item."""

from __future__ import annotations

import argparse
from typing import Any

from infra.commands.common import deployed, facts_of, find_item, say

REMOTE = True
EXAMPLE = """
greenroom show k3vq
greenroom show k3vqx7m2ob4wzc6ydt5a --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("item", metavar="ITEM", help="an item's id, or the beginning of it")


def run(given: argparse.Namespace) -> int:
    target = deployed(given)
    facts = facts_of(target, find_item(target, given.item))
    say(given, facts, "\n".join(_lines(facts)))
    return 0


def _lines(facts: dict[str, Any]) -> list[str]:
    plain = ("id", "status", "reason", "kind", "format", "album_title", "contributor", "key", "bytes", "execution", "received_at", "taken_at")
    lines = [f"{name.replace('_', ' '):<12} {facts[name]}" for name in plain if facts[name]]
    if facts["width"]:
        lines.append(f"{'size':<12} {facts['width']} x {facts['height']}" + (f", {facts['duration']:.1f} s" if facts["duration"] else ""))
    if facts["labels"]:
        lines.append(f"{'labels':<12} " + ", ".join(f"{label['name']} {label['confidence']:.0f}%" for label in facts["labels"]))
    if facts["moderation"]:
        lines.append(f"{'moderation':<12} " + ", ".join(f"{label['name']} {label['confidence']:.0f}%" for label in facts["moderation"]))
    if facts["decision"]:
        decision = facts["decision"]
        lines.append(f"{'decision':<12} {decision['verdict']} by {decision['approver'] or 'nobody'} {decision['decided_at']} {decision['reason']}".rstrip())
    if facts["publication"]:
        lines.append(f"{'page':<12} {facts['publication']['url']}")
    for file in facts["renditions"]:
        size = f"{file['width']} x {file['height']}, " if file["width"] else ""
        lines.append(f"  {file['name']:<10} {file['format']:<5} {size}{file['bytes']} bytes")
    return lines
