"""RebuildIndexes: renders only the pages that one publication touches, or, when asked, all of them.

A publication touches its item's page, the page of the item before it (which now has a neighbour), its album page, the
album's newest page and the front page: the same handful of objects for an album's first item and for its hundred-thousandth.

Many publications at once coalesce: each index has a lease. Whoever holds it renders and looks again before letting go;
the others leave word and go. Item pages need no lease: whoever wrote one reads the catalog once more afterwards, so that
of two writers the later one knows both items.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tasks.catalog import Catalog
from tasks.core.aws.edge import Edge
from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import BadRequest
from tasks.core.models.item import Item
from tasks.core.models.publication import Album, Card, Publication
from tasks.core.settings import Settings
from tasks.site import Site, pages

# A page keeps its name when it changes: a minute is how late anybody sees a change (docs/reference/caching.md).
PAGE_CACHE = "public, max-age=60"
HTML = "text/html; charset=utf-8"
WRITERS = 16
# Each look beyond the first means that something was published meanwhile; whoever published it comes here too.
MOST_LOOKS = 5
# The front page's lease; an album's slug has no slash.
FRONT = "/"


@dataclass(frozen=True)
class RebuildIndexesRequest:
    """What the RebuildIndexes state passes; or `all`, with nothing else, after a deploy."""

    item: Item | None = None
    publication: Publication | None = None
    all: bool = False


@dataclass(frozen=True)
class Rebuilt:
    """How many pages were written."""

    written: int


@dataclass(frozen=True)
class Neighbours:
    """What an item's page shows: itself, and who is beside it in the album."""

    older: Card | None
    card: Card
    newer: Card | None


def rebuild_indexes(request: RebuildIndexesRequest, *, store: Store, catalog: Catalog, edge: Edge, settings: Settings) -> Rebuilt:
    """Render what was touched; safe to repeat. Raises BadRequest when the request names nothing."""
    press = Press(store, catalog, Site(settings.gallery_title, edge.site_url), settings)
    if request.all:
        press.everything(f"all-{uuid.uuid4().hex}")
    elif request.item and request.publication:
        press.publication(request.publication, request.item.id, owner=request.item.execution)
    else:
        raise BadRequest('say what to rebuild: {"item": ..., "publication": ...} or {"all": true}')
    return Rebuilt(press.written)


