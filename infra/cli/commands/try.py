"""Validate, convert and shrink local files without any AWS. Every file gets a verdict; a bad one stops nothing."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from infra.cli.common import say, usable_ffmpeg
from infra.cli.files import missing
from infra.errors import Misused

EXAMPLE = """
greenroom try party.heic clip.mov
greenroom try ./photos --out ./renditions --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a file, or a folder with all that is in it")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the renditions here (default: none are kept)")
    parser.add_argument("--ffmpeg", default="", metavar="PATH", help="another ffmpeg, 9 or newer (default: the bundled one)")


def run(given: argparse.Namespace) -> int:
    from infra.cli.try_files import try_files
    from tasks.media import Limits

    usable_ffmpeg(given.ffmpeg)
    if all(map(missing, given.files)):
        raise Misused(f"no such file: {', '.join(map(str, given.files))}")
    # As functions run: a library's threads and Greenroom's own would fight for the cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for row in try_files(given.files, given.out, Limits(), given.ffmpeg):
        say(given, row, _words(row))
    return 0


def _words(row: dict[str, Any]) -> str:
    if row["verdict"] == "rejected":
        facts = row["reason"]
    else:
        size = f" {row['width']} x {row['height']}" if row["width"] else ""
        facts = f"{row['kind']} {row['format']}{size}, {len(row['renditions'])} renditions"
    return f"{row['verdict']:<8}  {row['seconds']:>6.2f} s  {row['file']}: {facts}"
