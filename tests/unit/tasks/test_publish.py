"""Publish: what was approved, and nothing else, becomes public."""

import hashlib
from dataclasses import replace

import pytest

from tasks.core.errors import Stale
from tasks.core.models.renditions import Rendition
from tasks.publish import PublishRequest, publish


@pytest.fixture
def prepared(world, make):
    """Three renditions in the work bucket, as MakeThumbnails leaves them."""

    def rendition(name, format, content_type, body):
        key = f"items/{make.item().id}/{name}.{format}"
        world.store.put("work", key, body, content_type)
        return Rendition(name, key, format, content_type, 320, 240, len(body), hashlib.sha256(body).hexdigest())

    return make.prepared(
        (
            rendition("320w", "jpeg", "image/jpeg", b"small jpeg"),
            rendition("320w", "webp", "image/webp", b"small webp"),
            rendition("file", "html", "text/html", b"<script>alert(1)</script>"),
        )
    )


@pytest.fixture
def waiting(world, make, prepared):
    """An item whose review is open."""
    item = make.item('größe "1"; x.html')
    world.catalog.items.create(item)
    world.reviews.request(item, "token", prepared.sha256)
    return PublishRequest(item, make.media(prepared), make.approved)


def run(world, request):
    return publish(request, store=world.store, catalog=world.catalog, reviews=world.reviews, settings=world.settings)


def decide(world, request, verdict="approve"):
    world.reviews.record(request.item.id, verdict, approver="ann@example.org", shown=request.prepared.sha256)


def public(world):
    return list(world.store.keys("site", ""))


def test_approved_files_get_immutable_public_names(world, waiting, prepared):
    decide(world, waiting)
    publication = run(world, waiting)
    (card,) = world.catalog.albums.page("summer", 0)
    assert publication.url == card.url
    assert sorted(file.path for file in card.files) == sorted(public(world))
    for file, rendition in zip(card.files, prepared.renditions, strict=True):
        found = world.s3.get_object(Bucket="site", Key=file.path)
        assert hashlib.sha256(found["Body"].read()).hexdigest() == rendition.sha256
        assert rendition.sha256[:16] in file.path
        assert found["CacheControl"] == "public, max-age=31536000, immutable"


def test_a_document_is_a_download_that_nothing_runs(world, waiting):
    decide(world, waiting)
    run(world, waiting)
    (card,) = world.catalog.albums.page("summer", 0)
    found = world.s3.head_object(Bucket="site", Key=card.files[2].path)
    assert found["ContentType"] == "application/octet-stream"
    assert found["ContentDisposition"] == (
        "attachment; filename=\"gro_e _1__ x.html\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20_1_%3B%20x.html"
    )


def test_publishing_is_idempotent_and_gives_the_same_publication(world, waiting):
    decide(world, waiting)
    assert run(world, waiting) == run(world, waiting)
    assert world.catalog.albums.get("summer").count == 1


def test_the_catalogs_decision_is_published_not_the_one_that_travelled(world, waiting):
    decide(world, waiting)
    run(world, waiting)
    assert world.catalog.items.get(waiting.item.id).decision.approver == "ann@example.org"


def test_what_nobody_decided_is_not_published(world, waiting):
    with pytest.raises(Stale, match="nobody has decided"):
        run(world, waiting)
    assert public(world) == []


def test_what_was_rejected_is_not_published(world, waiting):
    decide(world, waiting, "reject")
    with pytest.raises(Stale, match="'reject'"):
        run(world, waiting)
    assert public(world) == []


def test_an_approval_of_another_sha256_is_none_of_these_renditions(world, waiting, make):
    decide(world, waiting)
    other = replace(waiting.prepared, sha256="f" * 64)
    request = PublishRequest(waiting.item, make.media(other), make.approved)
    with pytest.raises(Stale, match="other renditions"):
        run(world, request)


def test_bytes_whose_sha256_changed_after_the_approval_are_not_published(world, waiting):
    decide(world, waiting)
    world.store.put("work", waiting.prepared.renditions[0].key, b"something else", "image/jpeg")
    with pytest.raises(Stale, match="no longer what the approver saw"):
        run(world, waiting)
    assert world.catalog.albums.all() == []
