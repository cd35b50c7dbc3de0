"""`greenroom upload`: every file gets a verdict, and a bad one stops nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cli import main as cli
from infra.deploy.stack import Deployed
from infra.local.state import Stack, lock, write_stack
from tasks.core.errors import error_code


class Inbox:
    """A deployment whose inbox is a real one on moto; `before` happens just before each object arrives."""

    error_code = staticmethod(error_code)
    site_url = "https://gallery.example"

    def __init__(self, world: Any) -> None:
        self.settings, self.catalog, self._store = world.settings, world.catalog, world.store
        self.before: Callable[[str], None] = lambda key: None

    @property
    def store(self) -> Any:
        return self

    def put(self, bucket: str, key: str, *rest: Any, **more: Any) -> str:
        self.before(key)
        return str(self._store.put(bucket, key, *rest, **more))


@pytest.fixture
def inbox(world: Any, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    made = Inbox(world)
    monkeypatch.setattr(Deployed, "local", classmethod(lambda cls, stack: made))
    return made


@pytest.fixture
def upload(inbox: Inbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Runs `greenroom upload`: exit code, output, what it said aside."""
    state = tmp_path / "state"
    state.mkdir()
    held = lock(state)
    write_stack(Stack(os.getpid(), str(state), "http://localhost:8080", "", 8080, 4566, ready=True))

    def run(*words: object) -> tuple[int, str, str]:
        code = cli.main(["upload", *map(str, words), "--album", "Summer", "--by", "Ada", "--state", str(state)])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run
    held.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


def keys(world: Any) -> list[str]:
    return [row["Key"] for row in world.s3.list_objects_v2(Bucket="inbox").get("Contents", [])]


def fill(folder: Path) -> dict[str, str]:
    """A folder of good and bad files; what is wrong with each, "" for nothing, by name."""
    (folder / "a good.jpg").write_bytes(b"1")
    (folder / os.fsdecode(b"b caf\xe9.jpg")).write_bytes(b"2")
    (folder / "c \x1b[31m\n.jpg").write_bytes(b"3")
    (folder / "d empty.jpg").touch()
    os.mkfifo(folder / "e pipe.jpg")
    (folder / "f dangling.jpg").symlink_to("nowhere")
    (folder / "g loop.jpg").symlink_to("g loop.jpg")
    (folder / "h folder.jpg").symlink_to(".")
    (folder / "i sub").mkdir()
    (folder / "i sub" / "good.jpg").write_bytes(b"4")
    (folder / "j also good.jpg").symlink_to("a good.jpg")
    return {
        "a good.jpg": "",
        os.fsdecode(b"b caf\xe9.jpg"): "",
        "c \x1b[31m\n.jpg": "",
        "d empty.jpg": "",  # ValidateMedia has the word for it
        "e pipe.jpg": "is not a file but a pipe, a socket or a device",
        "f dangling.jpg": "is a link that leads nowhere",
        "g loop.jpg": "cannot be read: Too many levels of symbolic links",
        "h folder.jpg": "is a link to a folder, which is not followed",
        "i sub/good.jpg": "",
        "j also good.jpg": "",
    }


def test_every_file_gets_a_verdict_and_a_bad_one_stops_nothing(upload: Any, folder: Path, world: Any) -> None:
    wrong = fill(folder)
    code, out, err = upload(folder, "--json")
    rows = [json.loads(line.encode("utf-8")) for line in out.splitlines()]
    assert [row["reason"] for row in rows] == list(wrong.values())
    assert [row["verdict"] for row in rows] == ["failed" if reason else "uploaded" for reason in wrong.values()]
    assert [bool(row["id"]) for row in rows] == [not reason for reason in wrong.values()]
    assert rows[1]["file"].endswith(r"/b caf\xe9.jpg")
    assert rows[2]["file"].endswith("/c \x1b[31m\n.jpg")
    assert (code, err) == (1, "greenroom: 4 of 10 files were not uploaded\n")
    sent = keys(world)
    names = ["a good.jpg", "b caf_.jpg", "c _[31m_.jpg", "d empty.jpg", "good.jpg", "j also good.jpg"]
    assert sorted(key.rsplit("/", 1)[1] for key in sent) == names
    assert sorted(sent) == sorted(row["key"] for row in rows if row["key"])


