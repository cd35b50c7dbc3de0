"""PresignUpload: POST /api/uploads answers with a form that lets a browser put exactly one file into the inbox.

The form's policy fixes the key, the type, the album and the contributor, and bounds the size: S3 refuses everything else.
What the file really is, ValidateMedia finds out.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tasks.core.aws.edge import Edge
from tasks.core.aws.s3 import Store
from tasks.core.byproducts import left_out
from tasks.core.errors import BadRequest
from tasks.core.http import HttpRequest, HttpResponse, http_handler, json_response
from tasks.core.names import safe_file_name, slug
from tasks.core.settings import Settings
from tasks.core.text import one_line, size

LONGEST_NAME = 80
# Percent-encoded, both names together must fit into the 2 KB that S3 keeps as an object's metadata.
LONGEST_METADATA = 1_900
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,80}")
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Upload:
    """One file that somebody wants to send."""

    album: str
    contributor: str
    filename: str
    content_type: str
    size: int

    @classmethod
    def parse(cls, body: Any) -> Upload:
        """Read `{album, name, filename, type, size}`; raises BadRequest naming the first thing that is wrong."""
        if not isinstance(body, dict):
            raise BadRequest("send an object with album, name, filename, type and size")
        size = body.get("size")
        if not isinstance(size, int) or isinstance(size, bool):
            raise BadRequest("size must be the file's number of bytes")
        return cls(
            album=_name(body, "album", required=True),
            contributor=_name(body, "name"),
            filename=_filename(_text(body, "filename", required=True)),
            content_type=_content_type(_text(body, "type")),
            size=size,
        )

    @property
    def is_video(self) -> bool:
        return self.content_type.startswith("video/")

    def limit(self, settings: Settings) -> int:
        """The most bytes that it may have."""
        return settings.max_video_bytes if self.is_video else settings.max_image_bytes

    def check(self, settings: Settings) -> None:
        """Raises BadRequest, in words for the contributor, when it would be refused anyway."""
        limit = self.limit(settings)
        if self.size < 1:
            raise BadRequest(f"{self.filename} is empty")
        if self.size > limit:
            kind = "Videos" if self.is_video else "Photos and files"
            raise BadRequest(f"{self.filename} is too large. {kind} may have up to {size(limit)}.")
        if len(quote(self.album, safe="") + quote(self.contributor, safe="")) > LONGEST_METADATA:
            raise BadRequest("The album's name and your name are too long together. Please shorten one.")


def presign_upload(request: HttpRequest, *, store: Store, edge: Edge, settings: Settings) -> HttpResponse:
    """`{url, fields, key}` for one file: post the fields and then the file to the url, within PRESIGN_SECONDS.

    Raises BadRequest. Another page's request is refused: the form is for the gallery's own upload page.
    """
    if request.method != "POST":
        return json_response({"error": "Uploads are asked for with POST."}, 405)
    if request.headers.get("origin", "") != edge.site_url:
        return json_response({"error": "Please add files on the gallery's own page."}, 403)
    upload = Upload.parse(request.json())
    upload.check(settings)
    return json_response(form(upload, store, settings))


def form(upload: Upload, store: Store, settings: Settings) -> dict[str, Any]:
    """The presigned form for one upload under a key that nobody can guess or has used."""
    key = f"{slug(upload.album)}/{secrets.token_hex(6)}/{upload.filename}"
    fields = {"Content-Type": upload.content_type, "x-amz-meta-album": quote(upload.album, safe="")}
    if upload.contributor:
        fields["x-amz-meta-contributor"] = quote(upload.contributor, safe="")
    conditions = [{name: value} for name, value in fields.items()]
    bounds = ["content-length-range", 1, upload.limit(settings)]
    signed = store.presigned_post(settings.inbox_bucket, key, fields, [*conditions, bounds], settings.presign_seconds)
    return {"url": signed["url"], "fields": signed["fields"], "key": key}


def _filename(given: str) -> str:
    """A name for the key; raises BadRequest for what would become no item. A safe name has lost the dot that hides a file."""
    if words := left_out(re.split(r"[/\\]", given)[-1]):
        raise BadRequest(f"{safe_file_name(given)} is {words}.")
    return safe_file_name(given)


def _text(body: dict[str, Any], name: str, *, required: bool = False) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise BadRequest(f"{name} must be text")
    if required and not value.strip():
        raise BadRequest("Please name the album." if name == "album" else f"{name} is missing")
    return value


def _name(body: dict[str, Any], name: str, *, required: bool = False) -> str:
    """A name in one line, 80 characters at most."""
    clean = one_line(unicodedata.normalize("NFC", _text(body, name, required=required)))
    if required and not clean:
        raise BadRequest(f"{name} has no letters")
    if len(clean) > LONGEST_NAME:
        whose = "The album's name" if name == "album" else "Your name"
        raise BadRequest(f"{whose} is too long: {LONGEST_NAME} characters at most.")
    return clean


def _content_type(declared: str) -> str:
    """The declared type without its parameters; what is not one is only bytes."""
    plain = declared.split(";")[0].strip().lower()
    return plain if MEDIA_TYPE.fullmatch(plain) else UNKNOWN_TYPE


handler = http_handler(presign_upload)
