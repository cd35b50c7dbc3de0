"""Search: the page behind GET /search, over the catalog's index."""

import pytest

from tasks.core.entrypoint import Services
from tasks.core.http import http_handler
from tasks.search import search


@pytest.fixture
def look(world, make):
    """`look("q=cat")` answers as the Function URL does, over a gallery with a dog in it."""
    world.aws.client("ssm").put_parameter(Name=world.settings.site_url_parameter, Value="https://g.example", Type="String")
    item = make.item("<b>Rex</b>.jpg", album="Parks & gardens")
    world.catalog.items.create(item)
    world.catalog.albums.publish(item, make.media(), make.prepared(labels=("Dog", "Green Grass")), make.approved, make.files)
    handler = http_handler(search, Services(world.settings, world.aws))

    def send(query, method="GET"):
        event = {"requestContext": {"http": {"method": method}}, "rawPath": "/search", "rawQueryString": query}
        return handler(event, None)

    return send


def test_a_label_finds_what_shows_it(look, make):
    body = look("q=dog")["body"]
    assert "1 item matches" in body
    assert f'href="/items/{make.item("<b>Rex</b>.jpg", album="Parks & gardens").id}/"' in body


def test_what_was_typed_comes_back_as_text(look):
    body = look("q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%22")["body"]
    assert "<script>alert" not in body
    assert 'value="&lt;script&gt;alert(1)&lt;/script&gt;&#34;"' in body


def test_without_words_it_invites_and_suggests(look):
    body = look("")["body"]
    assert "Search for what is in a picture" in body
    assert "/search?q=Green%20Grass" in body


def test_it_may_be_cached_for_half_a_minute_and_runs_nothing_of_others(look):
    headers = look("q=dog")["headers"]
    assert headers["cache-control"] == "public, max-age=30"
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["content-type"].startswith("text/html")
    assert headers["x-content-type-options"] == "nosniff"


def test_only_looking_is_answered(look):
    assert look("q=dog", method="POST")["statusCode"] == 405
    assert look("q=dog", method="HEAD")["statusCode"] == 200


def test_a_query_is_one_short_line(look):
    assert "<q><bdi>a b c</bdi></q>" in look("q=++a%00b%0D%0A+c%E2%80%AE+")["body"]
    body = look(f"q={'x' * 5000}")["body"]
    assert "x" * 199 + "…" in body and "x" * 200 not in body
