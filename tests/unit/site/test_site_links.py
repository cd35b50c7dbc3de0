"""A whole small site in memory: every address on every page leads to something that is there."""

import re
from urllib.parse import unquote, urlsplit

import pytest
from html_facts import Page

from tasks.site import STATIC, content_security_policy, pages, static_version

FONTS = {"bricolage-grotesque-latin-700-normal.woff2"}


@pytest.fixture
def small_site(site, album, card):
    """Paths to HTML: one album of seven items of every kind on three pages, and the endpoints' pages."""
    kinds = ("image", "video", "document", "image", "image", "video", "document")
    cards = [card(number, kind) for number, kind in enumerate(kinds, 1)]
    summer = album(7, cover=cards[0])
    whole = {
        "/": pages.home(site, [summer]),
        "/albums/summer/": pages.album(site, summer, cards[3:], older=0),
        "/upload/": pages.upload(site, max_image_bytes=1, max_video_bytes=1, albums=[summer]),
        "/search": pages.search(site, "cat", cards, [("Cat", 7)]),
        "/404.html": pages.not_found(site),
    }
    for number in range(3):
        newer, older = (number + 1 if number < 2 else None), (number - 1 if number else None)
        shown = cards[number * 3 : number * 3 + 3]
        whole[f"/albums/summer/{number}/"] = pages.album(site, summer, shown, page=number, older=older, newer=newer)
    for place, each in enumerate(cards):
        older, newer = (cards[place - 1] if place else None), (cards[place + 1] if place < 6 else None)
        whole[each.url] = pages.item(site, each, older=older, newer=newer, page=place // 3)
    media = {"/" + file.path for each in cards for file in each.files}
    names = {path.name for path in STATIC.iterdir()} | FONTS
    return whole, media | {f"/static/{static_version()}/{name}" for name in names} | {"/api/uploads"}


def test_every_link_leads_somewhere(small_site):
    whole, files = small_site
    for path, html in whole.items():
        for link in Page(html).links():
            target = unquote(urlsplit(link).path) or path
            assert target in whole or target in files, f"{path} links to {link}"


def test_every_fragment_is_an_id_of_its_page(small_site):
    whole, _ = small_site
    for path, html in whole.items():
        for link in Page(html).links():
            parts = urlsplit(link)
            if parts.fragment:
                ids = {each.get("id") for _, each in Page(whole[parts.path or path]).tags}
                assert parts.fragment in ids, f"{path} links to {link}"


def test_every_page_can_be_read_without_eyes_and_found(small_site):
    whole, _ = small_site
    for path, html in whole.items():
        page = Page(html)
        assert page.one("html")["lang"] == "en", path
        assert page.meta("description") and page.meta("viewport"), path
        assert page.tags[[tag for tag, _ in page.tags].index("body") + 1] == ("a", {"class": "skip", "href": "#main"}), path
        assert len(page.all("h1")) == 1 and len(page.all("main")) == 1, path
        assert all("alt" in each for each in page.all("img")), path
        ids = [each["id"] for _, each in page.tags if "id" in each]
        assert len(ids) == len(set(ids)), path
        labelled = {each.get("for") for each in page.all("label")}
        inputs = [each for each in page.all("input") if each.get("type") != "checkbox"]
        assert all(each["id"] in labelled for each in inputs), path


def test_no_page_needs_more_than_its_csp_allows(small_site):
    """Scripts and styles come from the site itself: nothing inline, nothing from elsewhere."""
    whole, _ = small_site
    for path, html in whole.items():
        page = Page(html)
        assert not page.all("style"), path
        assert all(re.match(r"/static/", each["src"]) and each["type"] == "module" for each in page.all("script")), path
    policy = content_security_policy()
    assert "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")


def test_uploads_may_go_to_the_inbox_and_nowhere_else():
    assert "connect-src 'self' https://inbox.example;" in content_security_policy("https://inbox.example")
    assert "connect-src 'self';" in content_security_policy()
