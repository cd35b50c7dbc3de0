"""Files that people name on a command line: found in their folders, and what is wrong with one, in words."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path


def found(paths: Iterable[Path]) -> Iterator[Path]:
    """Every path that is no folder, and for a folder all that is in it, in order of name.

    What cannot be taken is among them, for its verdict: a pipe, a link that leads nowhere, a folder that cannot be read or
    has nothing in it. Links to folders are not followed inside of a folder.
    """
    for path in paths:
        if not _is(path.is_dir):
            yield path
            continue
        yield from _inside(path) or [path]


def _inside(folder: Path) -> list[Path]:
    listed: list[Path] = []
    for at, folders, names in os.walk(folder, onerror=lambda fault: listed.append(Path(fault.filename))):
        links = [name for name in folders if _is(Path(at, name).is_symlink)]
        listed.extend(Path(at, name) for name in (*names, *links))
    return sorted(listed)


def _is(check: Callable[[], bool]) -> bool:
    """The answer of `path.is_dir` and the like, which raise where a name is too long or a folder is closed."""
    try:
        return check()
    except OSError:
        return False


def missing(path: Path) -> bool:
    """Whether nothing bears this name."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def trouble(path: Path) -> str:
    """Why a path cannot be read as a file, "" when nothing is known against it. Opens no file: a pipe would wait for ever."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            next(path.iterdir(), None)  # a folder that is closed says so here
    except OSError as fault:
        if isinstance(fault, FileNotFoundError) and _is(path.is_symlink):
            return "is a link that leads nowhere"
        return unreadable(fault)
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISDIR(mode):
        return "is a link to a folder, which is not followed" if _is(path.is_symlink) else "is a folder without files"
    return "is not a file but a pipe, a socket or a device"


def unreadable(fault: OSError) -> str:
    return f"cannot be read: {fault.strerror or fault}"
