"""All that is known of one item."""

from __future__ import annotations

import argparse
from typing import Any

from infra.cli.common import deployed, facts_of, find_item, say

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
    say(given, facts, *_lines(facts))
    return 0


PLAIN = ("id", "status", "reason", "kind", "format", "album_title", "contributor", "key", "bytes", "execution", "received_at")


def _lines(facts: dict[str, Any]) -> list[str]:
    rows = [(name.replace("_", " "), facts[name]) for name in (*PLAIN, "taken_at")]
    rows += [("size", _size(facts)), ("labels", _labels(facts["labels"])), ("moderation", _labels(facts["moderation"]))]
    if film := facts["film"]:
        rows.append(("Live Photo", f"moves for {film['duration']:.1f} s; its film came as item {film['item']}"))
    if decision := facts["decision"]:
        who = decision["approver"] or "nobody"
        rows.append(("decision", f"{decision['verdict']} by {who} {decision['decided_at']} {decision['reason']}".rstrip()))
    if facts["publication"]:
        rows.append(("page", facts["publication"]["url"]))
    files = [f"  {file['name']:<10} {file['format']:<5} {_size(file)}  {file['bytes']} bytes" for file in facts["renditions"]]
    return [f"{name:<12} {value}" for name, value in rows if value] + files


def _size(facts: dict[str, Any]) -> str:
    length = f", {facts['duration']:.1f} s" if facts.get("duration") else ""
    return f"{facts['width']} x {facts['height']}{length}" if facts["width"] else ""


def _labels(labels: list[dict[str, Any]]) -> str:
    return ", ".join(f"{label['name']} {label['confidence']:.0f}%" for label in labels)
