"""Reads under which licences a package really comes: its texts and binaries may say another thing than its metadata."""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

NO_TEXT = "no text"
NEVER = "AGPL"
# A name of a licence is no licence: the shortest real ones (0BSD, ISC) have 600 characters.
SHORTEST_TEXT = 400
TEXTS = re.compile(r"(^|[._-])(licen[cs]es?|copying|copyright|notices?|unlicense|thirdparty\w*)([._-]|$)", re.IGNORECASE)
CODE = {".py", ".pyc", ".pyi", ".js", ".cjs", ".mjs", ".ts", ".map", ".json", ".so", ".h", ".css"}
BINARY = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
# FFmpeg keeps the options that it was built with; the names are of libraries under the GPL that wheels like to bundle.
BUILT_AS_GPL = b"--enable-gpl"
GPL_LIBRARY = re.compile(r"^(lib)?(x264|x265|xvidcore|readline)\b")

GNU = r"gnu (?:(affero|lesser|library) )?general public licen[cs]e"
# A text's own title has its date; a text that only mentions the GPL, as MPL-2.0 and FreeType's do, has none there.
TITLE = re.compile(rf"{GNU},? version \d(?:\.\d)?,? (?:\d+ )?(?:february|june|november) \d{{4}}")
GRANT = re.compile(rf"under the terms of (?:version \d(?:\.\d)? of )?the {GNU}")
NAMED = re.compile(r"^\W*(?:spdx-)?licen[cs]e(?:-identifier|-expression| for [^:]*)?:(.+)$", re.IGNORECASE | re.MULTILINE)
SHORT_NAME = re.compile(r"\b([al]?)gpl(?=$|[\s,;)]|-?v?\d)", re.IGNORECASE)
FAMILIES = {"": "GPL", "affero": "AGPL", "lesser": "LGPL", "library": "LGPL", "a": "AGPL", "l": "LGPL"}


@dataclass(frozen=True)
class Package:
    """An installed or unpacked package: its files, and what its metadata says of its licence."""

    name: str
    files: tuple[Path, ...]
    declared: str = ""

    @property
    def texts(self) -> list[Path]:
        return [path for path in self.files if _may_be_text(path)]

    def found(self) -> frozenset[str]:
        """What needs a reason: `no text`, `GPL`, `LGPL`, `AGPL`; empty when nothing does."""
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in self.texts]
        marks = {family for text in [*texts, self.declared] for family in families(text)}
        if any(_is_gpl_binary(path) for path in self.files):
            marks.add("GPL")
        if self.files and not any(len(text) >= SHORTEST_TEXT for text in texts):
            marks.add(NO_TEXT)
        return frozenset(marks)


def families(text: str) -> set[str]:
    """GPL, LGPL, AGPL: those of which `text` is the licence, a grant or a statement; a mention is none of these."""
    plain = re.sub(r"[\s#*/]+", " ", text.lower())
    found = {FAMILIES[match[1] or ""] for pattern in (TITLE, GRANT) for match in pattern.finditer(plain)}
    return found | {family for line in NAMED.findall(text) for family in _stated(line)}


def _stated(expression: str) -> set[str]:
    """The families of a stated licence; none where another one may be chosen instead."""
    choices = [set(SHORT_NAME.findall(choice)) for choice in re.split(r"\bor\b(?![ -]later)", expression, flags=re.IGNORECASE)]
    named = {FAMILIES[letter.lower()] for choice in choices for letter in choice}
    return named if all(choices) or NEVER in named else set()


def _may_be_text(path: Path) -> bool:
    return path.suffix.lower() not in CODE and (bool(TEXTS.search(path.name)) or "licenses" in path.parts)


def _is_gpl_binary(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.read(4).startswith(BINARY):
            return False
        if GPL_LIBRARY.match(path.name):
            return True
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(BUILT_AS_GPL) >= 0


def installed(name: str) -> Package:
    """A Python package of this environment; raises PackageNotFoundError."""
    found = metadata.distribution(name)
    paths = [Path(str(file.locate())) for file in found.files or []]
    return Package(name, tuple(path for path in paths if path.is_file()), _declared(found.metadata.items()))


def unpacked(folder: Path, name: str) -> Package:
    """A wheel's or an npm package's files."""
    return Package(name, tuple(sorted(path for path in folder.rglob("*") if path.is_file())))


def _declared(headers: Iterable[tuple[str, str]]) -> str:
    """Metadata as lines that `families` reads. A text in the `License` field is for its first line only."""
    lines = [f"License: {value.splitlines()[0]}" for name, value in headers if name.startswith("License") and value.strip()]
    affero = [value for name, value in headers if name == "Classifier" and "Affero" in value]
    return "\n".join([*lines, *("License: AGPL-3.0" for _ in affero)])


def npm_packages(lock: Path) -> Iterator[Package]:
    """What a package-lock.json names: with its files where it is installed beside it, and with what the lock says of it."""
    for place, row in json.loads(lock.read_text())["packages"].items():
        if place:
            files = unpacked(lock.parent / place, place).files
            own = tuple(path for path in files if "node_modules" not in path.relative_to(lock.parent / place).parts)
            yield Package(place.rpartition("node_modules/")[2], own, f"License: {row.get('license', '')}")
