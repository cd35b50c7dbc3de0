"""How fast the local stack is: `make bench`. Prints figures and ratios of one run; asserts nothing.

one     a 12-megapixel JPEG on a warm stack, from the object's arrival in the inbox to the mail to the approver,
        beside the same media work done by `greenroom try`'s code on the same file
burst   200 small photos at once, until the last waits for a person, beside the CPU time of their media work
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from infra.cli.try_files import try_files
from infra.deploy.stack import Deployed
from infra.local.demo import free_ports, running
from infra.local.mailbox import Mailbox
from infra.local.state import Stack
from tasks.core.names import item_id
from tasks.media import Limits

ALBUM = {"album": "Bench", "contributor": "Bench"}


def photograph(path: Path, width: int, height: int, seed: int, grain: float = 12, blur: int = 8) -> Path:
    """A JPEG with the entropy of a photograph: noise blurred over so many pixels, and grain of so many levels under it."""
    dice = random.Random(seed)
    noise = Image.frombytes("RGB", (width // blur, height // blur), dice.randbytes(width // blur * (height // blur) * 3))
    grains = Image.effect_noise((width, height), grain).convert("RGB")
    Image.blend(noise.resize((width, height), Image.Resampling.BICUBIC), grains, 0.3).save(path, quality=88)
    return path


def put(target: Deployed, path: Path) -> str:
    """Drop one file into the inbox; its item's id."""
    bucket, key = target.settings.inbox_bucket, f"Bench/{path.name}"
    version = target.store.put(bucket, key, path.read_bytes(), "image/jpeg", Metadata=ALBUM)
    return item_id(bucket, key, version)


def until(look: Callable[[], Any], pause: float = 0.02, seconds: float = 600) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(pause)
    raise SystemExit("bench: waited in vain")


def media_wall(path: Path) -> float:
    """Wall seconds of validation and renditions of one file, in this warm process."""
    began = time.monotonic()
    (verdict,) = try_files([path], None, Limits())
    if verdict["verdict"] != "accepted":
        raise SystemExit(f"bench: {verdict}")
    return time.monotonic() - began


def media_cpu(paths: list[Path]) -> float:
    """CPU seconds of the same for many files, in a process of its own: forks of this one, full of noise, would cost more."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "infra.cli", "try", "--json", *map(str, paths)], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def one(target: Deployed, mails: Mailbox, folder: Path, rounds: int) -> None:
    waits, works = [], []
    for round in range(rounds + 1):
        path = photograph(folder / f"large-{round}.jpg", 4032, 3024, round)
        wall = media_wall(path)
        known = set(mails.ids())
        began = time.monotonic()
        put(target, path)
        until(lambda known=known: set(mails.ids()) - known)
        if round:  # the first warms the workers up
            waits.append(time.monotonic() - began)
            works.append(wall)
    wait, work = statistics.median(waits), statistics.median(works)
    print(f"12 MP JPEG, arrival to mail (median of {rounds}): {wait:.2f} s; media work alone {work:.2f} s;")
    print(f"  orchestration {wait - work:.2f} s (target: at most 1.5 s), ratio {wait / work:.2f}")


def burst(target: Deployed, folder: Path, count: int) -> None:
    paths = [photograph(folder / f"small-{number}.jpg", 1200, 800, 1000 + number) for number in range(count)]
    work = media_cpu(paths)
    began = time.monotonic()
    ids = [put(target, path) for path in paths]
    sent = time.monotonic() - began

    def ready() -> bool:
        rows = {record.id: record for record in target.catalog.items.newest(limit=count + 50)}
        mine = [rows[id] for id in ids if id in rows]
        if failed := [row for row in mine if row.status not in ("RECEIVED", "PROCESSING", "PENDING")]:
            raise SystemExit(f"bench: {failed[0].id} is {failed[0].status}: {failed[0].reason}")
        return len(mine) == count and all(row.status == "PENDING" for row in mine)

    until(ready, pause=0.5)  # listing 200 items costs more than looking for one mail
    wall, cores = time.monotonic() - began, os.cpu_count() or 1
    target_seconds = 1.5 * work / cores + 30
    print(f"{count} photos of 1 MP: all wait for a person after {wall:.1f} s (sending took {sent:.1f} s of it);")
    print(f"  media work {work:.1f} CPU s on {cores} cores; target 1.5 x work / cores + 30 s = {target_seconds:.1f} s")


@contextmanager
def warm_stack(folder: Path) -> Iterator[tuple[Stack, Deployed]]:
    with running(folder, *free_ports()) as stack:
        yield stack, Deployed.local(stack)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of the single photograph (default: 5)")
    parser.add_argument("--burst", type=int, default=200, help="photos at once (default: 200)")
    given = parser.parse_args(arguments)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as name:
        folder = Path(name)
        with warm_stack(folder / "state") as (stack, target):
            one(target, Mailbox(stack.folder / "mail"), folder, given.rounds)
            burst(target, folder, given.burst)
    return 0


if __name__ == "__main__":
    sys.exit(main())
