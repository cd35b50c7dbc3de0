"""What happened in a state, in words: each state's output said as a person would."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

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
    duration = length(media["duration"]) if media.get("duration") else ""
    parts = [
        media.get("kind"),
        media.get("format"),
        _shape(media),
        duration,
        size(media.get("bytes")),
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
    parts = [f"master is {master['format']}" if master.get("format") else "", _shape(master), size(master.get("bytes"))]
    told = ", ".join(part for part in parts if part)
    return "; ".join(part for part in (told, _renditions(media.get("thumbnails"))) if part)


def _planned(facts: Facts, _: Facts) -> str:
    plan = facts.get("plan", {})
    if plan.get("reason"):
        return f"rejected: {plan['reason']}"
    return "the streams fit as they are" if plan.get("remux") else f"{_parts(plan.get('segments', []))} to encode"


def _parts(segments: list[Facts]) -> str:
    count = sum(not part.get("sound") for part in segments)
    return f"{count} segment{'' if count == 1 else 's'}" + (" and the sound" if count < len(segments) else "")


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
    count = f"{len(names)} rendition" + ("" if len(names) == 1 else "s")
    return f"{count} ({', '.join(dict.fromkeys(names))})" if names else ""


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
    pages = facts.get("pages")
    written = pages.get("written", pages.get("pages", pages.get("keys"))) if isinstance(pages, dict) else pages
    count = len(written) if isinstance(written, list) else written
    return f"{count} pages written" if isinstance(count, int) else "pages written"


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
    cause = " ".join(cause.split())
    return f"{error}: {cause[:300]}" if cause else error


def _shape(facts: Facts) -> str:
    return f"{facts['width']}x{facts['height']}" if facts.get("width") and facts.get("height") else ""


def size(count: Any) -> str:
    """Bytes for people; "" for none."""
    if not isinstance(count, int | float) or not count:
        return ""
    amount = float(count)
    for unit in ("bytes", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def length(seconds: float) -> str:
    """A duration for people: 0.41 s, 2 min 5 s, 3 h 20 min, 4 d 2 h."""
    if seconds < 60:
        return f"{seconds:.2f} s"
    whole = int(seconds)
    for big, big_name, small, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= big:
            return f"{whole // big} {big_name} {whole % big // small} {small_name}"
    return f"{whole // 60} min {whole % 60} s"
