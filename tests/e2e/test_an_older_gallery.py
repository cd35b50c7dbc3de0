"""A gallery that an older Greenroom made opens with today's: what was published is there, what waited is asked about again.

tests/fixtures/old_gallery.py makes these state folders.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import drawings
import pytest

from infra.local.demo import free_ports

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures").glob("gallery-*.tar.xz"))


@pytest.fixture(scope="module", params=FIXTURES, ids=lambda path: path.name.partition(".")[0])
def older(request: pytest.FixtureRequest, town: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Today's stack in the old one's state folder."""
    state = tmp_path_factory.mktemp("older") / "state"
    with tarfile.open(request.param) as archive:
        archive.extractall(state, filter="data")
    for mail in state.glob("mail/*.eml"):
        mail.unlink()  # their links name the port of then, which another program may have today
    other = type(town)(state, *free_ports())
    other.up()
    yield other
    other.down()


def item(town: Any, filename: str) -> dict[str, Any]:
    found: dict[str, Any] = town.item_of(filename)
    return found


def test_every_item_is_listed_as_it_was_or_waits_again(older: Any) -> None:
    for name in ("meadow.heic", "waves.mov"):
        older.becomes(item(older, name)["id"], "PENDING")
    rows = {row["key"].rsplit("/", 1)[-1]: (row["status"], row["kind"], row["contributor"]) for row in older.greenroom("items")}
    assert rows == {
        "lake.jpg": ("PUBLISHED", "image", "Ada"),
        "programme.pdf": ("PUBLISHED", "document", "Ada"),
        "blurred.jpg": ("REJECTED", "image", "Ada"),
        "meadow.heic": ("PENDING", "image", "Ada"),
        "waves.mov": ("PENDING", "video", "Ada"),
    }


def test_what_was_published_is_shown_with_its_files(older: Any) -> None:
    shown = item(older, "lake.jpg")
    assert "lake" in older.published_page(shown["id"])
    facts = older.show(shown["id"])
    assert facts["publication"]["sequence"] == 1
    assert (facts["width"], facts["height"], facts["decision"]["verdict"]) == (360, 240, "approve")
    files = older.published_files(shown["id"])
    assert len(files) >= 3
    assert all(files.values())
    assert older.get("/albums/summer/").body.decode().count("/items/") >= 2


def test_a_story_of_then_is_told(older: Any) -> None:
    told = older.run("audit", item(older, "lake.jpg")["id"]).stdout
    assert "lake.jpg for Summer from Ada" in told
    for state in ("ValidateMedia", "AwaitApproval", "Publish"):
        assert state in told
    assert "SUCCEEDED in Published" in told
    assert "Decision: approved" in told


def test_a_rejected_one_stays_rejected(older: Any) -> None:
    refused = item(older, "blurred.jpg")["id"]
    assert older.show(refused)["status"] == "REJECTED"
    assert older.get(f"/items/{refused}/").status != 200


@pytest.mark.parametrize("name", ["meadow.heic", "waves.mov"])
def test_what_waited_is_mailed_again_approved_by_the_link_and_published(older: Any, name: str) -> None:
    waiting = item(older, name)["id"]
    before = older.becomes(waiting, "PENDING")
    assert int(before["execution"].rsplit("-", 1)[1]) > 1, "its execution of then ended with the old stack"
    older.decide_by_mail(waiting, "approve")
    older.becomes(waiting, "PUBLISHED")
    older.published_page(waiting)
    assert len(older.published_files(waiting)) >= 3
    story = older.run("audit", waiting).stdout
    assert "ServiceRestart" in story, "its first execution, which the old stack's end killed, is part of its story"
    assert "SUCCEEDED in Published" in story


def test_a_new_photo_is_published_beside_the_old_ones(older: Any, tmp_path: Path) -> None:
    (new,) = older.upload(drawings.jpeg(tmp_path / "today.jpg", 701))
    assert new["status"] == "PENDING"
    older.decide_by_mail(new["id"], "approve")
    older.becomes(new["id"], "PUBLISHED")
    older.published_page(new["id"])

    def both() -> bool:
        page = older.get("/albums/summer/").body.decode()
        return new["id"] in page and item(older, "lake.jpg")["id"] in page

    older.until("the album to show old and new", both)


def test_the_same_bytes_as_then_are_a_duplicate(older: Any, tmp_path: Path) -> None:
    known = item(older, "lake.jpg")
    (original,) = older.state.glob("s3/**/lake.jpg")
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(original.read_bytes())
    (again,) = older.upload(copy)
    assert (again["status"], older.show(again["id"])["duplicate_of"]) == ("DUPLICATE", known["id"])
