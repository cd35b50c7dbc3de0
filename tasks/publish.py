"""Publish: what was approved, and nothing else, gets public names; then one transaction gives it its place in the gallery."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tasks.catalog import Catalog, Reviews
from tasks.core.aws.s3 import Store
from tasks.core.entrypoint import lambda_handler
from tasks.core.errors import Stale
from tasks.core.logs import log
from tasks.core.models.digests import FileSha256, FilmDigest, shown_digest
from tasks.core.models.location import Location
from tasks.core.models.publication import Publication, PublicFile
from tasks.core.models.renditions import Rendition
from tasks.core.models.request import PreparedRequest
from tasks.core.models.review import Decision, Film
from tasks.core.names import disposition, public_path, stream_path
from tasks.core.settings import Settings

IMMUTABLE = "public, max-age=31536000, immutable"
COPIES_AT_ONCE = 8
STREAM = "stream/"
MAIN_PLAYLIST = STREAM + "main.m3u8"
# What a browser may be told that a download is: nothing that it would run, even if it were shown.
SAFE_TYPES = (
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/epub+zip",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.oasis.opendocument.",
    "application/vnd.openxmlformats-officedocument.",
    "application/json",
    "text/plain",
    "text/csv",
    "text/markdown",
    "audio/",
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "video/mp4",
)


@dataclass(frozen=True)
class PublishRequest(PreparedRequest):
    """What the Publish state passes."""

    decision: Decision


def publish(request: PublishRequest, *, store: Store, catalog: Catalog, reviews: Reviews, settings: Settings) -> Publication:
    """Publish one approved item; the same answer however often it is asked.

    Raises Stale when the approval is not of these renditions, or a file is no longer what the approver saw.
    """
    known = catalog.items.get(request.item.id)
    if known.status == "PUBLISHED" and known.publication:
        return known.publication
    decision = approval(reviews, request, known.film)
    renditions = request.prepared.renditions + (known.film.renditions if known.film else ())
    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        copied = tuple(pool.map(lambda each: expose(each, request, store, settings), renditions))
    # Of a stream the page needs its first playlist alone, which names the rest.
    files = tuple(file for file in copied if file.name == MAIN_PLAYLIST or not file.name.startswith(STREAM))
    publication, _ = catalog.albums.publish(request.item, request.media, request.prepared, decision, files)
    log.info("published", extra={"album": publication.album, "sequence": publication.sequence, "files": len(files)})
    return publication


def approval(reviews: Reviews, request: PublishRequest, film: Film | None = None) -> Decision:
    """The approval of these very renditions, as the catalog has it; what travelled through the execution is not enough.

    The film of a Live Photo never travelled there: the catalog alone says whether it was on the page that was approved.
    """
    found = reviews.decision(request.item.id)
    if found is None:
        raise Stale(f"nobody has decided about {request.item.id}: it cannot be published")
    decision, approved = found
    if decision.verdict != "approve":
        raise Stale(f"{request.item.id} was not approved: the catalog says {decision.verdict!r}")
    if approved != shown_digest(request.prepared.sha256, film.sha256 if film else FilmDigest("")):
        raise Stale(f"other renditions of {request.item.id} were approved than the ones to be published")
    return decision


def expose(rendition: Rendition, request: PublishRequest, store: Store, settings: Settings) -> PublicFile:
    """Copy one rendition to its public name, pinned to the bytes that were approved."""
    source = Location(settings.work_bucket, rendition.key)
    etag, sha256 = store.etag_and_sha256(source)
    if sha256 != rendition.sha256:
        raise Stale(f"{rendition.key} is no longer what the approver saw")
    path = _path(rendition, request, sha256)
    content_type = rendition.content_type
    attached = rendition.name == "file"
    if attached:
        content_type = content_type if content_type.startswith(SAFE_TYPES) else "application/octet-stream"
    store.copy(
        source,
        settings.site_bucket,
        path,
        content_type,
        cache=IMMUTABLE,
        disposition=disposition(request.item.filename) if attached else "",
        expect_etag=etag,
    )
    return PublicFile(
        name=rendition.name,
        path=path,
        format=rendition.format,
        content_type=content_type,
        width=rendition.width,
        height=rendition.height,
        bytes=rendition.bytes,
    )


def _path(rendition: Rendition, request: PublishRequest, sha256: FileSha256) -> str:
    """A name that holds its content's digest; a stream's files keep their own, as its playlists say them, in such a folder."""
    if not rendition.name.startswith(STREAM):
        return public_path(request.item.id, rendition.name, sha256, rendition.format)
    return stream_path(request.item.id, rendition.name.removeprefix(STREAM), request.prepared.sha256)


handler = lambda_handler(publish)
