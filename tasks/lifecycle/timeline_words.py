"""What happened in a state, in words: each state's output said as a person would."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tasks.core.text import elapsed, one_line, plural, size

Facts = dict[str, Any]


def after(state: str, output: Any, record: Facts) -> str:
    """What became of one state. A state that this table does not know is simply done."""
    facts = output if isinstance(output, dict) else {}
    tell = TELLERS.get(state)
    return (tell(facts, record) if tell else "") or "done"


def _validated(facts: Facts, _: Facts) -> str:
    media = facts.get("media", {})
    if media.get("verdict") == "rejected":
        return f"rejected: {media.get('reason', '')}"
    taken = f"taken {media['taken_at']}" if media.get("taken_at") else ""
    duration = elapsed(media["duration"]) if media.get("duration") else ""
    parts = [
        media.get("kind"),
        media.get("format"),
        _shape(media),
        duration,
        _size(media),
        taken,
        media.get("camera"),
        media.get("note"),
    ]
    return ", ".join(part for part in parts if part)


def _converted(facts: Facts, _: Facts) -> str:
    media = facts.get("media", {})
    if media.get("verdict") == "rejected":
        return f"rejected: {media.get('reason', '')}"
    master = media.get("master") or {}
    parts = [f"master is {master['format']}" if master.get("format") else "", _shape(master), _size(master)]
    told = ", ".join(part for part in parts if part)
    return "; ".join(part for part in (told, _renditions(media.get("thumbnails"))) if part)


def _planned(facts: Facts, _: Facts) -> str:
    plan = facts.get("plan", {})
    if plan.get("reason"):
        return f"rejected: {plan['reason']}"
    return "the streams fit as they are" if plan.get("remux") else f"{_parts(plan.get('segments', []))} to encode"


def _parts(segments: list[Facts]) -> str:
    count = sum(not part.get("sound") for part in segments)
    return plural(count, "segment") + (" and the sound" if count < len(segments) else "")


def _transcoded(facts: Facts, _: Facts) -> str:
    results = facts.get("segments", [])
    broken = [part["reason"] for part in results if part.get("reason")]
    return f"{_parts(results)} encoded" + (f"; {len(broken)} broken: {broken[0]}" if broken else "")


def _segment(facts: Facts, _: Facts) -> str:
    name = "the sound" if facts.get("sound") else f"segment {facts.get('index', '?')}"
    return name + (f" broken: {facts['reason']}" if facts.get("reason") else "")


def _prepared(facts: Facts, _: Facts) -> str:
    """Of an execution that began before decision 0018, as those of its two branches."""
    prepared = facts.get("prepared", {})
    parts = [_thumbnails(prepared, {}), _recognized(prepared.get("recognition", {}), {})]
    return "; ".join(part for part in parts if part)


def _thumbnails(facts: Facts, _: Facts) -> str:
    media = facts.get("media", facts)
    if media.get("verdict") == "rejected":
        return f"rejected: {media.get('reason', '')}"
    return _renditions(media.get("thumbnails", facts))


def _renditions(thumbnails: Facts | None) -> str:
    names = [part["name"] for part in (thumbnails or {}).get("renditions", [])]
    return f"{plural(len(names), 'rendition')} ({', '.join(dict.fromkeys(names))})" if names else ""


def _recognized(facts: Facts, _: Facts) -> str:
    seen = facts.get("media", {}).get("recognition") or facts
    labels = [part["name"] for part in seen.get("labels", [])][:6]
    marks = [part["name"] for part in seen.get("moderation", [])]
    seen = f"sees {', '.join(labels)}" if labels else "sees nothing it can name"
    return seen + (f"; sensitive: {', '.join(marks)}" if marks else "")


def _decided(facts: Facts, record: Facts) -> str:
    decision = facts.get("decision")
    if not decision:
        return "nobody decided in time"
    return who({**decision, **(record.get("decision") or {})})


def _published(facts: Facts, _: Facts) -> str:
    made = facts.get("publication", {})
    return f"number {made['sequence']} in album {made['album']}, at {made['url']}" if made.get("url") else ""


def _rebuilt(facts: Facts, _: Facts) -> str:
    count = facts.get("pages", {}).get("written")
    return f"{plural(count, 'page')} written" if isinstance(count, int) else ""


def _quarantined(facts: Facts, _: Facts) -> str:
    return f"kept apart: {facts.get('media', {}).get('reason', '')}"


def _joined(facts: Facts, _: Facts) -> str:
    joined = facts.get("joined", {})
    if joined.get("outcome") == "wait":
        return f"no picture to go with yet; looks again in {joined.get('seconds', 0)} s"
    return f"goes with the picture {joined['picture']}" if joined.get("picture") else "no picture to go with: a video of its own"


TELLERS: dict[str, Callable[[Facts, Facts], str]] = {
    "ValidateMedia": _validated,
    "ClaimContent": lambda facts, record: "these bytes are claimed for this item",
    "ConvertImage": _converted,
    "DrawWaveform": _converted,
    "PlanVideo": _planned,
    "TranscodeSegments": _transcoded,
    "TranscodeSegment": _segment,
    "JoinVideo": _converted,
    "Prepare": _prepared,
    "MakeThumbnails": _thumbnails,
    "Recognize": _recognized,
    "RejectByPolicy": lambda facts, record: who(facts.get("decision") or {}),
    "WaitForPicture": lambda facts, record: "its picture may still be on its way",
    "JoinPicture": _joined,
    "AwaitApproval": _decided,
    "Expire": _decided,
    "Publish": _published,
    "RebuildIndexes": _rebuilt,
    "Discard": lambda facts, record: "renditions deleted; the original is kept until its retention ends",
    "Quarantine": _quarantined,
    "MarkDuplicate": lambda facts, record: "the same bytes arrived before",
}


def who(decision: Facts) -> str:
    """Who decided what, when and from where."""
    verdict = {"approve": "approved", "reject": "rejected", "expired": "expired"}.get(decision.get("verdict", ""), "decided")
    parts = [verdict]
    parts += [f"by {decision['approver']}"] if decision.get("approver") else []
    parts += [f"at {decision['decided_at']}"] if decision.get("decided_at") else []
    parts += [f"from {decision['address']}"] if decision.get("address") else []
    parts += [f"with {decision['agent']}"] if decision.get("agent") else []
    return " ".join(parts) + (f": {decision['reason']}" if decision.get("reason") else "")


def shown(item: Facts) -> str:
    """An item in one line: its file, album, contributor and arrival."""
    name = item["key"].rsplit("/", 1)[-1] or item["key"]
    by = f" from {item['contributor']}" if item.get("contributor") else ""
    return f"{name} for {item.get('album_title') or item.get('album', '')}{by}, received {item.get('received_at', '')}"


def text_of(error: str, cause: str) -> str:
    """An error in one line; Lambda hides its message in JSON."""
    try:
        found = json.loads(cause)
        cause = str(found.get("errorMessage", cause)) if isinstance(found, dict) else cause
    except ValueError:
        pass  # it is in plain words already
    cause = one_line(cause, 300)
    return f"{error}: {cause}" if cause else error


def _shape(facts: Facts) -> str:
    return f"{facts['width']}x{facts['height']}" if facts.get("width") and facts.get("height") else ""


def _size(facts: Facts) -> str:
    return size(facts["bytes"]) if facts.get("bytes") else ""
