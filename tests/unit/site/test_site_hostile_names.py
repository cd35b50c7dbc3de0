"""Whatever people call their albums, files and themselves: it is shown as text, and is never anything else."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from html_facts import Page

from tasks.core.names import slug
from tasks.site import Site, pages

EVENT = re.compile(r"on[a-z]+$")


@pytest.fixture
def rendered(site, hostile, card, album):
    """Every kind of page with the hostile text in every place that a person fills."""
    named = {"title": hostile, "contributor": hostile, "album_title": hostile, "album": slug(hostile)}
    cards = [card(n, kind, labels=(hostile,), **named) for n, kind in enumerate(("image", "video", "document"), 1)]
    shown = album(3, slug=slug(hostile), title=hostile, cover=cards[0])
    world = Site(hostile, site.url)
    return {
        "home": pages.home(world, [shown]),
        "album": pages.album(world, shown, cards, older=0),
        "image": pages.item(world, cards[0], newer=cards[1]),
        "video": pages.item(world, cards[1], older=cards[0], newer=cards[2]),
        "document": pages.item(world, cards[2], older=cards[1]),
        "search": pages.search(world, hostile, cards, [(hostile, 3)]),
        "upload": pages.upload(world, max_image_bytes=1, max_video_bytes=1, albums=[shown]),
        "404": pages.not_found(world),
    }


def test_no_xss_no_tag_or_handler_comes_from_a_name(rendered, site, card, album):
    for name, html in rendered.items():
        page = Page(html)
        assert not [a for _, each in page.tags for a in each if EVENT.match(a)], name
        assert all(each.get("src", "").startswith("/static/") for each in page.all("script")), name
        assert all(each.get("src", "/media/").startswith("/media/") for each in page.all("img")), name


def test_a_name_is_shown_as_it_was_written(rendered, hostile):
    wanted = " ".join(hostile.split())
    for name in ("home", "album", "image", "video", "document", "search"):
        assert wanted in " ".join(Page(rendered[name]).text.split()), name


def test_every_address_stays_on_the_site(rendered):
    for name, html in rendered.items():
        for link in Page(html).links():
            parts = urlsplit(link)
            assert parts.scheme in ("", "https") and parts.netloc in ("", "gallery.example"), (name, link)
            assert link.isascii() and not re.search(r"[\s\"'<>\\^`{|}]", link), (name, link)


def test_a_search_link_asks_for_the_very_name(rendered, hostile):
    links = [link for link in Page(rendered["image"]).links() if link.startswith("/search?")]
    assert links and {parse_qs(urlsplit(link).query, keep_blank_values=True)["q"][0] for link in links} == {hostile}


def test_an_upload_link_names_the_very_album(rendered, hostile):
    found = [link for link in Page(rendered["album"]).links() if link.startswith("/upload/?album=")]
    assert {unquote(link.split("=", 1)[1]) for link in found} == {hostile}


def test_a_file_path_with_odd_characters_is_encoded(site, album, card):
    odd = card(1, files=tuple(f.__class__(**{**f.__dict__, "path": 'media/a b/ü,"x>.jpg'}) for f in card(1).files))
    page = Page(pages.album(site, album(1), [odd]))
    assert "/media/a%20b/%C3%BC%2C%22x%3E.jpg" in page.links()
