"""DynamoDB tables with plain dicts as rows: conditional writes, transactions across tables, and queries that read on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tasks.core.aws.attributes import Row, expression_parts, pack, pack_row, unpack_row
from tasks.core.errors import error_code

if TYPE_CHECKING:
    from tasks.core.aws.session import Aws


@dataclass(frozen=True)
class Write:
    """One write: puts `row` whole, or changes it (`update`), deletes it (`delete`) or only checks it (`check`) by its pk and sk.

    In `condition` and `update`, `#name` is the attribute `name`; `:name` is `values["name"]`. `table` names the table that it is
    about; "" is the one that carries it out.
    """

    row: Row
    condition: str = ""
    values: Row = field(default_factory=dict)
    update: str = ""
    delete: bool = False
    check: bool = False
    table: str = ""

    def request(self, table: str) -> tuple[str, dict[str, Any]]:
        """DynamoDB's name for this kind of write, and its members; `table` is for a write that names none."""
        table = self.table or table
        key = {name: pack(self.row[name]) for name in ("pk", "sk")}
        parts = expression_parts({"ConditionExpression": self.condition, "UpdateExpression": self.update}, self.values)
        if self.update:
            return "Update", {"TableName": table, "Key": key, **parts}
        if self.delete or self.check:
            return "Delete" if self.delete else "ConditionCheck", {"TableName": table, "Key": key, **parts}
        return "Put", {"TableName": table, "Item": pack_row(self.row), **parts}


class Table:
    """One DynamoDB table, with rows as plain dicts; tasks/catalog gives them meaning."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        self.name = name

    @property
    def client(self) -> Any:
        return self._aws.client("dynamodb")

    def here(self, write: Write) -> Write:
        """The write for a transaction that another table may carry out."""
        return replace(write, table=self.name)

    def get(self, pk: str, sk: str) -> Row | None:
        """One row, read consistently; None when it isn't there."""
        found = self.client.get_item(TableName=self.name, Key={"pk": pack(pk), "sk": pack(sk)}, ConsistentRead=True)
        return unpack_row(found["Item"]) if "Item" in found else None

    def get_many(self, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Row]:
        """The rows of these (pk, sk) that exist, each read once, consistently, a hundred a call."""
        rows: dict[tuple[str, str], Row] = {}
        rest = [{"pk": pack(pk), "sk": pack(sk)} for pk, sk in dict.fromkeys(keys)]
        while rest:
            wanted = {self.name: {"Keys": rest[:100], "ConsistentRead": True}}
            answer = self.client.batch_get_item(RequestItems=wanted)
            found = [unpack_row(row) for row in answer.get("Responses", {}).get(self.name, [])]
            rows.update({(row["pk"], row["sk"]): row for row in found})
            rest = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", []) + rest[100:]
        return rows

    def write(self, write: Write) -> bool:
        """Do one write; False when its condition does not hold."""
        kind, members = write.request(self.name)
        call = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}[kind]
        try:
            getattr(self.client, call)(**members)
        except Exception as fault:
            if error_code(fault) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def put(self, row: Row, condition: str = "", **values: Any) -> bool:
        """Write a whole row (with its pk and sk); False when the condition does not hold."""
        return self.write(Write(row, condition, values))

    def update(self, pk: str, sk: str, update: str, condition: str = "", **values: Any) -> bool:
        """Change a row's attributes by an update expression; False when the condition does not hold."""
        return self.write(Write({"pk": pk, "sk": sk}, condition, values, update=update))

    def delete(self, pk: str, sk: str, condition: str = "", **values: Any) -> bool:
        """Delete a row (an absent one is no error); False when the condition does not hold."""
        return self.write(Write({"pk": pk, "sk": sk}, condition, values, delete=True))

    def transact(self, writes: list[Write]) -> list[str]:
        """All of at most 100 writes or none: [] when done, else a code for each write, "None" for those that were fine.

        Each write may be about another table.
        ConditionalCheckFailed: a condition does not hold. TransactionConflict: another write was at the same row: try again.
        """
        requests = [dict([write.request(self.name)]) for write in writes]
        try:
            self.client.transact_write_items(TransactItems=requests)
        except Exception as fault:
            if error_code(fault) == "TransactionCanceledException":
                reasons = getattr(fault, "response", {}).get("CancellationReasons", [])
                return [str(reason.get("Code", "None")) for reason in reasons]
            raise
        return []

    def query(
        self, pk: str, key: str = "", *, forward: bool = True, index: str = "", page: int = 0, **values: Any
    ) -> Iterator[Row]:
        """A partition's rows in the order of their sort key; `key` is a condition on it (`begins_with(#sk, :start)`).

        Reads on, `page` rows a call, for as long as the caller takes more. `index` names a GSI (gsi1pk, eventually consistent).
        """
        partition = "#gsi1pk = :pk" if index else "#pk = :pk"
        parts = expression_parts({"KeyConditionExpression": f"{partition} AND {key}" if key else partition}, {"pk": pk, **values})
        where: dict[str, Any] = {"IndexName": index} if index else {"ConsistentRead": True}
        limit = {"Limit": page} if page else {}
        start: dict[str, Any] = {}
        while True:
            answer = self.client.query(TableName=self.name, ScanIndexForward=forward, **parts, **where, **limit, **start)
            yield from (unpack_row(row) for row in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
