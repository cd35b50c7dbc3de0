"""Breaks one promise at a time in a copy of this checkout and sees whether its tests notice: `python -m tests.mutants`.

tests/mutants.yaml has the mutants. Words after the command choose those whose name, file or promise has one of them. Prints
a table, and exits with 1 when a mutant survives or an entry is out of date.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import yaml

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests" / "mutants.yaml"
AT_ONCE = 2
SECONDS = 240  # for one mutant's tests; a mutant that makes them hang is an entry to mend
BASELINE_SECONDS = 600  # for half of all tests, on the code as it is
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-o", "addopts=", "-rfE")
# pytest's exit codes: only a failed test kills a mutant. A copy that cannot be imported was not tested.
PASSED, FAILED = 0, 1
NAMED = re.compile(r"^(?:FAILED|ERROR) (\S+?(?:\[.*?\])?)(?: - .*)?$", re.MULTILINE)
_stamps = itertools.count(1_000_000_000)


@dataclass(frozen=True)
class Mutant:
    """One change that breaks a promise: `find`, which stands in `file` exactly once, becomes `replace`. `tests` must fail."""

    name: str
    page: str  # where the promise stands, from the checkout's root
    says: str  # its words there
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]

    def complaints(self, root: Path) -> list[str]:
        """Why it cannot be applied to this checkout, one sentence each."""
        found = [self._of_the_file(root / self.file), self._of_the_page(root / self.page)]
        return [f"{self.name}: {words}" for words in found if words]

    def _of_the_file(self, path: Path) -> str:
        if not path.is_file():
            return f"there is no {self.file}"
        times = path.read_text().count(self.find)
        return "" if times == 1 else f"`find` stands in {self.file} {times} times, not once"

    def _of_the_page(self, path: Path) -> str:
        if not path.is_file():
            return f"there is no {self.page}"
        return "" if one_line(self.says) in one_line(path.read_text()) else f"{self.page} does not say {self.says!r}"


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: the test that killed it, or the trouble in words; neither when it survived."""

    mutant: Mutant
    killer: str = ""
    trouble: str = ""

    @property
    def words(self) -> str:
        return f"killed by {self.killer}" if self.killer else self.trouble or "SURVIVED"


def one_line(text: str) -> str:
    """Without line breaks, which move when a paragraph is wrapped anew."""
    return " ".join(text.split())


def read(path: Path = TABLE) -> list[Mutant]:
    """Every entry; raises ValueError for one that lacks a key or has one too many, or whose name is taken."""
    rows = yaml.safe_load(path.read_text())
    mutants = [_mutant(row) for row in rows]
    twice = [name for name, times in Counter(mutant.name for mutant in mutants).items() if times > 1]
    if twice:
        raise ValueError(f"{path.name}: more than one mutant is called {', '.join(twice)}")
    return mutants


def _mutant(row: dict[str, object]) -> Mutant:
    keys = {"name", "promise", "file", "find", "replace", "tests"}
    if row.keys() != keys:
        raise ValueError(f"{row.get('name', row)}: has {sorted(row)}, should have {sorted(keys)}")
    ((page, says),) = row["promise"].items()  # type: ignore[attr-defined]
    texts = {name: str(row[name]) for name in ("name", "file", "find", "replace")}
    return Mutant(page=page, says=says, tests=tuple(row["tests"]), **texts)  # type: ignore[arg-type]


# ---- copies of the checkout ----


@contextmanager
def copies(count: int) -> Iterator[list[Path]]:
    """As many copies of the checkout as it stands (what is ignored left out), which share its .venv."""
    with tempfile.TemporaryDirectory(prefix="greenroom-mutants-") as folder:
        made = [Path(folder) / str(number) for number in range(count)]
        for copy in made:
            _copy(copy)
        yield made


def _copy(target: Path) -> None:
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    for name in names:
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    (target / ".venv").symlink_to(ROOT / ".venv")


@contextmanager
def changed(path: Path, find: str, replace: str) -> Iterator[None]:
    """The file with its mutant in it, and as it was again afterwards.

    Each text gets a time of its own: Python takes bytecode for current when the source's second and size are the same.
    """
    before = path.read_text()
    _write(path, before.replace(find, replace))
    try:
        yield
    finally:
        _write(path, before)


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    stamp = next(_stamps)
    os.utime(path, (stamp, stamp))


# ---- running tests ----


