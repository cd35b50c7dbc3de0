"""The media tasks' bench: their settings, a catalog that only remembers, and the first of them."""

from __future__ import annotations

from tasks.core.aws.s3 import Store
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.renditions import Thumbnails
from tasks.core.settings import Settings
from tasks.make_thumbnails import MakeThumbnailsRequest, make_thumbnails
from tasks.validate_media import ValidateMediaRequest, validate_media

BUCKETS = {f"{name}_bucket": name for name in ("inbox", "work", "site", "audit")}
SETTINGS = Settings(**BUCKETS, catalog_table="catalog", reviews_table="reviews", site_url_parameter="/site", segment_seconds=1)


class Ledger:
    """A catalog that remembers what it was told."""

    def __init__(self) -> None:
        self.items = self
        self.marks: list[tuple[str, str, int, Media | None]] = []
        self.places: dict[str, str] = {}

    def mark(self, id: str, status: str, *, attempt: int, media: Media | None = None) -> bool:
        self.marks.append((id, status, attempt, media))
        return True

    def note_place(self, id: str, place: str) -> None:
        self.places[id] = place


def validated(store: Store, item: Item, settings: Settings = SETTINGS) -> Media:
    return validate_media(ValidateMediaRequest(item), store=store, catalog=Ledger(), settings=settings)


def thumbnailed(store: Store, item: Item, media: Media) -> Media:
    """What today's definition gets of MakeThumbnails."""
    made = make_thumbnails(MakeThumbnailsRequest(item, media, version=2), store=store, settings=SETTINGS)
    assert isinstance(made, Media)
    return made


def thumbnails(store: Store, item: Item, media: Media) -> Thumbnails:
    """The same, of what can be shown."""
    made = thumbnailed(store, item, media).thumbnails
    assert made is not None
    return made
