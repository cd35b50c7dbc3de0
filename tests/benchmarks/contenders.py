"""The processes that take turns at a picture: Greenroom, and each of the others that is on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RIVALS = HERE / "rivals"
BENCH = ROOT / ".venv-bench" / "bin" / "python"
SIZES = (2048, 1280, 640, 320)
GREENROOM = [sys.executable, "-m", "tests.benchmarks.rivals.with_greenroom"]


@dataclass
class Contender:
    """A warm process that answers a job a line; `rounds` are its answers for the present picture."""

    name: str
    process: subprocess.Popen[str]
    words: IO[str]  # what it says beside its answers
    rounds: list[dict[str, float]] = field(default_factory=list)

    @staticmethod
    @contextmanager
    def start(name: str, command: list[str]) -> Iterator[Contender]:
        # As functions run: a library's threads and Greenroom's own would fight for the cores.
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with (
            tempfile.TemporaryFile("w+") as words,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
            ) as process,
        ):
            assert process.stdin
            yield Contender(name, process, words)
            process.stdin.close()

    def take_turn(self, source: Path, out: Path) -> dict[str, float]:
        """Its seconds, and its largest child's memory so far. Ends the benchmark, with the last words, when it has ended."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"source": str(source), "out": str(out)}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.words.seek(0)
            raise SystemExit(f"bench: {self.name} ended at {source.name}:\n{self.words.read()[-500:]}")
        return dict(json.loads(answer))


def commands() -> dict[str, list[str]]:
    """How each contender that is on this machine is started; says loudly which are not."""
    known = {"greenroom": GREENROOM}
    for name in ("pyvips", "pillow", "sigal", "libheif"):
        known[name] = [str(BENCH), str(RIVALS / f"with_{name}.py")]
    node = Path(sys.executable).with_name("node")
    known["sharp"] = [str(node if node.exists() else "node"), str(RIVALS / "with_sharp.mjs")]
    if not (HERE / "node_modules" / "sharp").is_dir():
        del known["sharp"]
        print("LEFT OUT: sharp is not installed here (make bench-media installs it with npm)")
    vips = [str(BENCH), str(RIVALS / "with_vips.py")]
    if subprocess.run(vips, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0:
        known["vips"] = vips
    else:
        print("LEFT OUT: no libvips with HEIC is on this machine (Debian: apt install libvips42)")
    magick = imagemagick()
    if magick:
        known["imagemagick"] = [str(BENCH), str(RIVALS / "with_imagemagick.py"), magick]
    else:
        print("LEFT OUT: ImageMagick is not on this machine (Debian: apt install imagemagick)")
    return known


def imagemagick() -> str:
    """The program itself, not a script of that name in front of it; "" where there is none."""
    for folder in os.get_exec_path():
        for name in ("magick", "convert"):
            found = shutil.which(name, path=folder)
            if found and Path(found).read_bytes()[:4] == b"\x7fELF" and _is_imagemagick(found):
                return found
    return ""


def _is_imagemagick(command: str) -> bool:
    said = subprocess.run([command, "-version"], capture_output=True, text=True)
    return said.returncode == 0 and said.stdout.startswith("Version: ImageMagick")
