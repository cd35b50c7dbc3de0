"""The review page and what its script is told of each item. The page itself is the same for everybody: it knows no link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tasks.core.models.location import Location
from tasks.core.models.record import ItemRecord
from tasks.core.models.renditions import Rendition
from tasks.core.models.review import Film
from tasks.core.names import stem
from tasks.site.frame import Site, render

Presign = Callable[[Location], str]


def review_page(title: str) -> str:
    """The page as HTML: no item, no link, nothing inline."""
    return render("review.html", Site(title))


def review_policy(previews: str) -> str:
    """The page's Content-Security-Policy. `previews` is a presigned URL of the bucket that previews come from."""
    address = urlsplit(previews)
    origin = f"{address.scheme}://{address.netloc}"
    rows = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "font-src": "'self'",
        "img-src": f"'self' data: {origin}",
        "media-src": origin,
        "connect-src": "'self'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rows.items())


def item_facts(record: ItemRecord, bucket: str, show: Presign, download: Presign) -> dict[str, Any]:
    """One item as the script shows it; `show` and `download` make short-lived links to private files of `bucket`."""
    media, prepared, film = record.media, record.prepared, record.film
    seen = prepared.recognition if prepared else None
    marks = (seen.moderation if seen else ()) + (film.moderation if film else ())
    return {
        "id": record.id,
        "title": stem(record.item.filename),
        "filename": record.item.filename,
        "album": record.album_title,
        "contributor": record.contributor,
        "received_at": record.received_at,
        "bytes": record.bytes,
        "kind": media.kind if media else "document",
        "format": media.format if media else "",
        "width": media.width if media else 0,
        "height": media.height if media else 0,
        "duration": media.duration if media else 0,
        "taken_at": media.taken_at if media else "",
        "camera": media.camera if media else "",
        "lens": media.lens if media else "",
        "exposure": media.exposure if media else "",
        "note": media.note if media else "",
        "labels": [{"name": label.name, "confidence": round(label.confidence)} for label in seen.labels] if seen else [],
        "moderation": [{"name": label.name, "confidence": round(label.confidence)} for label in marks],
        "sensitive": bool(marks),
        "sha256": record.shown_digest,
        "placeholder": prepared.placeholder if prepared else "",
        "preview": preview(record, bucket, show, download),
    }


def preview(record: ItemRecord, bucket: str, show: Presign, download: Presign) -> dict[str, Any]:
    """Links to the very renditions that Publish copies, by what the item is."""
    renditions = record.prepared.renditions if record.prepared else ()
    named = {one.name: one for one in renditions}
    pictures = _pictures(renditions)
    largest = pictures[-1] if pictures else None
    poster = show(Location(bucket, largest.key)) if largest else ""
    thumb = show(Location(bucket, pictures[0].key)) if pictures else ""
    kind = record.media.kind if record.media else "document"
    if kind == "video" and "video" in named:
        video = named["video"]
        return {
            "src": show(Location(bucket, video.key)),
            "poster": poster,
            "thumb": thumb,
            "content_type": video.content_type,
            "width": video.width,
            "height": video.height,
        }
    if kind == "image" and largest:
        srcset = ", ".join(f"{show(Location(bucket, one.key))} {one.width}w" for one in pictures)
        facts = {"src": poster, "srcset": srcset, "thumb": thumb, "width": largest.width, "height": largest.height}
        return {**facts, **_live(record.film, bucket, show)}
    source = Location(bucket, named["file"].key) if "file" in named else record.item.original
    found = {"href": download(source)}
    if largest:
        found |= {"src": show(source), "poster": poster, "thumb": thumb}
    return found


def _live(film: Film | None, bucket: str, show: Presign) -> dict[str, Any]:
    """The film of a Live Photo, as it will be published."""
    whole = next((one for one in film.renditions if one.name == "live"), None) if film else None
    return {"live": show(Location(bucket, whole.key))} if whole else {}


def _pictures(renditions: tuple[Rendition, ...]) -> list[Rendition]:
    """Every width once, smallest first: WebP where there is one, else JPEG."""
    by_width = {one.width: one for one in renditions if one.content_type == "image/jpeg"}
    by_width |= {one.width: one for one in renditions if one.content_type == "image/webp" and one.width}
    return [by_width[width] for width in sorted(by_width)]
