"""The story of an item as `greenroom audit` tells it: archived executions in, lines that a person can read out.

Reads histories in AWS's shape, and the emulator's, which have no events inside Parallel branches and no previousEventId.
Pure: a record in, words out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from tasks.core.text import elapsed
from tasks.lifecycle.timeline_words import after, shown, text_of, who

Event = dict[str, Any]
FAILURES = ("Failed", "TimedOut", "Aborted", "SubmitFailed", "StartFailed", "ScheduleFailed")


@dataclass(frozen=True)
class Line:
    """One step. `at` is when it began (ISO 8601); `seconds` how long it took, None while it has not ended."""

    at: str
    step: str
    text: str
    seconds: float | None = None
    attempt: int = 0


@dataclass
class _Visit:
    """One stay in one state: entered, perhaps with failed tries, perhaps left."""

    name: str
    kind: str
    entered: str
    left: str = ""
    output: Any = None
    failures: list[str] = field(default_factory=list)


def timeline(record: dict[str, Any]) -> list[Line]:
    """The lines of one archived execution (ArchiveHistory's record), in the order in which its steps began."""
    attempt = int(record.get("attempt") or 0)
    opened = Line(_time(record.get("started")), "Execution", f"{record['execution']} began", attempt=attempt)
    steps = [_line(visit, record, attempt) for visit in visits(record.get("events", [])) if _told(visit)]
    return [opened, *steps, _end(record, attempt)]


def visits(events: list[Event]) -> list[_Visit]:
    """Every stay in a state, in the order of entering."""
    by_id = {event["id"]: event for event in events}
    found: dict[int, _Visit] = {}
    for event in events:
        kind = event["type"]
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            found[event["id"]] = _Visit(details["name"], kind.removesuffix("StateEntered"), _time(event["timestamp"]))
        elif kind.endswith("StateExited"):
            details = event["stateExitedEventDetails"]
            _leave(_open(event, by_id, found, details["name"]), event, details.get("output"))
        elif kind.endswith(FAILURES) and not kind.startswith("Execution") and (visit := _open(event, by_id, found, "")):
            visit.failures.append(failure(event))
    return list(found.values())


def _leave(visit: _Visit | None, event: Event, output: str | None) -> None:
    if visit:
        visit.left, visit.output = _time(event["timestamp"]), _json(output)


def _open(event: Event, by_id: dict[int, Event], found: dict[int, _Visit], name: str) -> _Visit | None:
    """The stay that an event belongs to: by the chain of previous events where there is one, else the latest that is open."""
    at = by_id.get(event.get("previousEventId", 0))
    while at:
        visit = found.get(at["id"])
        if visit and not visit.left and name in ("", visit.name):
            return visit
        at = by_id.get(at.get("previousEventId", 0))
    open_ones = [visit for visit in found.values() if not visit.left and name in ("", visit.name)]
    return open_ones[-1] if open_ones else None


def failure(event: Event) -> str:
    """What a failed try says: its error and its message, in one line."""
    details: dict[str, Any] = next((part for name, part in event.items() if name.endswith("EventDetails")), {})
    return text_of(details.get("error") or event["type"], details.get("cause") or "")


def _told(visit: _Visit) -> bool:
    """Choices decide nothing by themselves; Pass states of before decision 0018 only moved a fact: their neighbours tell it."""
    return visit.kind not in ("Choice", "Pass", "Succeed") or visit.name == "RejectByPolicy" or bool(visit.failures)


def _line(visit: _Visit, record: dict[str, Any], attempt: int) -> Line:
    words = after(visit.name, visit.output, record) if visit.left else "not finished"
    if visit.failures:
        count = len(visit.failures)
        tries = "one failed try" if count == 1 else f"{count} failed tries"
        words += f" ({'after ' if visit.left else ''}{tries}: {visit.failures[-1]})"
    return Line(visit.entered, visit.name, words, _seconds(visit.entered, visit.left), attempt)


def _end(record: dict[str, Any], attempt: int) -> Line:
    """How the execution ended, and in which of its ends."""
    status = str(record.get("status", ""))
    ends = [visit.name for visit in visits(record.get("events", [])) if visit.kind == "Succeed"]
    text = f"{status} in {ends[-1]}" if ends else status
    if record.get("error"):
        text += f": {text_of(record['error'], record.get('cause') or '')}"
    began, ended = _time(record.get("started")), _time(record.get("ended"))
    return Line(ended or began, "Execution", text, _seconds(began, ended), attempt)


def story(records: Iterable[dict[str, Any]], item: dict[str, Any] | None = None) -> dict[str, Any]:
    """All that is known of an item as one JSON object: {item, status, lines, decision, stands}.

    `records` are its archived executions, first attempt first; `item` is what `greenroom show --json` prints, if it is known.
    """
    found = list(records)
    decision = next((record["decision"] for record in reversed(found) if record.get("decision")), None)
    lines = [asdict(line) for record in found for line in timeline(record)]
    return {
        "item": item["id"] if item else next((record["item"] for record in found), ""),
        "status": item["status"] if item else "",
        "received": shown(item) if item else "",
        "decision": decision,
        "decided": who(decision) if decision else "",
        "stands": stands(item) if item else "",
        "lines": lines,
    }


def stands(item: dict[str, Any]) -> str:
    """Where an item stands now, in one line."""
    where = (item.get("publication") or {}).get("url", "")
    parts = [item["status"], where if item["status"] == "PUBLISHED" else "", item.get("reason", "")]
    return ": ".join(part for part in parts if part)


def as_lines(told: dict[str, Any]) -> list[str]:
    """A story for people: a line a step with its time, its duration and what happened. Names are as strangers wrote them."""
    lines = [Line(**line) for line in told["lines"]]
    wide = max((len(line.step) for line in lines), default=0)
    out = [f"{told['item']}  {told['received']}".rstrip()]
    day = ""
    for line in lines:
        if line.at[:10] != day:
            day = line.at[:10]
            out += ["", day]
        took = elapsed(line.seconds) if line.seconds is not None else ""
        out.append(f"  {line.at[11:23]:<12}  {line.step:<{wide}}  {took:>9}  {line.text}".rstrip())
    out.append("")
    out += [f"Decision: {told['decided']}"] if told["decided"] else []
    out += [f"Stands:   {told['stands']}"] if told["stands"] else []
    return out


def _json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _time(value: Any) -> str:
    """ISO 8601 with milliseconds, whatever precision the history has."""
    text = str(value or "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _seconds(began: str, ended: str) -> float | None:
    try:
        return round((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds(), 3)
    except ValueError:
        return None
