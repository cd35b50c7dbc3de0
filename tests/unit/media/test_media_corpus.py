"""`make corpus`: every file of a folder gets a line in the table, and only a crash or a hang fails it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from benchmarks import corpus
from media_samples import quadrants

from tasks.media import Limits


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (inner := tmp_path / "corpus" / "inner").mkdir(parents=True)
    quadrants().save(inner / "a.jpg")
    quadrants().save(inner / "b.png")
    (inner / "c.jpg").write_bytes((inner / "a.jpg").read_bytes()[:200])
    (inner.parent / "d.png").touch()
    (inner.parent / "e.pdf").write_bytes(b"%PDF-1.7")
    return tmp_path / "corpus"


def test_the_table_counts_verdicts_by_format_and_groups_reasons(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert corpus.main([str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    counts = {words[0]: words[1:5] for line in lines[1:7] if (words := line.split())}
    assert counts["pdf"] == ["1", "1", "0", "0"]
    assert counts["png"] == ["2", "1", "1", "0"]
    assert counts["all"] == ["5", "3", "2", "0"]
    assert any("1 x the file is empty" in line for line in lines)
    assert any(line.startswith("largest memory: ") and int(line.split()[-2]) > 10 for line in lines)


def test_reasons_that_differ_in_their_numbers_are_one(tmp_path: Path) -> None:
    rows = [corpus.Outcome(tmp_path / name, "rejected", f"too large: {name} MB", "jpeg", 1.0, 0) for name in ("12.5", "1,300")]
    assert "    2 x too large: # MB" in corpus.by_format(rows)


def test_a_crash_and_a_hang_are_counted_named_and_stop_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = corpus.try_files

    def trying(paths: list[Path], out: None, limits: Limits) -> object:
        match paths[0].name:
            case "a.jpg":
                os._exit(9)
            case "b.png":
                raise RuntimeError("a bug")
            case "c.jpg":
                time.sleep(60)
        return real(paths, out, limits)

    monkeypatch.setattr(corpus, "try_files", trying)
    found = {row.file.name: row for row in corpus.outcomes(folder, Limits(), hangs_after=2.0)}
    assert {name: row.verdict for name, row in found.items()} == {
        "a.jpg": "crashed",
        "b.png": "crashed",
        "c.jpg": "hung",
        "d.png": "rejected",
        "e.pdf": "accepted",
    }
    assert found["b.png"].reason == "RuntimeError: a bug"
    monkeypatch.setattr(corpus, "HANGS_AFTER", 2.0)
    monkeypatch.setattr(corpus, "outcomes", lambda *_: iter(found.values()))
    assert corpus.main([str(folder)]) == 1
    assert "CRASHED: " in capsys.readouterr().out
