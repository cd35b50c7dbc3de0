"""How fast pictures are made, against what one would use instead: `make bench-media`. Prints ratios, and which aims are met.

Every contender makes the same files of the same picture, in a process of its own that is warm: four sizes in WebP and JPEG at
quality 80, and a placeholder; of a HEIC a full-size JPEG too. They take turns, so that whatever else the machine does strikes
them all; a ratio is the median of the rounds' own ratios. Greenroom's time includes what the others leave out: a look at the
file (inspect), a sandboxed child for every decoding, and the checksums of what was written.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.benchmarks import likeness
from tests.benchmarks.contenders import GREENROOM, ROOT, SIZES, Contender, commands

FOLDER = ROOT / "build" / "bench-media"
HEIC = (".heic", ".heif", ".hif")
LARGE = ("48mp.jpg", "48mp.heic")
MOST_MEMORY = 700
MOST_IMPORT = 0.35
BEYOND_DECODING = 0.8
TILE = 512  # px: phones write HEICs as grids of such tiles
# (picture or its ending, rival, "wall" or "cpu", the largest ratio)
RATIOS = (
    ("12mp-smooth.jpg", "pyvips", "wall", 1.0),
    ("12mp-smooth.jpg", "pyvips", "cpu", 1.2),
    ("12mp-smooth.jpg", "sharp", "cpu", 0.8),
    ("12mp-smooth.jpg", "pillow", "cpu", 0.45),
    ("12mp.jpg", "pyvips", "wall", 1.0),
    ("12mp.jpg", "pyvips", "cpu", 1.2),
    ("12mp.jpg", "sharp", "cpu", 0.8),
    ("12mp.jpg", "pillow", "cpu", 0.45),
    ("48mp.jpg", "pyvips", "cpu", 1.3),
    ("48mp.jpg", "pillow", "cpu", 0.2),
    (".heic", "vips", "cpu", 1.0),
)


@dataclass(frozen=True)
class Aim:
    """One thing that was to be reached, and what was."""

    name: str
    found: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.found >= self.limit if self.at_least else self.found <= self.limit

    @property
    def line(self) -> str:
        wanted = f"wanted {'>=' if self.at_least else '<='} {self.limit:g}"
        return f"{'met   ' if self.met else 'MISSED'}  {self.name:58} {self.found:8.3f}   {wanted}"


def inputs(folder: Path, phones: list[Path]) -> dict[str, Path]:
    """The pictures, made once: JPEGs of 12 MP (one smooth, as of a phone) and 48 MP, PNG, and HEIC where no phones' are given."""
    from tests.benchmarks.__main__ import photograph

    folder.mkdir(parents=True, exist_ok=True)
    made = {name: folder / name for name in ("12mp-smooth.jpg", "12mp.jpg", "48mp.jpg", "12mp.png")}
    if not made["12mp-smooth.jpg"].exists():
        photograph(made["12mp-smooth.jpg"], 4032, 3024, 3, grain=4, blur=32)
    if not made["12mp.jpg"].exists():
        photograph(made["12mp.jpg"], 4032, 3024, 1)
    if not made["48mp.jpg"].exists():
        photograph(made["48mp.jpg"], 8064, 6048, 2)
    if not made["12mp.png"].exists():
        Image.open(made["12mp.jpg"]).save(made["12mp.png"], compress_level=3)
    if phones:
        return made | {path.name: path for path in phones}
    return made | {"12mp.heic": heic(folder / "12mp.heic", made["12mp-smooth.jpg"])}


def heic(path: Path, source: Path) -> Path:
    """The picture as a grid of tiles, made once."""
    if not path.exists():
        import pillow_heif

        print(f"encoding {path.name} takes a while ...", flush=True)
        pillow_heif.options.GRID_TILE_SIZE = TILE
        made = pillow_heif.from_pillow(Image.open(source).convert("RGB"))
        made.save(path, quality=70, enc_params={"preset": "ultrafast"})
    return path


def race(contenders: list[Contender], source: Path, rounds: int) -> None:
    """Everybody's turn, round after round; the first round warms up."""
    for number in range(rounds + 1):
        for contender in contenders:
            if not number:
                contender.rounds = []
            with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as out:
                answer = contender.take_turn(source, Path(out))
                if number:
                    contender.rounds.append(answer)
                elif contender.name != "libheif":
                    complete(contender, Path(out))


def complete(contender: Contender, out: Path) -> None:
    """Every contender makes all the files, or it is no race."""
    missing = [f"{size}w.{end}" for size in SIZES for end in ("webp", "jpg") if not (out / f"{size}w.{end}").exists()]
    if missing:
        raise SystemExit(f"bench: {contender.name} did not make {', '.join(missing)}")


