"""Six things are hashed and compared, and each has a type: mypy refuses one digest in the place of another."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTEXT = """
from tasks.catalog import Catalog, Reviews
from tasks.core.models.digests import ShownDigest, shown_digest
from tasks.core.models.item import Item
from tasks.core.models.media import Master, Media
from tasks.core.models.record import ItemRecord
from tasks.core.models.renditions import Rendition, Thumbnails
from tasks.core.models.review import Film, Prepared
from tasks.core.names import public_path, stream_path

def mutants(
    catalog: Catalog, reviews: Reviews, item: Item, media: Media, master: Master, one: Rendition, prepared: Prepared, film: Film,
    record: ItemRecord, posted: ShownDigest,
) -> None:
"""
RIGHT = """
    reviews.request(item, "token", prepared.sha256)
    reviews.expire(item, prepared.sha256)
    reviews.record("id", "approve", approver="a", shown=posted)
    reviews.record("id", "approve", approver="a", shown=shown_digest(prepared.sha256, film.sha256))
    catalog.items.claim_holder(media.sha256)
    public_path("id", "320w", one.sha256, "jpeg")
    stream_path("id", "main.m3u8", prepared.sha256)
    Thumbnails(sha256=prepared.sha256)
"""
# Each line compares, keeps or publishes by the digest of something else.
WRONG = """
    reviews.request(item, "token", media.sha256)
    reviews.request(item, "token", one.sha256)
    reviews.request(item, "token", film.sha256)
    reviews.request(item, "token", record.shown_digest)
    reviews.expire(item, record.shown_digest)
    reviews.expire(item, film.sha256)
    reviews.record("id", "approve", approver="a", shown=prepared.sha256)
    reviews.record("id", "approve", approver="a", shown=film.sha256)
    reviews.record("id", "approve", approver="a", shown="5" * 64)
    shown_digest(record.shown_digest, film.sha256)
    shown_digest(prepared.sha256, prepared.sha256)
    shown_digest(prepared.sha256, one.sha256)
    catalog.items.claim_holder(master.sha256)
    catalog.items.claim_holder(one.sha256)
    catalog.items.release_claim(prepared.sha256, "id")
    public_path("id", "320w", media.sha256, "jpeg")
    public_path("id", "320w", master.sha256, "jpeg")
    public_path("id", "320w", prepared.sha256, "jpeg")
    stream_path("id", "main.m3u8", one.sha256)
    stream_path("id", "main.m3u8", record.shown_digest)
    Thumbnails(sha256=one.sha256)
    Master("bucket", "key", sha256=media.sha256)
    Rendition("file", "key", "pdf", "application/pdf", sha256=media.sha256)
    Rendition("video", "key", "mp4", "video/mp4", sha256=master.sha256)
"""


def refused(tmp_path: Path, lines: str) -> list[str]:
    """Those of the lines that mypy finds an argument of another type in."""
    snippet = tmp_path / "mutants.py"
    snippet.write_text(CONTEXT + lines.lstrip("\n"))
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", "--no-error-summary", snippet]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode in (0, 1) and not told.stderr, told.stderr
    numbers = {int(found) for found in re.findall(r"mutants\.py:(\d+): error: .*\[arg-type\]", told.stdout)}
    return [line.strip() for number, line in enumerate(snippet.read_text().splitlines(), 1) if number in numbers]


def test_a_digest_in_the_place_of_another_is_a_type_error(tmp_path: Path) -> None:
    assert refused(tmp_path, WRONG) == [line.strip() for line in WRONG.strip().splitlines()]


def test_the_digest_that_belongs_there_is_none(tmp_path: Path) -> None:
    assert refused(tmp_path, RIGHT) == []
