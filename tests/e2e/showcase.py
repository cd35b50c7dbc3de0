"""The site's real pages and scripts over real renditions on 127.0.0.1, without a stack: what a browser paints needs no more."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.dev import assets
from tasks.catalog.standing import Standing
from tasks.core.models.location import Location
from tasks.core.models.media import Media
from tasks.core.models.publication import Album, Card, PublicFile
from tasks.core.models.recognition import Label, Recognition
from tasks.core.models.record import ItemRecord
from tasks.core.models.renditions import Rendition
from tasks.core.models.review import Film, Prepared
from tasks.core.names import item_id
from tasks.media import Limits, RenditionFile, Renditions, make_renditions
from tasks.media.video import make_video
from tasks.site import Site, content_security_policy, pages
from tasks.site.review_page import item_facts, review_page, review_policy

NOW = "2026-11-21T21:40:26Z"
HTML = "text/html; charset=utf-8"
SEGMENT_SECONDS = 30


@dataclass(frozen=True)
class Piece:
    """One item and what the media room made of it. `made` are its pictures, `video` is a video's MP4, `film` a Live Photo's."""

    title: str
    kind: Any
    made: Renditions
    video: Path | None = None
    film: Film | None = None
    sensitive: bool = False

    @property
    def id(self) -> str:
        return item_id("inbox", f"Summer/{self.title}", "1")

    @property
    def size(self) -> tuple[int, int]:
        return self.made.files[0].width, self.made.files[0].height

    @property
    def media(self) -> Media:
        width, height = self.size
        duration = 1.0 if self.video else 0.0
        return Media("accepted", kind=self.kind, format="jpeg", width=width, height=height, duration=duration, bytes=1)

    @cached_property
    def files(self) -> dict[str, Path]:
        """Every file by its path on the site."""
        return {f"media/{self.id}/{path.name}": path for path in [*(file.path for file in self.made.files), *self._videos]}

    @property
    def _videos(self) -> list[Path]:
        return [self.video] if self.video else []

    @property
    def renditions(self) -> tuple[Rendition, ...]:
        found = tuple(_rendition(f"media/{self.id}/{file.path.name}", file) for file in self.made.files)
        videos = tuple(Rendition("video", f"media/{self.id}/{path.name}", "mp4", "video/mp4") for path in self._videos)
        return videos + found

    @property
    def record(self) -> ItemRecord:
        """As the catalog has it while somebody is asked."""
        moderation = (Label("Suggestive", 99.0),) if self.sensitive else ()
        seen = Recognition((), moderation, triage="hold" if self.sensitive else "clear")
        prepared = Prepared("accepted", "", self.renditions, self.made.placeholder, "0" * 64, seen)
        item = (self.id, "PENDING", 1, "inbox", f"Summer/{self.title}.jpg", "1", "etag", 1, "summer", "Summer", "Ada", NOW, NOW)
        return ItemRecord(*item, media=self.media, prepared=prepared, film=self.film)

    def card(self, sequence: int) -> Card:
        """As an album shows it."""
        width, height = self.size
        files = tuple(
            PublicFile(one.name, one.key, one.format, one.content_type, one.width, one.height) for one in self.renditions
        )
        address = f"/items/{self.id}/"
        names = (self.id, self.kind, self.title, "summer", "Summer", sequence, address, "Ada", "", NOW)
        shape = (width, height, self.media.duration, self.made.placeholder)
        return Card(*names, *shape, files=files, format="jpeg", sensitive=self.sensitive)


def _rendition(key: str, file: RenditionFile) -> Rendition:
    return Rendition(file.name, key, file.format, file.content_type, file.width, file.height, file.bytes, file.sha256)


def picture(path: Path, format: str, folder: Path, *, sensitive: bool = False) -> Piece:
    """A piece of the picture at `path`; its renditions go into a folder of their own in `folder`."""
    (out := folder / path.stem).mkdir()
    return Piece(path.stem, "image", make_renditions(path, format, out, Limits()), sensitive=sensitive)


def video(path: Path, folder: Path) -> Piece:
    """A piece of the video at `path`."""
    (out := folder / path.stem).mkdir()
    (aside := folder / f"{path.stem}-made").mkdir()
    joined = make_video(path, aside, Limits(), SEGMENT_SECONDS)
    stills = make_renditions(joined.poster, "jpeg", out, Limits())
    return Piece(path.stem, "video", stills, Path(shutil.move(joined.video, out / "video.mp4")))


def live(still: Piece, moving: Piece) -> Piece:
    """A Live Photo of a picture's renditions and a video's."""
    made = next(one for one in moving.renditions if one.name == "video")
    return replace(still, film=Film(moving.id, 1.0, (replace(made, name="live"),), "0" * 64))


@dataclass(frozen=True)
class Answer:
    body: bytes
    content_type: str
    policy: str = ""


class Showcase:
    """What a gallery of these pieces answers; `origin` is where it is served."""

    def __init__(self, pieces: list[Piece], origin: str) -> None:
        self.pieces = pieces
        self.origin = origin
        self.files = {f"/{path}": file for piece in pieces for path, file in piece.files.items()}

    def file(self, url: str) -> Path:
        """The rendition that a page shows under this address."""
        return self.files[urlsplit(url).path]

    def get(self, path: str) -> Answer | None:
        if path.startswith("/static/"):
            found = assets.build_static().parents[1] / path.lstrip("/")
            return Answer(found.read_bytes(), assets.TYPES[found.suffix])
        if path in self.files:
            file = self.files[path]
            return Answer(file.read_bytes(), {".jpg": "image/jpeg", ".webp": "image/webp", ".mp4": "video/mp4"}[file.suffix])
        if path.startswith("/review/"):
            return Answer(review_page("Showcase").encode(), HTML, review_policy(self.origin))
        page = self._pages.get(path)
        return Answer(page.encode(), HTML, content_security_policy()) if page else None

    @cached_property
    def _pages(self) -> dict[str, str]:
        site = Site("Showcase")
        cards = [piece.card(number + 1) for number, piece in enumerate(self.pieces)]
        found = {
            card.url: pages.item(site, card, older=cards[number - 1], newer=cards[(number + 1) % len(cards)])
            for number, card in enumerate(cards)
        }
        # An album of each piece, so that every one of them is a cover.
        albums = [Album("summer", card.title, len(cards), NOW, card) for card in cards]
        return found | {"/": pages.home(site, albums), "/albums/summer/": pages.album(site, albums[0], cards)}

    def open(self) -> dict[str, Any]:
        """What Review answers when a link is opened."""

        def show(location: Location) -> str:
            return f"{self.origin}/{location.key}"

        records = [piece.record for piece in self.pieces]
        waits = asdict(Standing("pending", ""))
        items = [{**item_facts(record, "work", show=show, download=show), "standing": waits} for record in records]
        return {"state": "open", "nonce": "n", "refresh_seconds": 900, "more": 0, "items": items}


@contextmanager
def served(pieces: list[Piece]) -> Iterator[Showcase]:
    """The showcase on a free port of 127.0.0.1."""
    assets.build_static()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    server.daemon_threads = True
    _Door.showcase = showcase = Showcase(pieces, f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield showcase
    server.shutdown()
    server.server_close()


class _Door(BaseHTTPRequestHandler):
    showcase: Showcase

    def do_GET(self) -> None:
        answer = self.showcase.get(urlsplit(self.path).path)
        self._say(answer or Answer(b"", HTML), 200 if answer else 404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._say(Answer(json.dumps(self.showcase.open()).encode(), "application/json"))

    def _say(self, answer: Answer, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", answer.content_type)
        self.send_header("content-length", str(len(answer.body)))
        if answer.policy:
            self.send_header("content-security-policy", answer.policy)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""
