"""MarkFailed: an execution ended without an outcome; the item says so, and the operator hears of it in plain words."""

from __future__ import annotations

from typing import Any

from tasks.catalog import Catalog
from tasks.core.aws.ses import Mailer
from tasks.core.entrypoint import lambda_handler
from tasks.core.executions import LOST, Ended
from tasks.core.settings import Settings
from tasks.lifecycle.failure import HAPPENED, report_failure


def mark_failed(event: dict[str, Any], *, catalog: Catalog, mailer: Mailer, settings: Settings) -> None:
    """Take one "Step Functions Execution Status Change" event: FAILED, TIMED_OUT or ABORTED.

    An execution that was lost with its engine is left to the sweeper, which starts another.
    """
    ended = Ended.parse(event)
    if ended.status in HAPPENED and ended.error != LOST and ended.item:
        report_failure(ended, catalog, mailer, settings)


handler = lambda_handler(mark_failed)
