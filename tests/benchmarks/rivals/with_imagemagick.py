"""ImageMagick's command line: one command that reads the file once and makes each size from the one before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from turns import EFFORT, PLACEHOLDER, QUALITY, SIZES, serve

COMMAND = sys.argv[1]


def prepare(source: Path, out: Path) -> None:
    steps = ["-auto-orient", "-strip", "-quality", str(QUALITY), "-define", f"webp:method={EFFORT}"]
    for size in SIZES:
        steps += ["-resize", f"{size}x{size}>", "-write", str(out / f"{size}w.webp"), "-write", str(out / f"{size}w.jpg")]
    steps += ["-resize", f"{PLACEHOLDER}x{PLACEHOLDER}", str(out / "placeholder.webp")]
    subprocess.run([COMMAND, str(source), *steps], check=True)


if __name__ == "__main__":
    serve(prepare)
