"""What outlives the code that wrote it says the version of its shape: old values become today's, newer ones are refused.

A value without a version is of version 1, from before there were any. To change a shape, add a step to it, which makes today's
of the version before: steps run one after the other when a value is read, and what is stored stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.core.errors import Newer

VERSION = "v"  # the name under which a value has its version
FIRST = 1
SCHEMA = "greenroom/execution/"

Values = dict[str, Any]
Step = Callable[[Values], Values]


@dataclass(frozen=True)
class Shape:
    """One kind of stored value. `steps[0]` makes version 2 of version 1, and so on; `what` is how a fault names it."""

    what: str
    steps: tuple[Step, ...] = ()

    @property
    def version(self) -> int:
        """Today's."""
        return FIRST + len(self.steps)

    def stamped(self, values: Values) -> Values:
        """Values as they are stored: with today's version, or with their own where they say one."""
        return {VERSION: self.version, **values}

    def read(self, stored: Values) -> Values:
        """Stored values in today's shape, without their version; raises Newer."""
        values = {name: value for name, value in stored.items() if name != VERSION}
        return self.since(stored.get(VERSION, FIRST), values)

    def since(self, version: int, values: Values) -> Values:
        """Values of that version in today's shape; raises Newer."""
        self.check(version)
        for step in self.steps[version - FIRST :]:
            values = step(values)
        return values

    def check(self, version: int) -> None:
        """Raises Newer for a version that is not known here."""
        if version > self.version:
            raise Newer(
                f"{self.what} is of version {version}, and this Greenroom knows versions up to {self.version}: "
                "a newer Greenroom made it; update this one"
            )


def _prepared_in_media(payload: Values) -> Values:
    """Before decision 0018 `prepared` stood beside `media`: thumbnails with their verdict, and the recognition."""
    if not payload.get("prepared"):
        return payload
    found = dict(payload["prepared"])
    seen = found.pop("recognition", None)
    rest = {name: value for name, value in payload.items() if name != "prepared"}
    return {**rest, "media": {**payload["media"], "thumbnails": found, "recognition": seen}}


ROW = Shape("a row of the catalog")
FACT = Shape("a fact in the catalog")  # JSON in one attribute of a row, which may be older than it
EXECUTION = Shape("what an execution passes on")
RECORD = Shape("the record of an execution")
EVERY = {"row": ROW, "fact": FACT, "execution": EXECUTION, "record": RECORD}


def begun(payload: Values) -> Values:
    """The input that an execution is started with: its item says the version, for every state passes the item on."""
    return {**payload, "item": EXECUTION.stamped(payload["item"])}


def payload(event: Any) -> Any:
    """What a state passes on, in today's shape; `item.v` has the version of the code that began the execution. Raises Newer."""
    if not isinstance(event, dict) or not isinstance(event.get("item"), dict):
        return event
    item = dict(event["item"])
    # On AWS an execution keeps its definition for as long as it runs, two weeks while nobody decides, and an update replaces code
    # and definition one after the other: `item.v` says who began it, what it passes says which definition it has.
    return _prepared_in_media(EXECUTION.since(item.pop(VERSION, FIRST), {**event, "item": item}))


def schema() -> str:
    """How a record says its version: `greenroom/execution/1`."""
    return f"{SCHEMA}{RECORD.version}"


def record(kept: Values) -> Values:
    """An archived record in today's shape; raises Newer."""
    return {**RECORD.since(int(kept["schema"].removeprefix(SCHEMA)), kept), "schema": schema()}
