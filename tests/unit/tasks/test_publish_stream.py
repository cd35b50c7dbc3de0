"""A long video's playlists and sizes are published side by side, under names that its playlists know."""

import hashlib

import pytest

from tasks.core.models.renditions import Rendition
from tasks.publish import PublishRequest, publish

FILES = {
    "stream/main.m3u8": b"#EXTM3U\ntop.m3u8\n",
    "stream/top.m3u8": b"#EXTM3U\ntop.mp4\n",
    "stream/top.mp4": b"film",
    "video.mp4": b"mp4",
}


@pytest.fixture
def card(world, make):
    """What an album shows of a long video that was approved."""

    def rendition(name, body):
        key = f"items/{make.item().id}/{name}"
        world.store.put("work", key, body, "video/mp4")
        stays = name if name.startswith("stream/") else name.removesuffix(".mp4")
        return Rendition(stays, key, name.rsplit(".")[-1], "video/mp4", bytes=len(body), sha256=hashlib.sha256(body).hexdigest())

    prepared = make.prepared(tuple(rendition(name, body) for name, body in FILES.items()))
    item = make.item("long.mp4")
    world.catalog.items.create(item)
    world.reviews.request(item, "token", prepared.sha256)
    world.reviews.record(item.id, "approve", approver="ann@example.org", shown=prepared.sha256)
    request = PublishRequest(item, make.media(prepared), make.approved)
    publish(request, store=world.store, catalog=world.catalog, reviews=world.reviews, settings=world.settings)
    (found,) = world.catalog.albums.page("summer", 0)
    return found


def test_they_lie_in_one_folder_that_their_content_names(world, card):
    folder = f"media/{card.id}/hls-"
    public = {key for key in world.store.keys("site", "") if key.startswith(folder)}
    assert {key.rsplit("/", 1)[-1] for key in public} == {"main.m3u8", "top.m3u8", "top.mp4"}
    assert len({key.rsplit("/", 1)[0] for key in public}) == 1


def test_the_page_is_told_of_the_first_playlist_alone(card):
    assert [file.name for file in card.files] == ["stream/main.m3u8", "video"]
    assert card.files[0].path.endswith("/main.m3u8")
