"""Put files, or whole folders of them, into the inbox, as a contributor does. A bad file stops none of the others."""

from __future__ import annotations

import argparse
import mimetypes
import secrets
import threading
import time
import unicodedata
from pathlib import Path
from urllib.parse import quote

from infra.cli.common import deployed, facts_of, progress, say
from infra.cli.files import found, missing, trouble, unreadable
from infra.deploy.stack import Deployed
from infra.errors import Failed, Misused
from infra.terminal import printable

REMOTE = True
EXAMPLE = """
greenroom upload party.heic clip.mov --album "Summer party" --by Ada
greenroom upload ./photos --album Summer --by Ada --wait --json
"""
LONGEST_METADATA = 1_900
MOVING = ("RECEIVED", "PROCESSING")
NOT_SENT = {"verdict": "failed", "reason": "", "id": "", "key": "", "bucket": "", "version": ""}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder with all that is in it")
    parser.add_argument("--album", required=True, help="album that they go to")
    parser.add_argument("--by", default="", metavar="NAME", help="who contributes them")
    parser.add_argument("--wait", action="store_true", help="until each waits for a decision, or has ended")
    parser.add_argument("--timeout", type=float, default=900, help="seconds that --wait waits at most (default: 900)")


def run(given: argparse.Namespace) -> int:
    """Every file gets a verdict, and a bad one stops nothing; raises Failed at the end when one was not uploaded."""
    _check(given)
    files = list(found(given.paths))
    target = deployed(given)
    bucket = target.settings.inbox_bucket
    sent: dict[str, Path] = {}
    wanted: list[Path] = []
    for path in files:
        if words := _left_out(path, given.paths):
            say(given, {"file": str(path), "verdict": "left out", "left_out": words}, f"{'not uploaded':<20}  {path} is {words}")
        else:
            wanted.append(path)
    if not wanted:
        raise Failed("nothing was uploaded")
    for path in wanted:
        row = {"file": str(path), **_send(target, bucket, path, given)}
        if not row["id"]:
            say(given, row, f"{'not uploaded':<20}  {path}: {row['reason']}")
            continue
        sent[row["id"]] = path
        if given.wait:
            progress(given, f"uploaded {path}")
        else:
            say(given, row, f"{row['id']}  {path}")
    if given.wait:
        _follow(given, target, dict(sent))
    if len(sent) < len(wanted):
        raise Failed(f"{len(wanted) - len(sent)} of {len(wanted)} files were not uploaded")
    return 0


def _left_out(path: Path, named: list[Path]) -> str:
    """Why a file is not meant to be uploaded, "" when it is: by-products, sidecars, and hidden files that nobody named."""
    from tasks.core.byproducts import left_out

    hidden = path.name.startswith(".") and path not in named
    return left_out(path.as_posix()) or ("a hidden file: name it to upload it" if hidden else "")


def _check(given: argparse.Namespace) -> None:
    """Raises Misused for what no file can be uploaded with."""
    for option, words in (("--album", given.album), ("--by", given.by)):
        if any(unicodedata.category(char) == "Cc" for char in words):
            raise Misused(f"{option} must be one line of text, without control characters")
    if len(quote(given.album) + quote(given.by)) > LONGEST_METADATA:
        raise Misused("--album and --by are too long together: S3 keeps 2 KB of words with a file")
    if all(map(missing, given.paths)):
        raise Misused(f"{', '.join(map(str, given.paths))}: no such file or folder")


def _send(target: Deployed, bucket: str, path: Path, given: argparse.Namespace) -> dict[str, str]:
    """Upload one file if it can be; its row, with the reason where it could not."""
    from tasks.core.names import item_id

    if reason := trouble(path):
        return {**NOT_SENT, "reason": reason}
    try:
        key, version = put(target, bucket, path, given.album, given.by)
    except OSError as fault:
        return {**NOT_SENT, "reason": unreadable(fault)}
    except Exception as fault:
        if not target.error_code(fault):
            raise  # no answer of S3's about this file: it is about all of them
        return {**NOT_SENT, "reason": f"was refused by S3: {fault}"}
    made = {"id": item_id(bucket, key, version), "key": key, "bucket": bucket, "version": version}
    return {"verdict": "uploaded", "reason": "", **made}


def put(target: Deployed, bucket: str, path: Path, album: str, contributor: str) -> tuple[str, str]:
    """Upload one file; its key and version."""
    from tasks.core.names import safe_file_name

    # S3 takes control characters in a key and then trips over them; bytes that are no UTF-8 it does not take.
    name = path.name if printable(path.name) == path.name else safe_file_name(path.name)
    # A folder of its own: two files of one name are two items, and never one another's versions.
    key = f"{album}/{secrets.token_hex(4)}/{name}"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    metadata = {"album": quote(album), "contributor": quote(contributor)}
    with path.open("rb") as body:
        version = target.store.put(bucket, key, body, kind, Metadata=metadata)
    return key, version


def _follow(given: argparse.Namespace, target: Deployed, waiting: dict[str, Path]) -> None:
    """Print each item once it waits for a decision or has ended; raises Failed when that takes too long."""
    from tasks.core.errors import NotFound

    deadline, pause = time.monotonic() + given.timeout, threading.Event()
    while waiting and time.monotonic() < deadline:
        for id in list(waiting):
            try:
                record = target.catalog.items.get(id)
            except NotFound:
                continue  # the upload's event is still on its way
            if record.status not in MOVING:
                facts = {"file": str(waiting.pop(id)), "verdict": "uploaded", **facts_of(target, record)}
                why = f"  ({record.reason})" if record.reason else ""
                say(given, facts, f"{id}  {record.status:<11}  {facts['file']}{why}")
        pause.wait(0.3 if waiting else 0)
    if waiting:
        raise Failed(f"{len(waiting)} uploads are still on their way after {given.timeout:.0f} s: {', '.join(waiting)}")