def pytest(copy: Path, tests: Iterable[str], *more: str, seconds: float = SECONDS) -> tuple[int | None, str]:
    """pytest's exit code and what it printed; the code is None where it took too long."""
    # The checkout is installed in .venv as it is: the copy has to come first.
    own = {**os.environ, "PYTHONPATH": str(copy)}
    command = [sys.executable, *PYTEST, *more, *tests]
    child = subprocess.Popen(
        command, cwd=copy, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        child.communicate()
        return None, ""
    return child.returncode, said


def named(said: str) -> list[str]:
    """The tests that pytest's summary names as failed."""
    return NAMED.findall(said)


def run(mutant: Mutant, copy: Path) -> Fate:
    """Its tests against the copy with it in."""
    with changed(copy / mutant.file, mutant.find, mutant.replace):
        code, said = pytest(copy, mutant.tests, "-x")
    if code == FAILED and (failed := named(said)):
        return Fate(mutant, killer=failed[0].split("::", 1)[1])
    if code == PASSED:
        return Fate(mutant)
    if code is None:
        return Fate(mutant, trouble=f"ERROR: its tests take longer than {SECONDS} s")
    return Fate(mutant, trouble=f"ERROR: pytest ends with {code}: {(said.strip().splitlines() or ['without a word'])[-1]}")


def red_before(tests: Iterable[str], copy: Path) -> list[str]:
    """Those of the tests that fail without any mutant: what they say of one means nothing."""
    code, said = pytest(copy, tests, seconds=BASELINE_SECONDS)
    if code == PASSED:
        return []
    return named(said) or [f"pytest ends with {code}: {said.strip()[-300:]}"]


# ---- the whole ----


def judged(mutants: list[Mutant], tell: Callable[[Fate], None]) -> list[Fate]:
    """Every mutant's fate, told as it comes; raises RuntimeError where tests fail without a mutant."""
    with copies(AT_ONCE) as places, ThreadPoolExecutor(AT_ONCE) as pool:
        free: SimpleQueue[Path] = SimpleQueue()
        for place in places:
            free.put(place)
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        halves = [tests[start::AT_ONCE] for start in range(AT_ONCE) if tests[start::AT_ONCE]]
        red = [name for names in pool.map(partial(_red, free), halves) for name in names]
        if red:
            raise RuntimeError("these fail without any mutant: " + ", ".join(red))
        return list(pool.map(partial(_fate, free, tell), mutants))


def _red(free: SimpleQueue[Path], tests: list[str]) -> list[str]:
    with _place(free) as copy:
        return red_before(tests, copy)


def _fate(free: SimpleQueue[Path], tell: Callable[[Fate], None], mutant: Mutant) -> Fate:
    with _place(free) as copy:
        fate = run(mutant, copy)
    tell(fate)
    return fate


@contextmanager
def _place(free: SimpleQueue[Path]) -> Iterator[Path]:
    place = free.get()
    try:
        yield place
    finally:
        free.put(place)


def chosen(mutants: list[Mutant], words: list[str]) -> list[Mutant]:
    """Those that have one of the words in name, file or promise; all where no word is given."""
    return [m for m in mutants if not words or any(word in f"{m.name} {m.file} {m.page} {m.says}" for word in words)]


def main(words: list[str]) -> int:
    mutants = chosen(read(), words)
    stale = [words for mutant in mutants for words in mutant.complaints(ROOT)]
    if stale or not mutants:
        print("\n".join(stale) or f"no mutant has {' or '.join(words)} in its name, file or promise", file=sys.stderr)
        return 1 if stale else 2
    began = time.monotonic()
    print(f"{len(mutants)} mutants; first their tests without any", flush=True)
    try:
        fates = judged(mutants, lambda fate: print(f"  {fate.mutant.name:44}  {fate.words}", flush=True))
    except RuntimeError as fault:
        print(fault, file=sys.stderr)
        return 1
    return _summary(fates, time.monotonic() - began)


def _summary(fates: list[Fate], seconds: float) -> int:
    print()
    for (page, says), rows in itertools.groupby(fates, lambda fate: (fate.mutant.page, fate.mutant.says)):
        print(f"{page}: {one_line(says)}")
        for fate in rows:
            print(f"  {'ok' if fate.killer else '!!'}  {fate.mutant.name} ({fate.mutant.file}): {fate.words}")
    alive = [fate.mutant.name for fate in fates if not fate.killer]
    verdict = f"not killed: {', '.join(alive)}" if alive else "all killed"
    print(f"\n{len(fates)} mutants of {len({fate.mutant.says for fate in fates})} promises in {seconds:.0f} s: {verdict}")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
