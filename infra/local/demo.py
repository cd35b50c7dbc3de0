"""`make demo`: real photos and a clip go through the whole of Greenroom on this machine, as people would do it.

python -m infra.local.demo          starts the stack, uploads, shows where the mails are, and stays
python -m infra.local.demo --once   on its own ports and in a folder of its own: uploads, approves by the mailed link,
                              prints each published item with its address, stops, and exits 0
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from infra.deploy.stack import Deployed
from infra.errors import Failed
from infra.local import visitor
from infra.local.demo_media import Piece, prepare
from infra.local.mailbox import Mailbox
from infra.local.state import Stack, default_cache, default_state, read_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.core.models.record import ItemRecord

T = TypeVar("T")
CONTRIBUTOR = "Ada"
MOVING = ("RECEIVED", "PROCESSING")
PATIENCE = 240.0  # seconds for one step, on a slow machine


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--once", action="store_true", help="approve by the mailed link, show what was published, and stop")
    given = parser.parse_args(arguments)
    # However it is told to stop, the stack that it started stops with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return once() if given.once else stay()
    except KeyboardInterrupt:
        return 130
    except Failed as fault:
        sys.stderr.write(f"demo: {fault}\n")
        return fault.code


def stay() -> int:
    """The demo on the user's own stack, which goes on until Ctrl-C."""
    media = _media()
    state = Path(os.environ.get("GREENROOM_STATE", "") or default_state())
    with running(state, int(os.environ.get("PORT", "8080")), int(os.environ.get("AWS_PORT", "4566"))) as stack:
        target = Deployed.local(stack)
        records = settled(target, send(target, stack, media))
        _report(records)
        mails = Mailbox(stack.folder / "mail")
        if any(record.status == "PENDING" for record in records):
            until("the mail to the approver", lambda: mails.ids())
        print(
            f"\n  Approve   {stack.site}/mailbox   open the mail, follow its link\n  Gallery   {stack.site}/\n"
            f"  Upload    {stack.site}/upload/\n  Console   {stack.site}/console\n\nCtrl-C stops it and keeps everything."
        )
        threading.Event().wait()
    return 0


def once() -> int:
    """The whole way, once, out of everybody's way."""
    media = _media()
    folder = Path(tempfile.mkdtemp(prefix="greenroom-demo-"))
    began = time.monotonic()
    try:
        with running(folder, *free_ports()) as stack:
            target = Deployed.local(stack)
            records = settled(target, send(target, stack, media))
            _report(records)
            _all_wait(records)
            approve([record.id for record in records], Mailbox(stack.folder / "mail"))
            for record in records:
                _show(published(target, record.id), stack)
    except BaseException:
        _keep_logs(folder)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    print(f"\nUploaded, approved and published {len(media)} items in {time.monotonic() - began:.0f} s.")
    return 0


def _all_wait(records: list[ItemRecord]) -> None:
    """Raises Failed unless every item waits for a decision."""
    lost = [record for record in records if record.status != "PENDING"]
    if lost:
        raise Failed("; ".join(f"{record.item.filename} is {record.status}: {record.reason or 'no reason'}" for record in lost))


def _media() -> list[Piece]:
    print("Fetching photos and a clip ...", flush=True)
    return prepare(default_cache() / "demo")


def free_ports() -> tuple[int, int]:
    """Two ports that nobody uses just now."""
    from infra.local.web import listen

    first, second = listen(), listen()
    ports = first.getsockname()[1], second.getsockname()[1]
    first.close()
    second.close()
    return ports


@contextmanager
def running(state: Path, port: int, aws_port: int) -> Iterator[Stack]:
    """The stack in this folder: the one that runs already, else a new one that ends with us."""
    from infra.cli.commands import down
    from infra.local import up

    if stack := read_stack(state):
        print(f"Using the stack that runs already in {state}.", flush=True)
        yield stack
        return
    print("Starting the stack ...", flush=True)
    up.detached(up.Wishes(state, port, aws_port, quiet=True))
    found = read_stack(state)
    if found is None:
        raise Failed(f"the stack ended at once; see {state / 'logs'}")
    try:
        yield found
    finally:
        down.stop(state)


def send(target: Deployed, stack: Stack, media: list[Piece]) -> list[str]:
    """Upload everything as a contributor does; the keys."""
    print(f"Uploading {len(media)} files as {CONTRIBUTOR} ...", flush=True)
    return [visitor.upload(stack.site, piece.path, piece.album, CONTRIBUTOR) for piece in media]


def settled(target: Deployed, keys: list[str]) -> list[ItemRecord]:
    """The items of these keys, once each waits for a person or has ended."""

    def look() -> list[ItemRecord]:
        found = [record for record in target.catalog.items.newest(limit=200) if record.key in keys]
        still = [record for record in found if record.status in MOVING]
        return found if len(found) == len(keys) and not still else []

    return sorted(until("the uploads to be prepared", look), key=lambda record: keys.index(record.key))


def approve(wanted: list[str], mails: Mailbox) -> None:
    """Follow every mailed link and approve what it shows, until all `wanted` are approved."""
    opened: set[str] = set()
    left = set(wanted)

    def work() -> bool:
        for mail in mails.mails():
            if mail.id in opened or not visitor.LINK.search(mail.text):
                continue
            opened.add(mail.id)
            print(f"Opening the mail “{mail.subject}” ...", flush=True)
            approver = visitor.Approver.from_mail(mail.text)
            for item in approver.open():
                if item in left:
                    approver.decide(item, "approve")
                    left.discard(item)
        return not left

    until("the mails to the approver", work)


def published(target: Deployed, item: str) -> ItemRecord:
    def look() -> ItemRecord | None:
        record = target.catalog.items.get(item)
        if record.status in ("FAILED", "REJECTED", "EXPIRED"):
            raise Failed(f"{record.item.filename} was approved and is {record.status}: {record.reason}")
        return record if record.status == "PUBLISHED" else None

    return until("the publication", look)


def until(what: str, look: Callable[[], T | None]) -> T:
    """Look until there is something; raises Failed when there is nothing for too long."""
    deadline, pause = time.monotonic() + PATIENCE, threading.Event()
    while time.monotonic() < deadline:
        if found := look():
            return found
        pause.wait(0.2)
    raise Failed(f"waited {PATIENCE:.0f} s in vain for {what}")


def _report(records: list[ItemRecord]) -> None:
    for record in records:
        print(f"  {record.status:<11} {record.item.filename}" + (f"  ({record.reason})" if record.reason else ""))


def _show(record: ItemRecord, stack: Stack) -> None:
    """Fetch a published item's page and one of its files, as a visitor does, and say where they are."""
    assert record.publication is not None  # a PUBLISHED item has one
    address = f"{stack.site}{record.publication.url}"

    def look() -> visitor.Answer | None:
        page = visitor.ask(address)
        return page if page.status == 200 else None

    page = until(f"the page {address}", look).body.decode()
    file = next(iter(_files(page)), "")
    answer = visitor.ask(stack.site + file) if file else None
    if answer is None or answer.status != 200 or not answer.body:
        raise Failed(f"{address} shows no file that can be fetched")
    print(f"  PUBLISHED   {record.item.filename:<28} {address}  ({file.rsplit('/', 1)[-1]}, {len(answer.body)} bytes)")


def _files(page: str) -> list[str]:
    """Addresses of published files on a page."""
    return re.findall(r"/media/[^\"'\s,<>)]+", page)


def _keep_logs(folder: Path) -> None:
    sys.stderr.write(f"demo: what the processes said is kept in {folder / 'logs'}\n")


if __name__ == "__main__":
    sys.exit(main())
