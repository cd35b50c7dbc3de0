"""Sweep: compares inbox, catalog and executions, and mends what fell between them; on a schedule, and when the stack starts.

EventBridge drops an event after a day of retries, an engine may die with its executions, a decision's last call may fail:
no upload is lost for that. Each sweep reads a bounded stretch of the inbox and goes on there the next time. What waits comes
first, the inbox last, and each row is on its own: one that cannot be mended is logged and counted, and holds up no other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from tasks.catalog import Catalog, Reviews, UnreadableUpload
from tasks.core.aws.s3 import Head, Store
from tasks.core.aws.ses import Mailer
from tasks.core.aws.stepfunctions import Machine
from tasks.core.clock import iso, utc_now
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import NotFound, Unreadable
from tasks.core.logs import log
from tasks.core.models.record import ItemRecord
from tasks.core.settings import Settings
from tasks.core.text import plural
from tasks.lifecycle.admission import admit, id_of, kind_of, note_unreadable
from tasks.lifecycle.operator import tell_operator
from tasks.lifecycle.recovery import RUNS, WAITING, Recovery, stranded

T = TypeVar("T")
R = TypeVar("R")

ITEMS_A_SWEEP = 5_000
# Of more that cannot be read, each sweep looks at some, chosen by chance: all have their turn.
LOOKS_A_SWEEP = 500
NAMED_IN_A_MAIL = 20


@dataclass(frozen=True)
class SweepRequest:
    """Younger than `grace_seconds` may still be on its way by itself. The stack's start asks with 0."""

    grace_seconds: int = 120
    versions: int = 5_000  # of the inbox, that one sweep reads


@dataclass(frozen=True)
class Swept:
    """What one sweep looked at, and what it did."""

    versions: int = 0
    left_out: int = 0  # by-products, sidecars and folders' markers among them
    unfinished: int = 0
    admitted: int = 0  # versions that had no item
    started: int = 0  # items whose execution had never begun
    restarted: int = 0  # lost executions that got another attempt
    failed: int = 0  # items that had failed unnoticed, or have used up their attempts
    answered: int = 0  # decisions told to Step Functions again
    unreadable: int = 0  # versions that S3 does not let Greenroom read
    faults: int = 0  # rows whose mending failed; the log says why, and the next sweep tries again


def sweep(
    request: SweepRequest,
    *,
    store: Store,
    catalog: Catalog,
    reviews: Reviews,
    machine: Machine,
    mailer: Mailer,
    settings: Settings,
) -> Swept:
    """Mend and count."""
    before = iso(utc_now() - timedelta(seconds=request.grace_seconds))
    each = Each()
    unfinished = list(settled_items(catalog, before))
    recovery = Recovery(catalog, machine, mailer, settings, before)
    outcomes = each.of(stranded(unfinished, machine), recovery.mend)
    waiting = [record.id for record in unfinished if record.status in WAITING]
    answers = each.of(untold(waiting, reviews), lambda id: reviews.tell(id, machine))
    inbox, noted = Inbox(store, catalog, machine, settings.inbox_bucket), catalog.unreadable.all()
    versions, left_out, missing = inbox.read(before, request.versions, {upload.id for upload in noted})
    admitted = [*each.of(some_of(noted), inbox.look_again), *each.of(missing, inbox.admit)]
    unreadable = catalog.unreadable.all()
    each.of([unreadable], lambda uploads: tell_of_unreadable(uploads, catalog, mailer, settings))
    return Swept(
        versions=versions,
        left_out=left_out,
        unfinished=len(unfinished),
        admitted=sum(admitted),
        started=outcomes.count("started"),
        restarted=outcomes.count("restarted"),
        failed=outcomes.count("failed"),
        answered=sum(answers),
        unreadable=len(unreadable),
        faults=each.faults,
    )


