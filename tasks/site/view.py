"""How facts look on a page: addresses, widths, dates, and the words that stand for a picture. No HTML is made here."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from tasks.core import text
from tasks.core.models.publication import Album, Card, PublicFile

PLACEHOLDER = re.compile(r"data:image/(?:webp|jpeg|png|gif);base64,[A-Za-z0-9+/=]{1,4000}")
WEBP_HEADER = re.compile(r"data:image/webp;base64,([A-Za-z0-9+/]{28})")  # its first 21 bytes
# The height that a row of an album aims at, in CSS pixels: on a phone, and on anything wider. site.css says the same.
ROW_PHONE, ROW_WIDE = 110, 250
PHONE_WIDTH = 390
LARGEST_RATIO, SMALLEST_RATIO = 3.2, 0.45
NOUNS = {"image": "Photo", "video": "Video", "document": "File"}
PLAYED = ("audio/mpeg", "audio/mp4", "audio/aac", "audio/wav", "audio/ogg", "audio/webm", "audio/flac")


def address(path: str) -> str:
    """A path on the site from its root, percent-encoded."""
    return "/" + quote(path.lstrip("/"), safe="/")


def album_url(slug: str, page: int | None = None) -> str:
    """An album's newest page, or its page `page` (0 is the oldest), whose address never changes."""
    return f"/albums/{quote(slug, safe='')}/" + ("" if page is None else f"{page}/")


def card_url(card: Card) -> str:
    return address(card.url)


def search_url(query: str) -> str:
    return f"/search?q={quote(query, safe='')}"


def upload_url(album_title: str = "") -> str:
    return "/upload/" + (f"?album={quote(album_title, safe='')}" if album_title else "")


def of_format(card: Card, name: str) -> list[PublicFile]:
    """A card's pictures in one format (`webp`, `jpeg`), smallest first; never its video or its download."""
    found = [file for file in card.files if file.format == name and file.width and re.fullmatch(r"\d+w", file.name)]
    return sorted(found, key=lambda file: file.width)


def pictures(card: Card) -> list[PublicFile]:
    """What every browser shows: JPEG, or whatever the card has."""
    return of_format(card, "jpeg") or of_format(card, "webp") or of_format(card, "png")


def named(card: Card, name: str) -> PublicFile | None:
    """The file called `video`, `preview` or `file`; `motion` or `live` of a Live Photo."""
    return next((file for file in card.files if file.name == name), None)


def srcset(files: Iterable[PublicFile], most: int = 4096) -> str:
    """`/a 320w, /b 640w` for files up to `most` pixels wide."""
    return ", ".join(f"{address(file.path)} {file.width}w" for file in files if file.width <= most)


def fitting(files: list[PublicFile], width: int) -> PublicFile | None:
    """The smallest of `files` that is at least `width` wide, else the largest."""
    return next((file for file in files if file.width >= width), files[-1] if files else None)


def front(cards: Iterable[Card | None]) -> Card | None:
    """The first that may stand for all of them where nobody asked to see it."""
    return next((card for card in cards if card and not card.sensitive and pictures(card)), None)


def download(card: Card) -> PublicFile | None:
    """What a visitor takes home: the document or video itself, or the largest picture."""
    return named(card, "file") or named(card, "video") or next(reversed(pictures(card)), None)


def heard(card: Card) -> PublicFile | None:
    """The recording that a page plays; None where there is none, or browsers don't play its type."""
    file = named(card, "file")
    return file if file and file.content_type in PLAYED else None


def ratio(card: Card) -> float:
    """Width by height, within what a grid can show without becoming a line."""
    if not (card.width and card.height):
        return 1.5
    return round(min(max(card.width / card.height, SMALLEST_RATIO), LARGEST_RATIO), 4)


def sizes(card: Card) -> str:
    """How wide the grid shows it: rows stretch by up to a half, and browsers that know better use `auto`."""
    phone = min(100, round(ratio(card) * ROW_PHONE * 1.4 / PHONE_WIDTH * 100))
    return f"auto, (min-width: 45rem) {round(ratio(card) * ROW_WIDE * 1.2)}px, {phone}vw"


def placeholder(card: Card) -> str:
    """The tiny picture shown until the real one is there; "" when it is anything but an inline picture.

    And "" when it is see-through: it stays where it is, and would show as a blur around a picture that is see-through too.
    """
    return card.placeholder if PLACEHOLDER.fullmatch(card.placeholder) and not _see_through(card.placeholder) else ""


def _see_through(webp: str) -> bool:
    """Whether a WebP in a data: URI says in its extended header that it has an alpha channel (RFC 9649, section 2.7)."""
    begins = WEBP_HEADER.match(webp)
    head = base64.b64decode(begins[1]) if begins else bytes(21)
    return head[12:16] == b"VP8X" and bool(head[20] & 0x10)


def title(card: Card) -> str:
    """What the contributor called it, or what it is when it has no name."""
    return card.title.strip() or f"{NOUNS[card.kind]} {card.sequence}"


def alt(card: Card) -> str:
    """Words in place of the picture: what is in it, and its title."""
    seen = ", ".join(card.labels[:4])
    return f"{title(card)}: {seen}" if seen else title(card)


def description(card: Card) -> str:
    """One sentence for search engines and shared links."""
    by = f" by {card.contributor}" if card.contributor else ""
    seen = f": {', '.join(card.labels[:6])}" if card.labels else ""
    return f"{NOUNS[card.kind]}{by} in {card.album_title}{seen}."


def iso_duration(seconds: float) -> str:
    """As `<time datetime>` wants it: `PT754S`."""
    return f"PT{max(0, round(seconds))}S"


def moment(iso: str) -> datetime | None:
    """The time that `iso` states, or None when it states none."""
    try:
        return datetime.fromisoformat(iso)
    except ValueError:
        return None


def day(iso: str) -> str:
    """`21 November 2026`, or "" when `iso` is no time."""
    when = moment(iso)
    return text.day(when) if when else ""


def minute(iso: str) -> str:
    """`21 November 2026, 21:40`: the camera's own clock, without a guess at a zone."""
    when = moment(iso)
    return text.minute(when) if when else ""


def format_name(card: Card) -> str:
    """A document's type in a few capitals: `PDF`, `FILE` when nobody knows."""
    return re.sub(r"[^A-Za-z0-9]", "", card.format)[:5].upper() or "FILE"


@dataclass(frozen=True)
class Span:
    """Which of an album's sequence numbers a page shows."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first:,}" if self.first == self.last else f"{self.first:,}\u2013{self.last:,}"


def span(cards: list[Card]) -> Span | None:
    numbers = [card.sequence for card in cards]
    return Span(min(numbers), max(numbers)) if numbers else None


def newest(albums: list[Album]) -> str:
    """When anything was last added, as ISO 8601; "" for an empty gallery."""
    return max((album.updated_at for album in albums), default="")
