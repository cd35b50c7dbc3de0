"""Facts for pages: cards of every kind, with names that nobody should have to trust."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.core.models.publication import Album, Card, PublicFile
from tasks.site import Site

WIDTHS = (320, 640, 1280, 2048)
PLACEHOLDER = "data:image/webp;base64,UklGRiIAAABXRUJQVlA4"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "عيد \u202eميلاد",
    "😀🏳️‍🌈 100% + a&b=c #x ?y",
    "../../etc/passwd",
    "a" * 400,
)


def pictures(id: str) -> tuple[PublicFile, ...]:
    return tuple(
        PublicFile(f"{width}w", f"media/{id}/abc-{width}w.{ending}", format, f"image/{format}", width, width * 3 // 4, width * 90)
        for width in WIDTHS
        for format, ending in (("webp", "webp"), ("jpeg", "jpg"))
    )


def films(id: str) -> tuple[PublicFile, ...]:
    return (
        PublicFile("video", f"media/{id}/abc-video.mp4", "mp4", "video/mp4", 1920, 1080, 4_200_000),
        PublicFile("preview", f"media/{id}/abc-preview.mp4", "mp4", "video/mp4", 480, 270, 80_000),
    )


def make_card(number: int = 1, kind: str = "image", **more: Any) -> Card:
    """A published item; its id says its number."""
    id = "".join("abcdefghij"[int(digit)] for digit in f"{number:020}")
    files = {"image": pictures(id), "video": pictures(id) + films(id)}.get(kind) or (
        PublicFile("file", f"media/{id}/abc-file.pdf", "pdf", "application/pdf", 0, 0, 482_113),
    )
    facts: dict[str, Any] = {
        "id": id,
        "kind": kind,
        "title": f"Title {number}",
        "album": "summer",
        "album_title": "Summer",
        "sequence": number,
        "url": f"/items/{id}/",
        "contributor": "Ada",
        "taken_at": "2026-06-21T18:42:00+02:00",
        "published_at": "2026-11-21T21:40:26Z",
        "width": 0 if kind == "document" else 4000,
        "height": 0 if kind == "document" else 3000,
        "duration": 754.2 if kind == "video" else 0.0,
        "placeholder": "" if kind == "document" else PLACEHOLDER,
        "labels": ("Cat", "Green Grass"),
        "files": files,
        "bytes": 482_113,
        "format": {"image": "jpeg", "video": "mp4"}.get(kind, "pdf"),
    }
    return Card(**{**facts, **more})


def make_album(count: int = 3, **more: Any) -> Album:
    facts: dict[str, Any] = {
        "slug": "summer",
        "title": "Summer",
        "count": count,
        "updated_at": "2026-11-21T21:40:26Z",
        "cover": make_card(count),
    }
    return Album(**{**facts, **more})


@pytest.fixture
def site() -> Site:
    return Site("Our gallery", "https://gallery.example")


@pytest.fixture
def card() -> Any:
    """`card(number, kind, **facts)` makes one."""
    return make_card


@pytest.fixture
def album() -> Any:
    """`album(count, **facts)` makes one."""
    return make_album


@pytest.fixture(params=HOSTILE, ids=lambda text: text[:20].encode("ascii", "replace").decode())
def hostile(request: pytest.FixtureRequest) -> str:
    """A name as somebody may type it into the upload page."""
    return str(request.param)
