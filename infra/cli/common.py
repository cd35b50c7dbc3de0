"""What the subcommands share: which deployment is meant, which item, and how a row is printed."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.deploy.stack import Deployed
from infra.errors import Misused
from infra.local.state import Stack, default_state, read_stack
from infra.terminal import err, out, out_json

if TYPE_CHECKING:
    from tasks.core.models.record import ItemRecord

SHORTEST_PREFIX = 4
ID_LENGTH = 20


def state_folder(given: argparse.Namespace) -> Path:
    named = given.state or os.environ.get("GREENROOM_STATE", "")
    return Path(named).expanduser().resolve() if named else default_state()


def running(given: argparse.Namespace) -> Stack:
    """The local stack; raises Misused when none runs."""
    stack = read_stack(state_folder(given))
    if stack is None:
        raise Misused(f"no stack runs in {state_folder(given)}: start one with `greenroom up`")
    if not stack.ready:
        raise Misused(f"the stack in {state_folder(given)} is still starting; try again in a few seconds")
    return stack


def deployed(given: argparse.Namespace) -> Deployed:
    """The deployment that a command is about: the named AWS stack, else the local one."""
    return Deployed(given.stack_name) if given.stack_name else Deployed.local(running(given))


def find_item(target: Deployed, prefix: str) -> ItemRecord:
    """The item whose id begins with `prefix`; raises NotFound, or Misused when it is not the only one."""
    wanted = prefix.strip().lower()
    if len(wanted) == ID_LENGTH:
        return target.catalog.items.get(wanted)
    if len(wanted) < SHORTEST_PREFIX:
        raise Misused(
            f"{prefix!r} is too short: give {SHORTEST_PREFIX} or more characters of an id; `greenroom items` lists them"
        )
    found = [record for record in target.catalog.items.newest(limit=100_000) if record.id.startswith(wanted)]
    if not found:
        raise Misused(f"no item begins with {prefix!r}; `greenroom items` lists them")
    if len(found) > 1:
        some = ", ".join(record.id for record in found[:4])
        raise Misused(f"{prefix!r} is the beginning of {len(found)} items ({some}); give more of it")
    return found[0]


def usable_ffmpeg(path: str) -> None:
    """Raises Misused for another ffmpeg than our own that cannot be used; "" asks for our own."""
    from tasks.media.transcoder import FfmpegMissing, find_ffmpeg

    if path:
        try:
            find_ffmpeg(path)
        except FfmpegMissing as fault:
            raise Misused(str(fault)) from fault


def say(given: argparse.Namespace, facts: dict[str, Any], *lines: str) -> None:
    """One row: JSON where it was asked for, else words."""
    if given.json:
        out_json(facts)
    else:
        out(*lines)


def progress(given: argparse.Namespace, text: str) -> None:
    """What is going on, for a person at a terminal; never in the way of output."""
    if not given.json:
        err(text)


def facts_of(target: Deployed, record: ItemRecord) -> dict[str, Any]:
    """An item as `show --json` prints it: the contract that scripts depend on."""
    from tasks.core.json import to_json

    prepared, media, publication = record.prepared, record.media, record.publication
    published = to_json(publication) if publication else None
    if published:
        published["path"], published["url"] = published["url"], target.site_url + published["url"]
    return {
        "id": record.id,
        "status": record.status,
        "reason": record.reason,
        "kind": media.kind if media else "",
        "format": media.format if media else "",
        "album": record.album,
        "album_title": record.album_title,
        "contributor": record.contributor,
        "key": record.key,
        "version": record.version,
        "bytes": record.bytes,
        "execution": record.execution,
        "received_at": record.received_at,
        "updated_at": record.updated_at,
        "taken_at": media.taken_at if media else "",
        "width": media.width if media else 0,
        "height": media.height if media else 0,
        "duration": media.duration if media else 0,
        "labels": to_json(prepared.recognition.labels) if prepared else [],
        "moderation": to_json(prepared.recognition.moderation) if prepared else [],
        "model": prepared.recognition.model if prepared else "",
        "renditions": to_json(prepared.renditions) if prepared else [],
        "film": to_json(record.film) if record.film else None,
        "duplicate_of": record.duplicate_of,
        "decision": to_json(record.decision) if record.decision else None,
        "publication": published,
    }