def test_in_words_each_verdict_is_a_line(upload: Any, folder: Path) -> None:
    wrong = fill(folder)
    _, out, _ = upload(folder)
    lines = out.splitlines()
    assert len(lines) == len(wrong)
    assert all(line.isprintable() for line in lines)
    assert lines[2].endswith(rf"  {folder}/c \x1b[31m\n.jpg")
    assert lines[5] == f"{'not uploaded':<20}  {folder}/f dangling.jpg: is a link that leads nowhere"


def test_a_file_that_vanishes_meanwhile_is_a_verdict_like_another(upload: Any, folder: Path, inbox: Inbox) -> None:
    for name in "abc":
        (folder / name).write_text(name)
    inbox.before = lambda key: (folder / "b").unlink(missing_ok=True)
    code, out, _ = upload(folder)
    assert code == 1
    assert [line.rsplit(": ", 1)[-1] for line in out.splitlines() if "not uploaded" in line] == ["No such file or directory"]
    assert len(out.splitlines()) == 3


def test_a_file_whose_disk_fails_is_a_verdict_like_another(upload: Any, folder: Path, inbox: Inbox) -> None:
    def fails(key: str) -> None:
        if key.endswith("/b"):
            raise PermissionError(13, "Permission denied", "b")

    for name in "abc":
        (folder / name).write_text(name)
    inbox.before = fails
    code, out, _ = upload(folder)
    assert code == 1
    assert "b: cannot be read: Permission denied" in out
    assert len(out.splitlines()) == 3


def test_what_s3_refuses_is_a_verdict_with_its_words(upload: Any, folder: Path, inbox: Inbox) -> None:
    def too_long(key: str) -> None:
        if key.endswith("/b"):
            said = {"Code": "KeyTooLongError", "Message": "Your key is too long"}  # S3 takes 1,024 bytes at most; moto any
            raise ClientError({"Error": said}, "PutObject")

    for name in "abc":
        (folder / name).write_text(name)
    inbox.before = too_long
    code, out, _ = upload(folder)
    assert code == 1
    assert "b: was refused by S3: " in out
    assert "KeyTooLongError" in out
    assert len(out.splitlines()) == 3


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_one_missing_path_among_many_is_a_verdict(upload: Any, folder: Path, more: tuple[str, ...]) -> None:
    (folder / "a").write_text("a")
    (folder / "empty").mkdir()
    code, out, _ = upload(folder / "gone", folder / "a", folder / "empty", folder / ("x" * 300), "/dev/null", *more)
    assert code == 1
    assert len(out.splitlines()) == 5
    assert [word in out for word in ("No such file", "without files", "File name too long", "a device")] == [True] * 4


def test_whoever_waits_is_told_of_each_as_well(upload: Any, folder: Path, inbox: Inbox, world: Any, make: Any) -> None:
    """The item of the good file ends at once; the bad one is told without waiting for anything."""
    (folder / "a.jpg").write_text("no picture")
    (folder / "b.jpg").symlink_to("nowhere")

    class Settled:
        def get(self, id: str) -> Any:
            item = make.item("a.jpg", id=id)
            world.catalog.items.create(item)
            world.catalog.items.mark(id, "QUARANTINED", attempt=1, reason="not a picture\x1b[31m")
            return world.catalog.items.get(id)

    inbox.catalog = replace(world.catalog, items=Settled())
    code, out, err = upload(folder, "--wait", "--json")
    rows = {Path(row["file"]).name: row for row in map(json.loads, out.splitlines())}
    assert (rows["b.jpg"]["verdict"], rows["b.jpg"]["reason"]) == ("failed", "is a link that leads nowhere")
    assert (rows["a.jpg"]["verdict"], rows["a.jpg"]["status"]) == ("uploaded", "QUARANTINED")
    assert (code, err) == (1, "greenroom: 1 of 2 files were not uploaded\n")
    _, out, err = upload(folder, "--wait")
    assert all(line.isprintable() for line in (out + err).split("\n"))
    assert f"uploaded {folder / 'a.jpg'}" in err
