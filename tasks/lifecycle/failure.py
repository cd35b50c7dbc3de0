"""Failure: an execution ended without an outcome; its item says so and lets its bytes go, and the operator hears of it."""

from __future__ import annotations

import json
import re

from tasks.catalog import Catalog
from tasks.core.aws.ses import Mailer
from tasks.core.errors import NotFound
from tasks.core.executions import Ended
from tasks.core.logs import log
from tasks.core.models.record import ItemRecord
from tasks.core.settings import Settings
from tasks.core.text import one_line
from tasks.lifecycle.operator import tell_operator
from tasks.lifecycle.withdrawal import release

LONGEST_REASON = 400
# The message inside a Lambda error, also where the emulator wrapped one such JSON in another and cut it off.
MESSAGE = re.compile(r'"errorMessage":\s*"((?:[^"\\]|\\.)*)')
WRAPPINGS = 3
HAPPENED = {
    "FAILED": "Its processing failed",
    "TIMED_OUT": "Its processing took too long and was ended",
    "ABORTED": "Its processing was stopped by somebody",
}


def report_failure(ended: Ended, catalog: Catalog, mailer: Mailer, settings: Settings) -> bool:
    """Mark the item FAILED and tell the operator; False when a newer attempt or an outcome makes it old news."""
    id, attempt = ended.item or ("", 0)
    try:
        record = _failed(id, attempt, why(ended), catalog)
    except NotFound:
        log.warning("execution of an unknown item", extra={"execution": ended.name})
        return False
    if record:
        tell_operator(f"Not finished: {record.item.filename}", letter(record, ended), catalog, mailer, settings)
    return record is not None


def give_up(unfinished: ItemRecord, catalog: Catalog, mailer: Mailer, settings: Settings) -> bool:
    """Mark an item FAILED that has used up its attempts and tell the operator; False when it is old news."""
    count = unfinished.attempt
    reason = f"given up after {count} attempt{'' if count == 1 else 's'}: none came to an end"
    record = _failed(unfinished.id, unfinished.attempt, reason, catalog)
    if record:
        body = f"{record.item.filename} (item {record.id}): {reason}.\n\nTo see what happened:\n\n  greenroom audit {record.id}\n"
        tell_operator(f"Given up: {record.item.filename}", body, catalog, mailer, settings)
    return record is not None


def _failed(id: str, attempt: int, reason: str, catalog: Catalog) -> ItemRecord | None:
    """The item, now FAILED; None when that is old news. Raises NotFound.

    It lets its bytes go, and its film's: who uploads them again is not told that they are a duplicate of what will not be shown.
    """
    if not catalog.items.mark(id, "FAILED", attempt=attempt, reason=reason):
        return None
    record = catalog.items.get(id)
    release(record, catalog)
    if record.film:
        release(catalog.items.get(record.film.item), catalog)
    return record


def why(ended: Ended) -> str:
    """What went wrong, in one line: Lambda hides its message in JSON."""
    message = ended.cause
    for _ in range(WRAPPINGS):
        if wrapped := MESSAGE.search(message):
            message = json.loads(f'"{wrapped[1]}"', strict=False)
    parts = [part for part in (HAPPENED[ended.status].lower(), ended.error, message.strip()) if part]
    return one_line(": ".join(parts), LONGEST_REASON)


def letter(record: ItemRecord, ended: Ended) -> str:
    """The operator's mail."""
    known = f"{record.item.filename}\n  album        {record.album_title}\n  contributor  {record.contributor or 'not named'}"
    film = f"\n  film         item {record.film.item}, the moving part of this Live Photo" if record.film else ""
    return f"""{HAPPENED[ended.status]}, and nothing of it is published:

  {known}
  item         {record.id}{film}
  attempt      {ended.name} ({ended.status}{f", {ended.error}" if ended.error else ""})

  {record.reason}

The original is safe in the inbox bucket ({record.bucket}/{record.key}).
To see every step that was taken:

  greenroom audit {record.id}
"""
