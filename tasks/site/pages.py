"""The gallery's pages: data in, HTML out. Each function renders one kind of page; templates/ holds their words."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.core.models.publication import Album, Card
from tasks.site.frame import Site, render

SEARCH_LIMIT = 60
# Albums shown with their cover; a front page of hundreds of pictures helps nobody.
COVERS = 60


def home(site: Site, albums: Sequence[Album]) -> str:
    """Every album, newest first, the first sixty with their covers; for an empty gallery, how to begin."""
    return render("home.html", site, albums=list(albums), covers=COVERS)


def album(
    site: Site,
    album: Album,
    cards: Sequence[Card],
    *,
    page: int | None = None,
    older: int | None = None,
    newer: int | None = None,
) -> str:
    """One page of an album. `page` is None on `/albums/<slug>/`; `older` and `newer` are the numbers of the pages beside it.

    `cards` come by sequence, as the catalog keeps them, and are shown newest first.
    """
    shown = sorted(cards, key=lambda card: -card.sequence)
    return render(
        "album.html",
        site,
        album=album,
        shots=[card for card in shown if card.kind != "document"],
        documents=[card for card in shown if card.kind == "document"],
        cards=shown,
        page=page,
        older=older,
        newer=newer,
    )


def item(site: Site, card: Card, *, older: Card | None = None, newer: Card | None = None, page: int | None = None) -> str:
    """One item by itself, with its neighbours in the album; `page` is the album page that shows it."""
    return render("item.html", site, card=card, older=older, newer=newer, page=page)


def search(site: Site, query: str, cards: Sequence[Card], labels: Sequence[tuple[str, int]]) -> str:
    """What matches `query`, and the words that would match something."""
    return render(
        "search.html",
        site,
        query=query,
        shots=[card for card in cards if card.kind != "document"],
        documents=[card for card in cards if card.kind == "document"],
        total=len(cards),
        limit=SEARCH_LIMIT,
        labels=list(labels),
    )


def upload(site: Site, *, max_image_bytes: int, max_video_bytes: int, albums: Sequence[Album] = ()) -> str:
    """Where files are dropped; `albums` are offered as names to choose from."""
    return render(
        "upload.html", site, max_image_bytes=max_image_bytes, max_video_bytes=max_video_bytes, albums=list(albums)[:100]
    )


def not_found(site: Site) -> str:
    """What CloudFront answers where there is no page."""
    return render("404.html", site)
