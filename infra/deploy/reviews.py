"""Gives the reviews of an earlier version's gallery their own table: once, with the rights of whoever deploys (decision 0021)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from tasks.core.clock import now

if TYPE_CHECKING:
    from tasks.catalog.review_table import ReviewTable
    from tasks.core.aws.attributes import Row

# A move is two writes, and DynamoDB takes a hundred at once.
MOVES_AT_ONCE = 50


def copy_approvers(table: ReviewTable) -> None:
    """Before the new functions: they have the list of approvers that the old ones go on reading. One that has begun stays."""
    from tasks.catalog.rows import approvers_count_key, approvers_pk, key_of

    if table.get(*approvers_count_key()) or table.all_moved():
        return
    # The count comes last: a list without one has not begun, and is copied again.
    for row in sorted(table.earlier.query(approvers_pk()), key=lambda row: key_of(row) == approvers_count_key()):
        table.put(row)


def move_all(table: ReviewTable) -> int:
    """After the new functions: move whatever is left and note it, so that nobody looks there again; how many rows were moved."""
    from tasks.catalog.rows import approvers_pk, is_review, key_of

    if table.all_moved():
        return 0
    moved, left = 0, filter(is_review, every_row(table))
    while rows := list(islice(left, MOVES_AT_ONCE)):
        _move(table, rows)
        moved += len(rows)
    for row in list(table.earlier.query(approvers_pk())):  # copied long since; nobody reads these any more
        table.earlier.delete(*key_of(row))
    table.note_all_moved(now())
    return moved


def _move(table: ReviewTable, rows: list[Row]) -> None:
    """All at once, or one after the other where somebody is at one of them; each as it then is."""
    from tasks.catalog.rows import key_of

    if not table.transact([write for row in rows for write in table.moving(row)]):
        return
    for key in map(key_of, rows):
        while old := table.earlier.get(*key):
            if table.transact(table.moving(old)) and table.get(*key):
                table.earlier.delete(*key)  # where both tables have one, the new one stands


def every_row(table: ReviewTable) -> Iterator[Row]:
    """Every row of the catalog's table. No function of Greenroom may scan."""
    from tasks.core.aws.attributes import unpack_row

    for page in table.earlier.client.get_paginator("scan").paginate(TableName=table.earlier.name, ConsistentRead=True):
        yield from map(unpack_row, page["Items"])
