"""ReceiveUpload: an object arrived in the inbox; pin its version, make its item, start its execution.

S3 announces objects at least once and in any order. The item's id derives from the pinned version, its row is written
conditionally and its execution has a name, so whatever is repeated, late or interrupted ends in one item and one execution.
"""

from __future__ import annotations

from collections import Counter

from tasks.catalog import Catalog
from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.logs import log
from tasks.core.queues import Message, queue_handler
from tasks.lifecycle.admission import Received, receive_one
from tasks.lifecycle.announced import Announced


def receive_upload(messages: list[Message], *, store: Store, catalog: Catalog, machine: Machine) -> list[str]:
    """Admit each announced upload; returns the ids of the messages to deliver again."""
    again: list[str] = []
    received: Counter[Received] = Counter()
    for message in messages:
        try:
            received[receive_one(Announced.parse(message.body), store, catalog, machine)] += 1
        except Exception:  # the others in the batch must not wait for this one; the queue brings it back, and at last to its DLQ
            log.exception("upload not received", extra={"message_id": message.id})
            again.append(message.id)
    log.info("received", extra={"received": dict(received)})
    return again


handler = queue_handler(receive_upload)
