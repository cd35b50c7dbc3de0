"""`greenroom try`: a verdict for every file, whatever it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from media_samples import quadrants
from PIL import Image

from infra.cli.try_files import try_files
from tasks.media import Limits

KEYS = ["file", "verdict", "reason", "kind", "format", "width", "height", "taken_at", "renditions", "seconds", "pair"]


def test_every_file_gets_a_verdict_and_a_bad_one_stops_nothing(tmp_path: Path, limits: Limits) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    quadrants().save(folder / "a.jpg")
    (folder / "b.jpg").write_text("no picture")
    (folder / "c.pdf").write_bytes(b"%PDF-1.7")
    (folder / "d.png").touch()
    rows = list(try_files([folder, tmp_path / "nowhere.jpg"], None, limits))
    assert [list(row) for row in rows] == [KEYS] * 5
    assert [(Path(row["file"]).name, row["verdict"], row["kind"]) for row in rows] == [
        ("a.jpg", "accepted", "image"),
        ("b.jpg", "rejected", ""),
        ("c.pdf", "accepted", "document"),
        ("d.png", "rejected", ""),
        ("nowhere.jpg", "rejected", ""),
    ]
    assert "No such file" in rows[4]["reason"]
    assert [row["path"] for row in rows[0]["renditions"]] == ["", ""]


def test_renditions_are_kept_where_one_asks_for_them(
    tmp_path: Path, out: Path, limits: Limits, ffmpeg: Callable[..., None]
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        quadrants().save(tmp_path / name / "a.jpg")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=96x64:d=1", tmp_path / "b.mp4")
    paths = [tmp_path / "one" / "a.jpg", tmp_path / "two" / "a.jpg", tmp_path / "b.mp4"]
    first, second, clip = try_files(paths, out, limits)
    assert [row["name"] for row in clip["renditions"]] == ["video", "preview", "320w", "320w"]
    kept = [Path(row["path"]) for rows in (first, second, clip) for row in rows["renditions"]]
    assert len(set(kept)) == 8
    for row in (*first["renditions"], *second["renditions"]):
        assert Path(row["path"]).stat().st_size == row["bytes"]
        with Image.open(row["path"]) as shown:
            assert shown.size == (row["width"], row["height"]) == (96, 64)
    assert set(out.rglob("*.*")) - set(out.iterdir()) == set(kept)


def test_what_is_no_file_or_has_an_odd_name_stops_nothing_either(
    tmp_path: Path, out: Path, limits: Limits, ffmpeg: Callable[..., None]
) -> None:
    folder = tmp_path / "in"
    (folder / "z nothing").mkdir(parents=True)
    quadrants().save(folder / os.fsdecode(b"a caf\xe9.jpg"))
    quadrants().save(folder / "b \x1b[31m\n\u202e.png")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=96x64:d=1", folder / os.fsdecode(b"c \xff.mp4"))
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", folder / os.fsdecode(b"d \xff.mp3"))
    os.mkfifo(folder / "e pipe.jpg")
    (folder / "f dangling.jpg").symlink_to("nowhere")
    (folder / "g loop.jpg").symlink_to("g loop.jpg")
    (folder / "h linked").symlink_to(".")
    rows = list(try_files([folder, folder / "z nothing", folder / ("x" * 300)], out, limits))
    assert [list(row) for row in rows] == [KEYS] * 10
    assert [(row["verdict"], row["kind"], row["reason"]) for row in rows] == [
        ("accepted", "image", ""),
        ("accepted", "image", ""),
        ("accepted", "video", ""),
        ("accepted", "document", ""),
        ("rejected", "", "is not a file but a pipe, a socket or a device"),
        ("rejected", "", "is a link that leads nowhere"),
        ("rejected", "", "cannot be read: Too many levels of symbolic links"),
        ("rejected", "", "is a link to a folder, which is not followed"),
        ("rejected", "", "is a folder without files"),
        ("rejected", "", "cannot be read: File name too long"),
    ]
    assert all(Path(file["path"]).is_file() for row in rows for file in row["renditions"])


def test_renditions_that_cannot_be_kept_are_a_verdict(tmp_path: Path, out: Path, limits: Limits) -> None:
    for name in ("a.jpg", "b.jpg"):
        quadrants().save(tmp_path / name)
    (out / "a.jpg").write_text("in the way")
    first, second = try_files([tmp_path / "a.jpg", tmp_path / "b.jpg"], out, limits)
    assert (first["verdict"], first["reason"]) == (
        "rejected",
        f"could not be tried on this machine: {out / 'a.jpg'}: File exists",
    )
    assert second["verdict"] == "accepted"
