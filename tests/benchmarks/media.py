"""How fast pictures are made, against what one would use instead: `make bench-media`. Prints ratios; asserts nothing.

Every contender makes the same files of the same picture, in a process of its own that is warm: four sizes in WebP and JPEG at
quality 80, and a placeholder. They take turns, so that whatever else the machine does strikes them all; a ratio is the
median of the rounds' own ratios. Greenroom's time includes what the others leave out: a look at the file (inspect), a
sandboxed child for every decoding, and the checksums of what was written.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RIVALS = HERE / "rivals"
BENCH = ROOT / ".venv-bench" / "bin" / "python"
SIZES = (2048, 1280, 640, 320)


@dataclass
class Contender:
    """A warm process that answers a job a line; `rounds` are its answers for the present picture."""

    name: str
    process: subprocess.Popen[str]
    rounds: list[dict[str, float]] = field(default_factory=list)
    likeness: list[float] = field(default_factory=list)

    def take_turn(self, source: Path, out: Path) -> dict[str, float]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"source": str(source), "out": str(out)}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"bench: {self.name} ended at {source.name}")
        return dict(json.loads(answer))


def commands() -> dict[str, list[str]]:
    """How each contender that is on this machine is started; says loudly which are not."""
    known = {"greenroom": [sys.executable, "-m", "tests.benchmarks.rivals.with_greenroom"]}
    for name in ("pyvips", "pillow", "sigal", "libheif"):
        known[name] = [str(BENCH), str(RIVALS / f"with_{name}.py")]
    node = Path(sys.executable).with_name("node")
    known["sharp"] = [str(node if node.exists() else "node"), str(RIVALS / "with_sharp.mjs")]
    if not (HERE / "node_modules" / "sharp").is_dir():
        del known["sharp"]
        print("LEFT OUT: sharp is not installed here (make bench-media installs it with npm)")
    if _imagemagick():
        known["imagemagick"] = [str(BENCH), str(RIVALS / "with_imagemagick.py")]
    else:
        print("LEFT OUT: ImageMagick is not on this machine (Debian: apt install imagemagick)")
    return known


def _imagemagick() -> bool:
    command = shutil.which("magick") or shutil.which("convert")
    if not command:
        return False
    said = subprocess.run([command, "-version"], capture_output=True, text=True)
    return said.returncode == 0 and said.stdout.startswith("Version: ImageMagick")


def inputs(folder: Path, heic: Path | None) -> dict[str, Path]:
    """The pictures, made once: 12 and 48 MP JPEG, 12 MP PNG and HEIC, with the entropy of photographs."""
    from tests.benchmarks.__main__ import photograph

    folder.mkdir(parents=True, exist_ok=True)
    made = {name: folder / name for name in ("12mp.jpg", "48mp.jpg", "12mp.png", "12mp.heic")}
    if not made["12mp.jpg"].exists():
        photograph(made["12mp.jpg"], 4032, 3024, 1)
    if not made["48mp.jpg"].exists():
        photograph(made["48mp.jpg"], 8064, 6048, 2)
    if not made["12mp.png"].exists():
        Image.open(made["12mp.jpg"]).save(made["12mp.png"], compress_level=3)
    if heic:
        made["12mp.heic"] = heic
    elif not made["12mp.heic"].exists():
        import pillow_heif

        print("encoding a 12 MP HEIC takes a while ...", flush=True)
        pillow_heif.from_pillow(Image.open(made["12mp.jpg"])).save(made["12mp.heic"], quality=80)
    return made


def race(contenders: list[Contender], source: Path, rounds: int) -> None:
    """Everybody's turn, round after round; the first round warms up, and its files are compared with the reference."""
    for number in range(rounds + 1):
        for contender in contenders:
            with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as out:
                answer = contender.take_turn(source, Path(out))
                if number:
                    contender.rounds.append(answer)
                else:
                    contender.rounds, contender.likeness = [], likeness(source, Path(out))


def likeness(source: Path, out: Path) -> list[float]:
    """SSIM of each size's WebP to a LANCZOS reduction of the full picture; empty when there are no files."""
    if source.suffix == ".heic" or not (out / "320w.webp").exists():
        return []
    with Image.open(source) as full:
        grey = full.convert("L")
    found = []
    for size in SIZES:
        with Image.open(out / f"{size}w.webp") as shown:
            found.append(ssim(shown.convert("L"), grey.resize(shown.size, Image.Resampling.LANCZOS)))
    return found


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Mean structural similarity of two grey pictures over windows of 8 x 8 pixels."""
    a, b = (numpy.asarray(picture, numpy.float64) for picture in (one, other))
    mean_a, mean_b = _means(a), _means(b)
    var_a, var_b, both = _means(a * a) - mean_a**2, _means(b * b) - mean_b**2, _means(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 6.5025) * (2 * both + 58.5225)
    return float((top / ((mean_a**2 + mean_b**2 + 6.5025) * (var_a + var_b + 58.5225))).mean())


def _means(values: Any, side: int = 8) -> Any:
    sums = numpy.cumsum(numpy.cumsum(numpy.pad(values, ((1, 0), (1, 0))), 0), 1)
    return (sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]) / side**2


def table(title: str, contenders: list[Contender]) -> None:
    ours = contenders[0]
    print(f"\n{title}\n{'':12} {'wall s':>7} {'CPU s':>7}   greenroom / it: wall   CPU   SSIM at 2048, 1280, 640, 320")
    for one in contenders:
        wall, cpu = (statistics.median(row[key] for row in one.rounds) for key in ("wall", "cpu"))
        ratios = [
            statistics.median(a[key] / max(b[key], 1e-6) for a, b in zip(ours.rounds, one.rounds, strict=True))
            for key in ("wall", "cpu")
        ]
        close = " ".join(f"{value:.3f}" for value in one.likeness)
        print(f"{one.name:12} {wall:7.3f} {cpu:7.3f} {ratios[0]:23.2f} {ratios[1]:5.2f}   {close}")
    print(f"largest memory of a sandboxed child so far: {max(row['child'] for row in ours.rounds) / 2**20:.0f} MiB", flush=True)


def entrants(source: Path, everybody: list[Contender]) -> list[Contender]:
    """Who can read this picture."""
    if source.suffix in (".heic", ".heif", ".hif"):
        return [one for one in everybody if one.name in ("greenroom", "pyvips", "pillow", "libheif")]
    return [one for one in everybody if one.name != "libheif"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="make bench-media", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="of every picture (default: 7)")
    parser.add_argument("--heic", type=Path, help="a phone's HEIC instead of a generated one")
    parser.add_argument("--only", choices=("images", "video"), help="one half of it")
    given = parser.parse_args(arguments)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}", flush=True)
    if given.only != "video":
        images(given.rounds, given.heic)
    if given.only != "images" and importlib.util.find_spec("tests.benchmarks.bench_video"):
        from tests.benchmarks import bench_video

        return int(bench_video.main([]) or 0)
    return 0


def images(rounds: int, heic: Path | None) -> None:
    pictures = inputs(ROOT / "build" / "bench-media", heic)
    # As functions run: a library's threads and Greenroom's own would fight for the cores.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with ExitStack() as stack:
        everybody = []
        for name, command in commands().items():
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            stack.callback(process.wait)
            assert process.stdin
            stack.callback(process.stdin.close)
            everybody.append(Contender(name, process))
        for name, source in pictures.items():
            able = entrants(source, everybody)
            race(able, source, rounds)
            table(f"{name} ({source.stat().st_size / 1e6:.1f} MB)", able)


if __name__ == "__main__":
    sys.exit(main())
