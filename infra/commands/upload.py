"""Put files, or whole folders of them, into the inbox, as a contributor does."""

from __future__ import annotations

import argparse
import mimetypes
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from infra.commands.common import deployed, facts_of, progress, say
from infra.errors import Failed, Misused
from infra.stack import Deployed

REMOTE = True
EXAMPLE = """
greenroom upload party.heic clip.mov --album "Summer party" --by Ada
greenroom upload ./photos --album Summer --by Ada --wait --json
"""
LONGEST_METADATA = 1_900
MOVING = ("RECEIVED", "PROCESSING")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder with all that is in it")
    parser.add_argument("--album", required=True, help="album that they go to")
    parser.add_argument("--by", default="", metavar="NAME", help="who contributes them")
    parser.add_argument("--wait", action="store_true", help="until each waits for a decision, or has ended")
    parser.add_argument("--timeout", type=float, default=900, help="seconds that --wait waits at most (default: 900)")


def run(given: argparse.Namespace) -> int:
    from tasks.core.byproducts import left_out
    from tasks.core.names import item_id

    if len(quote(given.album) + quote(given.by)) > LONGEST_METADATA:
        raise Misused("--album and --by are too long together: S3 keeps 2 KB of words with a file")
    files = list(_files(given.paths))
    target = deployed(given)
    bucket = target.settings.inbox_bucket
    ids = {}
    for path in files:
        if words := left_out(path.as_posix()):
            say(given, {"file": str(path), "left_out": words}, f"{'not uploaded':<20}  {path} is {words}")
            continue
        key, version = put(target, path, given.album, given.by)
        id = item_id(bucket, key, version)
        ids[id] = path
        if given.wait:
            progress(given, f"uploaded {path}")
        else:
            say(given, {"id": id, "file": str(path), "key": key, "bucket": bucket, "version": version}, f"{id}  {path}")
    if not ids:
        raise Failed("nothing was uploaded")
    return _follow(given, target, ids) if given.wait else 0


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (inside for inside in sorted(path.rglob("*")) if inside.is_file())
        elif path.is_file():
            yield path
        else:
            raise Misused(f"{path}: no such file or folder")


def put(target: Deployed, path: Path, album: str, contributor: str) -> tuple[str, str]:
    """Upload one file; its key and version."""
    # A folder of its own: two files of one name are two items, and never one another's versions.
    key = f"{album}/{secrets.token_hex(4)}/{path.name}"
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    metadata = {"album": quote(album), "contributor": quote(contributor)}
    with path.open("rb") as body:
        version = target.store.put(target.settings.inbox_bucket, key, body, kind, Metadata=metadata)
    return key, version


def _follow(given: argparse.Namespace, target: Deployed, waiting: dict[str, Path]) -> int:
    """Print each item once it waits for a decision or has ended."""
    from tasks.core.errors import NotFound

    deadline, pause = time.monotonic() + given.timeout, threading.Event()
    while waiting and time.monotonic() < deadline:
        for id in list(waiting):
            try:
                record = target.catalog.item(id)
            except NotFound:
                continue  # the upload's event is still on its way
            if record.status not in MOVING:
                facts = {"file": str(waiting.pop(id)), **facts_of(target, record)}
                why = f"  ({record.reason})" if record.reason else ""
                say(given, facts, f"{id}  {record.status:<11}  {facts['file']}{why}")
        pause.wait(0.3 if waiting else 0)
    if waiting:
        raise Failed(f"{len(waiting)} uploads are still on their way after {given.timeout:.0f} s: {', '.join(waiting)}")
    return 0
