"""A Live Photo on the gallery's pages: a picture first, with a film that plays when it is wanted, script or not."""

from __future__ import annotations

from typing import Any

import pytest
from html_facts import Page

from tasks.core.models.publication import Card, PublicFile
from tasks.site import Site, pages

PARTS = (
    PublicFile("motion", "media/x y/abc-motion.mp4", "mp4", "video/mp4", 480, 360, 90_000),
    PublicFile("live", "media/x y/abc-live.mp4", "mp4", "video/mp4", 1440, 1080, 900_000),
)


@pytest.fixture
def live(card: Any) -> Card:
    plain = card(1)
    made: Card = card(1, title='"><b>', files=(*plain.files, *PARTS))
    return made


def test_its_card_moves_under_the_pointer_and_has_a_badge_for_fingers(site: Site, album: Any, live: Card) -> None:
    page = Page(pages.album(site, album(1), [live]))
    link = page.one("a", **{"class": "open"})
    assert link["data-glimpse"] == "/media/x%20y/abc-motion.mp4"
    assert "data-film" not in link, "in the lightbox it is a picture"
    assert page.one("a", **{"class": "live"}) == {
        "class": "live",
        "href": "/media/x%20y/abc-motion.mp4",
        "aria-label": 'Live Photo: play "><b>',
    }


def test_its_page_shows_the_picture_and_plays_all_of_the_film(site: Site, live: Card) -> None:
    page = Page(pages.item(site, live))
    assert not page.all("video") and page.meta("og:type") == "article"
    assert page.one("a", **{"class": "live"})["href"] == "/media/x%20y/abc-live.mp4"
    assert [each for _, each in page.tags if each.get("data-live") == "/media/x%20y/abc-live.mp4"]
    assert page.one("a", download="")["href"].endswith("-2048w.jpg"), "what is taken home is the picture"


@pytest.mark.parametrize("kind", ["image", "video"])
def test_what_is_no_live_photo_has_no_badge(site: Site, album: Any, card: Any, kind: str) -> None:
    for html in (pages.album(site, album(1), [card(1, kind)]), pages.item(site, card(1, kind))):
        assert 'class="live"' not in html and "data-live" not in html


def test_a_sensitive_one_is_veiled_with_its_badge(site: Site, album: Any, card: Any) -> None:
    shown = card(1, sensitive=True)
    veiled = card(1, sensitive=True, files=(*shown.files, *PARTS))
    page = Page(pages.album(site, album(1), [veiled]))
    assert page.one("label", **{"class": "veil"}) and page.one("a", **{"class": "live"})