@dataclass
class Each:
    """Does one thing to each of many, and counts those that failed."""

    faults: int = 0

    def of(self, rows: list[T], act: Callable[[T], R]) -> list[R]:
        """What came of those that went well."""
        results: list[R] = []
        for row in rows:
            try:
                results.append(act(row))
            except Exception:  # the others must not wait for this one; it is looked at again with the next sweep
                log.exception("not mended", extra={"row": repr(row)[:400]})
                self.faults += 1
        return results


@dataclass(frozen=True)
class Inbox:
    """Finds the versions that should be items and are none."""

    store: Store
    catalog: Catalog
    machine: Machine
    bucket: str

    def read(self, before: str, most: int, noted: set[str]) -> tuple[int, int, list[Head]]:
        """How many versions were looked at, how many of them are left out, and those that have no item and are not `noted`."""
        rows, onward = self.store.some_versions(self.bucket, self.catalog.bookmarks.get("inbox"), most)
        self.catalog.bookmarks.put("inbox", onward)
        uploads = [head for head in rows if kind_of(head) == "upload"]
        old = [head for head in uploads if head.last_modified <= before]
        ids = {id_of(head): head for head in old}
        settled = self.catalog.items.known(list(ids)) | noted
        return len(rows), len(rows) - len(uploads), [head for id, head in ids.items() if id not in settled]

    def admit(self, listed: Head) -> bool:
        """Make a version's item; False when it was there, is gone, or cannot be read, which is noted."""
        try:
            return admit(self.store.head(listed.location), self.catalog, self.machine)
        except NotFound:
            return False
        except Unreadable as fault:
            note_unreadable(UnreadableUpload(listed.location, listed.etag, fault.reason), self.catalog)
            return False

    def look_again(self, upload: UnreadableUpload) -> bool:
        """Admit it when somebody has mended it, forget it when it is gone."""
        try:
            admitted = admit(self.store.head(upload.location), self.catalog, self.machine)
        except NotFound:
            admitted = False
        except Unreadable:
            return False
        self.catalog.unreadable.forget(upload.id)
        return admitted


def some_of(uploads: list[UnreadableUpload]) -> list[UnreadableUpload]:
    """Those that this sweep looks at again."""
    return random.sample(uploads, min(len(uploads), LOOKS_A_SWEEP))


def tell_of_unreadable(uploads: list[UnreadableUpload], catalog: Catalog, mailer: Mailer, settings: Settings) -> None:
    """One mail that names those of which the operator has not heard, and none when there are no such."""
    new = [upload for upload in uploads if not upload.told]
    if not new:
        return
    what = f"{plural(len(new), 'upload')} cannot be read"
    tell_operator(what, letter(new), catalog, mailer, settings)
    for upload in new:
        catalog.unreadable.told(upload.id)


def letter(uploads: list[UnreadableUpload]) -> str:
    """The operator's mail. A key may hold anything: it is written as a Python string, with what cannot be seen escaped."""
    named = [
        f"  {upload.location.bucket} {upload.location.key!r}\n  version {upload.location.version or 'none'}\n  {upload.reason}\n"
        for upload in uploads[:NAMED_IN_A_MAIL]
    ]
    more = [f"  and {len(uploads) - NAMED_IN_A_MAIL} more\n"] if len(uploads) > NAMED_IN_A_MAIL else []
    return "\n".join(
        [
            "S3 has these objects in the inbox and does not let Greenroom read them, so they are no items:\n",
            *named,
            *more,
            "Each sweep looks again: what can be read becomes an item, what is deleted is forgotten. This is said once.\n",
        ]
    )


def settled_items(catalog: Catalog, before: str) -> Iterator[ItemRecord]:
    """Unfinished items that nobody touched since `before`."""
    for status in RUNS:
        yield from (record for record in catalog.items.newest(status, ITEMS_A_SWEEP) if record.updated_at <= before)


def untold(ids: list[str], reviews: Reviews) -> list[str]:
    """Those whose decision Step Functions has not taken yet."""
    return [id for id, review in reviews.reviews(ids).items() if review.decision and not review.answered] if ids else []


handler = lambda_handler(sweep)
