"""RebuildIndexes: every published item stands on its pages, and the last costs no more than the first."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from tasks.catalog import Catalog
from tasks.catalog.rows import card_key, lease_key
from tasks.core.errors import BadRequest
from tasks.rebuild_indexes import RebuildIndexesRequest, rebuild_indexes

SITE = "https://gallery.example"


class FakeEdge:
    """CloudFront: it has an address, and nothing else may be asked of it."""

    site_url = SITE


class FakeStore:
    """The site bucket: key to HTML, with the headers of the last write."""

    def __init__(self):
        self.objects, self.writes, self.headers = {}, [], {}
        self._lock = threading.Lock()

    def put(self, bucket, key, body, content_type, *, cache=""):
        with self._lock:
            self.objects[key] = body.decode()
            self.writes.append(key)
            self.headers[key] = (bucket, content_type, cache)


class Gallery:
    """A catalog over moto, and its site: publish, rebuild, look."""

    def __init__(self, world, make, page_size):
        self.settings = replace(world.settings, page_size=page_size)
        self.catalog, self.table = Catalog.open(world.aws, self.settings), world.table
        self.store, self.edge, self._make = FakeStore(), FakeEdge(), make

    def publish(self, name, album="Summer"):
        item = self._make.item(f"{name}.jpg", album=album)
        self.catalog.items.create(item)
        make = self._make
        publication, _ = self.catalog.albums.publish(item, make.media(), make.prepared(labels=()), make.approved, make.files)
        return RebuildIndexesRequest(item, publication)

    def rebuild(self, request, catalog=None):
        services = {"store": self.store, "catalog": catalog or self.catalog, "edge": self.edge, "settings": self.settings}
        return rebuild_indexes(request, **services)

    def add(self, name, album="Summer"):
        request = self.publish(name, album)
        self.store.writes.clear()
        return request, self.rebuild(request)

    def page(self, path):
        return self.store.objects[f"{path.lstrip('/')}index.html"]

    def on(self, path):
        """Ids of the items that a page shows."""
        return {part.split('"')[0] for part in self.page(path).split('<li class="shot" id="')[1:]}


@pytest.fixture
def gallery(world, make):
    """`gallery(page_size)` makes an empty one."""
    return partial(Gallery, world, make)


def test_the_first_item_makes_the_album_and_the_front_page(gallery):
    site = gallery(60)
    request, done = site.add("cat")
    assert set(site.store.objects) == {
        f"items/{request.item.id}/index.html",
        "albums/summer/0/index.html",
        "albums/summer/index.html",
        "index.html",
        "upload/index.html",
    }
    assert done.written == 5
    assert site.on("/albums/summer/") == site.on("/albums/summer/0/") == {request.item.id}
    assert 'href="/albums/summer/"' in site.page("/") and '<option value="Summer">' in site.page("/upload/")


def test_pages_are_html_that_is_fresh_within_a_minute(gallery):
    site = gallery(60)
    site.add("cat")
    assert set(site.store.headers.values()) == {("site", "text/html; charset=utf-8", "public, max-age=60")}


def test_the_fortieth_item_writes_as_few_objects_as_the_third(gallery):
    site = gallery(60)
    for number in range(2):
        site.add(f"early {number}")
    _, third = site.add("third")
    for number in range(36):
        site.publish(f"more {number}")
    _, fortieth = site.add("fortieth")
    assert third.written == fortieth.written == 6
    assert len(site.store.writes) == 6


def test_the_item_before_learns_of_its_new_neighbour(gallery):
    site = gallery(60)
    first, _ = site.add("first")
    second, _ = site.add("second")
    assert f'href="/items/{second.item.id}/"' in site.page(f"/items/{first.item.id}/")
    assert f'href="/items/{first.item.id}/"' in site.page(f"/items/{second.item.id}/")


def test_a_full_page_is_sealed_and_leads_on(gallery):
    site = gallery(2)
    first, second, third = (site.add(name)[0] for name in ("first", "second", "third"))
    assert site.on("/albums/summer/0/") == {first.item.id, second.item.id}
    assert site.on("/albums/summer/1/") == {third.item.id}
    assert 'href="/albums/summer/1/"' in site.page("/albums/summer/0/")
    assert 'href="/albums/summer/0/"' in site.page("/albums/summer/1/")
    assert f'href="/items/{third.item.id}/"' in site.page(f"/items/{second.item.id}/"), "across the page's end"
    site.add("fourth")
    site.store.writes.clear()
    site.add("fifth")
    assert "albums/summer/0/index.html" not in site.store.writes


def test_an_album_that_just_began_a_page_is_not_nearly_empty(gallery):
    site = gallery(4)
    for number in range(5):
        site.add(str(number))
    assert len(site.on("/albums/summer/")) == 5
    for number in range(5, 8):
        site.add(str(number))
    assert len(site.on("/albums/summer/")) == 4 and 'href="/albums/summer/0/"' in site.page("/albums/summer/")


def test_fifty_publications_at_once_are_all_on_the_pages(gallery):
    site = gallery(20)
    requests = [site.publish(f"photo {number}") for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(site.rebuild, requests))
    published = {request.item.id for request in requests}
    assert site.on("/albums/summer/0/") | site.on("/albums/summer/1/") | site.on("/albums/summer/2/") == published
    assert {key.split("/")[1] for key in site.store.objects if key.startswith("items/")} == published
    assert "50 items" in site.page("/") and "50 items" in site.page("/albums/summer/")
    for number, request in enumerate(requests[1:], 1):
        assert f"/items/{requests[number - 1].item.id}/" in site.page(f"/items/{request.item.id}/")
        assert f"/items/{request.item.id}/" in site.page(f"/items/{requests[number - 1].item.id}/")


def test_what_is_published_while_a_page_is_rendered_is_on_it_all_the_same(gallery):
    """The other rebuilder finds the lease taken, leaves word and goes; the holder looks again before letting go."""
    site = gallery(60)
    first, second = site.publish("first"), site.publish("second")

    class Meanwhile:
        """Albums among which, right after the first look at the page, another rebuilder comes by."""

        def __init__(self, albums):
            self._albums, self.came = albums, False

        def __getattr__(self, name):
            return getattr(self._albums, name)

        def page(self, slug, number):
            cards = [card for card in self._albums.page(slug, number) if self.came or card.id == first.item.id]
            if not self.came and self._held("summer/0"):
                self.came = True
                site.rebuild(second)
            return cards

        def _held(self, lease):
            return bool(site.table.get(*lease_key(lease)))

    site.rebuild(first, replace(site.catalog, albums=Meanwhile(site.catalog.albums)))
    assert site.on("/albums/summer/0/") == {first.item.id, second.item.id}


def test_a_slow_writer_does_not_hide_its_new_neighbour(gallery):
    """The second item is published and rendered right before the first one's page, without a neighbour, is written."""
    site = gallery(60)
    first = site.publish("first")
    path, write, late = f"items/{first.item.id}/index.html", site.store.put, []

    def slow_put(bucket, key, *rest, **more):
        if key == path and not late:
            late.append(site.publish("second"))
            site.rebuild(late[0])
        write(bucket, key, *rest, **more)

    site.store.put = slow_put
    site.rebuild(first)
    assert f'href="/items/{late[0].item.id}/"' in site.page(f"/items/{first.item.id}/")