def ratio(ours: Contender, theirs: Contender, kind: str) -> float:
    return statistics.median(a[kind] / max(b[kind], 1e-6) for a, b in zip(ours.rounds, theirs.rounds, strict=True))


def table(title: str, contenders: list[Contender]) -> None:
    print(f"\n{title}\n{'':12} {'wall s':>7} {'CPU s':>7}   greenroom / it: wall   CPU")
    for one in contenders:
        wall, cpu = (statistics.median(row[kind] for row in one.rounds) for kind in ("wall", "cpu"))
        ratios = [ratio(contenders[0], one, kind) for kind in ("wall", "cpu")]
        print(f"{one.name:12} {wall:7.3f} {cpu:7.3f} {ratios[0]:23.2f} {ratios[1]:5.2f}", flush=True)


def verdicts(name: str, contenders: list[Contender]) -> Iterator[Aim]:
    by_name = {one.name: one for one in contenders}
    ours = contenders[0]
    for picture, rival, kind, limit in RATIOS:
        if name.endswith(picture) and (picture == name or picture in HEIC) and rival in by_name:
            yield Aim(f"{name}: {kind} against {rival}", ratio(ours, by_name[rival], kind), limit)
    if "libheif" in by_name:
        beyond = [a["cpu"] - b["cpu"] for a, b in zip(ours.rounds, by_name["libheif"].rounds, strict=True)]
        yield Aim(f"{name}: CPU s beyond libheif's decoding", statistics.median(beyond), BEYOND_DECODING)


def entrants(source: Path, everybody: list[Contender]) -> list[Contender]:
    """Who can read this picture."""
    if source.suffix in HEIC:
        return [one for one in everybody if one.name in ("greenroom", "vips", "pyvips", "libheif")]
    return [one for one in everybody if one.name not in ("libheif", "vips")]


def memory(source: Path) -> Aim:
    """MB of the largest child that one 48 MP picture needs, in a worker of its own."""
    with Contender.start("greenroom", GREENROOM) as ours, tempfile.TemporaryDirectory(prefix="greenroom-bench-") as out:
        child = ours.take_turn(source, Path(out))["child"]
    return Aim(f"{source.name}: MB of memory", child / 2**20, MOST_MEMORY)


def start_up() -> Aim:
    """Seconds that importing MakeThumbnails takes, beyond Python's own start."""
    code = "import time; a = time.perf_counter(); import tasks.make_thumbnails; print(time.perf_counter() - a)"
    taken = [
        float(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout) for _ in range(5)
    ]
    return Aim("seconds to import tasks.make_thumbnails", statistics.median(taken), MOST_IMPORT)


def images(rounds: int, phones: list[Path]) -> list[Aim]:
    pictures = inputs(FOLDER, phones)
    aims: list[Aim] = []
    with ExitStack() as stack:
        everybody = [stack.enter_context(Contender.start(name, command)) for name, command in commands().items()]
        for name, source in pictures.items():
            able = entrants(source, everybody)
            race(able, source, rounds)
            table(f"{name} ({source.stat().st_size / 1e6:.1f} MB)", able)
            aims += verdicts(name, able)
    heic(FOLDER / "48mp.heic", FOLDER / "48mp.jpg")
    aims += [memory(FOLDER / name) for name in LARGE]
    aims.append(start_up())
    likes = [path for name, path in pictures.items() if not name.endswith(".png")]
    worst = likeness.table(likes)
    aims.append(Aim("likeness to libvips before the encoder, worst size", worst["pixels"], likeness.AIM, at_least=True))
    return aims


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="make bench-media", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="of every picture (default: 7)")
    parser.add_argument("--heic", type=Path, nargs="+", default=[], help="phones' HEICs instead of a generated one")
    parser.add_argument("--only", choices=("images", "video"), help="one half of it")
    given = parser.parse_args(arguments)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}", flush=True)
    aims = images(given.rounds, [path.resolve() for path in given.heic]) if given.only != "video" else []
    if aims:
        print("\nAims of the pictures\n" + "\n".join(aim.line for aim in aims), flush=True)
    missed = sum(not aim.met for aim in aims)
    if given.only != "images":
        # In a process of its own: what this one holds by now makes every fork dearer, and would be counted as a worker's memory.
        missed += subprocess.run([sys.executable, "-m", "tests.benchmarks.bench_video"], cwd=ROOT).returncode
    return missed


if __name__ == "__main__":
    sys.exit(main())
