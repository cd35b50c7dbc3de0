"""Where an item stands in the gallery, and what pages show of it."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.core.models.renditions import Kind


@dataclass(frozen=True)
class Publication:
    """Where an item stands in the gallery (`$.publication`)."""

    url: str  # path on the site: /items/<id>/
    album: str
    sequence: int  # 1 for an album's first; fixes its page
    page: int
    published_at: str


@dataclass(frozen=True)
class PublicFile:
    """One published file: `path` on the site, from the root."""

    name: str  # the rendition's name
    path: str
    format: str
    content_type: str
    width: int = 0
    height: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Card:
    """What a page shows of one published item: a row of an album's page."""

    id: str
    kind: Kind
    title: str  # the file's name without its ending
    album: str
    album_title: str
    sequence: int
    url: str  # /items/<id>/
    contributor: str
    taken_at: str
    published_at: str
    width: int
    height: int
    duration: float
    placeholder: str
    labels: tuple[str, ...] = ()
    files: tuple[PublicFile, ...] = ()
    bytes: int = 0
    format: str = ""
    sensitive: bool = False  # blurred until asked for


@dataclass(frozen=True)
class Album:
    """One album as the home page lists it. `count` is how many items were ever published to it: the last sequence number."""

    slug: str
    title: str
    count: int
    updated_at: str
    cover: Card | None = None