def test_a_retry_after_a_crash_takes_its_own_lease_again(gallery):
    site = gallery(60)
    request = site.publish("cat")
    assert site.catalog.rebuilds.acquire("summer/0", f"{request.item.id}-1"), "the worker that then died"
    site.rebuild(request)
    assert site.on("/albums/summer/0/") == {request.item.id}


def test_rebuilding_twice_gives_the_same_pages(gallery):
    site = gallery(60)
    request, _ = site.add("cat")
    before = dict(site.store.objects)
    site.rebuild(request)
    assert site.store.objects == before


def test_everything_is_what_the_single_steps_made(gallery):
    site = gallery(3)
    for number in range(7):
        site.add(f"photo {number}")
    for number in range(2):
        site.add(f"other {number}", album="Winter")
    before, site.store.objects = site.store.objects, {}
    done = site.rebuild(RebuildIndexesRequest(all=True))
    assert site.store.objects == before
    assert done.written == len(before)


def test_everything_of_an_empty_gallery_is_its_front_page(gallery):
    site = gallery(60)
    site.rebuild(RebuildIndexesRequest(all=True))
    assert set(site.store.objects) == {"index.html", "upload/index.html"}
    assert "Nothing is here yet" in site.page("/")


def test_whoever_only_left_word_writes_the_item_alone(gallery):
    site = gallery(60)
    request = site.publish("cat")
    for lease in ("summer/0", "summer", "/"):
        site.catalog.rebuilds.acquire(lease, "another")
    done = site.rebuild(request)
    assert done.written == 1
    assert site.catalog.rebuilds.finish("summer", "another"), "word was left"


def test_a_request_that_names_nothing_is_refused(gallery):
    with pytest.raises(BadRequest, match="say what to rebuild"):
        gallery(60).rebuild(RebuildIndexesRequest())


def test_an_item_that_was_taken_down_meanwhile_gets_no_page(gallery):
    site = gallery(60)
    request = site.publish("cat")
    site.table.delete(*card_key("summer", 0, 1))
    site.rebuild(request)
    assert f"items/{request.item.id}/index.html" not in site.store.objects
    assert site.on("/albums/summer/") == set()