class Press:
    """Renders pages from the catalog into the site bucket."""

    def __init__(self, store: Store, catalog: Catalog, site: Site, settings: Settings) -> None:
        self._store = store
        self._catalog = catalog
        self._site = site
        self._settings = settings
        self.written = 0

    def publication(self, publication: Publication, item_id: str, owner: str) -> None:
        """The pages that one publication touches."""
        slug, page = publication.album, publication.page
        first_of_page = (publication.sequence - 1) % self._settings.page_size == 0
        self._touched_items(slug, page, item_id)
        # The page before is full now, and learns that there is a newer one.
        for number in (page - 1, page) if first_of_page and page else (page,):
            self._album_page(slug, number, owner)
        self._album_index(slug, owner)
        self._front(owner)

    def everything(self, owner: str) -> None:
        """Every page of the gallery."""
        for album in self._catalog.albums.all():
            for number in range(self._last_page(album) + 1):
                self._item_pages(album.slug, number)
                self._album_page(album.slug, number, owner)
            self._album_index(album.slug, owner)
        self._front(owner)

    # Item pages

    def _touched_items(self, slug: str, page: int, item_id: str) -> None:
        before = next((beside.older for beside in self._neighbours(slug, page) if beside.card.id == item_id), None)
        wanted = {item_id} | ({before.id} if before else set())
        self._item_pages(slug, page, wanted)
        if before and self._page_of(before) != page:
            self._item_pages(slug, self._page_of(before), wanted)

    def _item_pages(self, slug: str, page: int, wanted: set[str] | None = None) -> None:
        """Write the items' pages of one album page (those `wanted`), until what was written is what the catalog says."""
        written: dict[str, Neighbours] = {}
        for _ in range(MOST_LOOKS):
            found = {beside.card.id: beside for beside in self._neighbours(slug, page)}
            fresh = {id: beside for id, beside in found.items() if written.get(id) != beside}
            chosen = [beside for id, beside in fresh.items() if wanted is None or id in wanted]
            if not chosen:
                return
            self._write((beside.card.url, self._item_html(beside)) for beside in chosen)
            written |= fresh

    def _item_html(self, beside: Neighbours) -> str:
        page = self._page_of(beside.card)
        return pages.item(self._site, beside.card, older=beside.older, newer=beside.newer, page=page)

    def _neighbours(self, slug: str, page: int) -> Iterator[Neighbours]:
        """Every card of an album page between its neighbours, across the page's ends."""
        cards = self._catalog.albums.page(slug, page)
        before = next(reversed(self._catalog.albums.page(slug, page - 1)), None) if page else None
        after = next(iter(self._catalog.albums.page(slug, page + 1)), None)
        row = [before, *cards, after]
        for place, card in enumerate(cards):
            yield Neighbours(row[place], card, row[place + 2])

    # Indexes

    def _album_page(self, slug: str, page: int, owner: str) -> None:
        """`/albums/<slug>/<page>/`, whose address and items stay the same for good."""

        def render() -> None:
            album = self._catalog.albums.get(slug)
            newer = page + 1 if page < self._last_page(album) else None
            older = page - 1 if page else None
            cards = self._catalog.albums.page(slug, page)
            html = pages.album(self._site, album, cards, page=page, older=older, newer=newer)
            self._write([(f"/albums/{slug}/{page}/", html)])

        self._coalesced(f"{slug}/{page}", owner, render)

    def _album_index(self, slug: str, owner: str) -> None:
        """`/albums/<slug>/`: the newest page, with the one before while it is less than half full."""

        def render() -> None:
            album = self._catalog.albums.get(slug)
            first = last = self._last_page(album)
            cards = self._catalog.albums.page(slug, last)
            if last and len(cards) < self._settings.page_size / 2:
                first = last - 1
                cards = [*self._catalog.albums.page(slug, first), *cards]
            html = pages.album(self._site, album, cards, older=first - 1 if first else None)
            self._write([(f"/albums/{slug}/", html)])

        self._coalesced(slug, owner, render)

    def _front(self, owner: str) -> None:
        """The front page, and the upload page, which offers the albums' names."""

        def render() -> None:
            albums = self._catalog.albums.all()
            limits = self._settings
            upload = pages.upload(
                self._site, albums=albums, max_image_bytes=limits.max_image_bytes, max_video_bytes=limits.max_video_bytes
            )
            self._write([("/", pages.home(self._site, albums)), ("/upload/", upload)])

        self._coalesced(FRONT, owner, render)

    def _coalesced(self, lease: str, owner: str, render: Callable[[], None]) -> None:
        """Render under a lease until nobody left word; nothing, when another rebuilder will."""
        if not self._catalog.rebuilds.acquire(lease, owner):
            return
        render()
        while self._catalog.rebuilds.finish(lease, owner):
            render()

    def _last_page(self, album: Album) -> int:
        return max(0, album.count - 1) // self._settings.page_size

    def _page_of(self, card: Card) -> int:
        return (card.sequence - 1) // self._settings.page_size

    def _write(self, made: Iterable[tuple[str, str]]) -> None:
        """Put pages where CloudFront looks for them: `/x/` is the object `x/index.html`."""
        with ThreadPoolExecutor(WRITERS) as pool:
            self.written += sum(pool.map(self._put, made))

    def _put(self, page: tuple[str, str]) -> int:
        path, html = page
        self._store.put(self._settings.site_bucket, f"{path.lstrip('/')}index.html", html.encode(), HTML, cache=PAGE_CACHE)
        return 1


handler = lambda_handler(rebuild_indexes)
