"""The digest: one mail to one approver about everything that waits, with a contact sheet and one personal link.

The link's secret and the code stand in this mail and nowhere else. Pictures travel inside the mail, so that opening it
tells nobody anything, and the link carries `ses:no-track`: SES would otherwise rewrite it where click tracking is on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tasks.core import text
from tasks.core.models.renditions import Kind
from tasks.mail.message import Envelope, Picture, message, templates

# Beyond these, mail programs cut the message (Gmail at 102 kB of HTML) and phones load for long.
PICTURES = 48
KINDS = {"image": ("photo", "photos"), "video": ("video", "videos"), "document": ("file", "files")}


@dataclass(frozen=True)
class Entry:
    """One waiting item as the mail shows it. `tile` is the JPEG of tasks.mail.tiles, blurred already where sensitive."""

    id: str
    title: str
    kind: Kind
    format: str
    album: str
    contributor: str
    tile: bytes = field(repr=False)
    size: int = 0  # of the original, in bytes
    width: int = 0
    height: int = 0
    duration: float = 0.0
    live: bool = False  # a Live Photo, its film included
    labels: tuple[str, ...] = ()
    moderation: tuple[str, ...] = ()
    similar: str = ""  # title of another item that looks almost the same

    @property
    def facts(self) -> str:
        """One line: what it is and how much."""
        shape = f"{self.width} × {self.height}" if self.width and self.height else ""
        runs = text.playing_time(self.duration) if self.duration else ""
        parts = ("Live Photo" if self.live else "", self.format.upper(), shape, runs, text.size(self.size))
        # Lines break between facts, never inside one.
        return " · ".join(part.replace(" ", "\u00a0") for part in parts if part)


@dataclass(frozen=True)
class Digest:
    """All that one mail says. `code` is empty where no code is ever asked for."""

    envelope: Envelope
    url: str = field(repr=False)
    code: str = field(repr=False)
    expires_at: datetime
    entries: tuple[Entry, ...]
    code_always: bool = False


def digest(facts: Digest) -> bytes:
    """The mail as MIME: plain text, HTML, and a picture for each of the first items."""
    shown = facts.entries[:PICTURES]
    values = {
        "title": facts.envelope.title,
        "headline": f"{_headline(facts)} waiting for you",
        "where": _where(facts),
        "url": facts.url,
        "button": f"Review {text.plural(len(facts.entries), 'item')}",
        "code": f"{facts.code[:3]} {facts.code[3:]}" if facts.code else "",
        "code_always": facts.code_always,
        "until": text.utc_weekday(facts.expires_at),
        "remaining": text.roughly((facts.expires_at - facts.envelope.sent_at).total_seconds()),
        "rows": [shown[start : start + 2] for start in range(0, len(shown), 2)],
        "entries": facts.entries,
        "more": len(facts.entries) - len(shown),
    }
    pictures = [Picture(f"{entry.id}@{facts.envelope.host}", entry.tile) for entry in shown]
    return message(
        facts.envelope,
        subject=f"To review: {tally(entry.kind for entry in facts.entries)} ({_where(facts)})",
        text=templates().get_template("digest.txt").render(values),
        html=templates()
        .get_template("digest.html")
        .render(values, cids={entry.id: p.cid for entry, p in zip(shown, pictures, strict=True)}),
        pictures=pictures,
    )


def tally(kinds: Iterable[str]) -> str:
    """What is waiting: "2 photos, 1 video and 1 file"."""
    counted = list(kinds)
    return text.listed(text.plural(counted.count(kind), *KINDS[kind]) for kind in KINDS if kind in counted)


def _headline(facts: Digest) -> str:
    verb = "is" if len(facts.entries) == 1 else "are"
    return f"{tally(entry.kind for entry in facts.entries)} {verb}"


def _where(facts: Digest) -> str:
    """The albums, as many as fit a line."""
    albums = list(dict.fromkeys(entry.album for entry in facts.entries))
    return text.listed(albums[:2] + ([f"{len(albums) - 2} more"] if len(albums) > 2 else []))
