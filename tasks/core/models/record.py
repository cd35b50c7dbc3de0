"""All that the catalog keeps of one item."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.core.models.digests import FilmDigest, ShownDigest, shown_digest
from tasks.core.models.item import Item, Status
from tasks.core.models.media import Media
from tasks.core.models.publication import Publication
from tasks.core.models.review import Decision, Film, Prepared


@dataclass(frozen=True)
class ItemRecord:
    """All that the catalog keeps of one item; `greenroom show --json` prints it."""

    id: str
    status: Status
    attempt: int
    bucket: str
    key: str
    version: str
    etag: str
    bytes: int
    album: str
    album_title: str
    contributor: str
    received_at: str
    updated_at: str
    reason: str = ""
    duplicate_of: str = ""  # the item that holds the same bytes, when DUPLICATE
    media: Media | None = None
    prepared: Prepared | None = None
    decision: Decision | None = None
    publication: Publication | None = None
    film: Film | None = None  # a Live Photo's, for as long as its picture has it

    @property
    def shown_digest(self) -> ShownDigest:
        """The digest of all that a person is shown of it: a decision is bound to it. "" before anything is."""
        film = self.film.sha256 if self.film else FilmDigest("")
        return shown_digest(self.prepared.sha256, film) if self.prepared else ShownDigest("")

    @property
    def item(self) -> Item:
        """What an execution of this item is started with."""
        return Item(
            id=self.id,
            attempt=self.attempt,
            bucket=self.bucket,
            key=self.key,
            version=self.version,
            etag=self.etag,
            bytes=self.bytes,
            album=self.album,
            album_title=self.album_title,
            contributor=self.contributor,
            received_at=self.received_at,
        )

    @property
    def execution(self) -> str:
        """The name of its newest execution."""
        return self.item.execution
