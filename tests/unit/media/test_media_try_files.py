"""`greenroom try`: a verdict for every file, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from media_samples import quadrants
from PIL import Image

from infra.try_files import try_files
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
