"""How things are called: item ids, executions, album slugs, public files, download names, search words."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from urllib.parse import quote

from tasks.core.models.digests import FileSha256, RenditionsDigest, url_digest

SLUG_LENGTH = 60
FILE_NAME_BYTES = 150
# Names of formats whose usual ending is another word.
ENDINGS = {"jpeg": "jpg", "text": "txt", "tiff": "tif", "jpeg2000": "jp2", "matroska": "mkv"}


def item_id(bucket: str, key: str, version: str) -> str:
    """20 characters of [a-z2-7]; the same upload is always the same item, however often it is announced."""
    digest = hashlib.sha256(f"{bucket}/{key}/{version}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:20]


def execution_name(id: str, attempt: int) -> str:
    """The name of an item's execution: a second start of the same attempt is refused by Step Functions."""
    return f"{id}-{attempt}"


def parse_execution_name(name: str) -> tuple[str, int] | None:
    """(item id, attempt) of an execution's name, or None when it is no item's."""
    match = re.fullmatch(r"([a-z2-7]{20})-([0-9]{1,6})", name)
    return (match[1], int(match[2])) if match else None


def slug(title: str) -> str:
    """An album's title as part of a URL: [a-z0-9-], at most 60 characters.

    "Summer 2026!" and "summer 2026" are one album. What ASCII cannot say (or what is too long) is told apart by a
    short hash of the title, so that two titles in another script are two albums.
    """
    plain = _without_marks(unicodedata.normalize("NFKC", title).casefold())
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    lossless = all(char.isascii() or not char.isalnum() for char in plain)
    if base and lossless and len(base) <= SLUG_LENGTH:
        return base
    tail = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{base[: SLUG_LENGTH - 9].strip('-') or 'album'}-{tail}"


def words(text: str) -> list[str]:
    """The words of a text as search compares them: lower case, without accents, each once, in order."""
    plain = _without_marks(unicodedata.normalize("NFKC", text).casefold())
    return list(dict.fromkeys(re.findall(r"[^\W_]+", plain)))


def stem(filename: str) -> str:
    """A file's name without its ending: the title of what it shows."""
    head, dot, _ = filename.rpartition(".")
    return head if dot and head else filename


def safe_file_name(name: str) -> str:
    """A name that any system can save: no path, no control or reserved character, at most 150 bytes, its ending kept."""
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join("_" if char in '<>:"|?*' or unicodedata.category(char)[0] == "C" else char for char in last)
    clean = clean.strip(" .") or "file"
    head, dot, ending = clean.rpartition(".")
    if not (dot and head and len(ending.encode()) <= 16):
        head, ending = clean, ""
    tail = f".{ending}" if ending else ""
    room = FILE_NAME_BYTES - len(tail.encode())
    return head.encode()[:room].decode(errors="ignore") + tail


def disposition(name: str) -> str:
    """A Content-Disposition that saves the file as `name` (RFC 6266, RFC 5987) and never shows it in the page."""
    safe = safe_file_name(name)
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", _without_marks(safe))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def public_path(id: str, name: str, content: FileSha256, format: str) -> str:
    """Where a rendition is published: its content is part of its name, so that it may be cached for a year."""
    ending = ENDINGS.get(format, format if re.fullmatch(r"[a-z0-9]{1,8}", format) else "bin")
    return f"media/{id}/{url_digest(content)}-{name}.{ending}"


def stream_path(id: str, name: str, content: RenditionsDigest) -> str:
    """Where a stream's file is published: beside those that its playlists name, in a folder that the digest of them all names."""
    return f"media/{id}/hls-{url_digest(content)}/{name}"


def _without_marks(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
