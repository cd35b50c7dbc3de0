"""Derived files in the work bucket, and the digest of all that a person is shown of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["image", "video", "document"]
Verdict = Literal["accepted", "rejected"]


@dataclass(frozen=True)
class Rendition:
    """A derived file in the work bucket. `name` is `320w`..`2048w`, `video`, `preview`, `stream/...` or `file`."""

    name: str
    key: str
    format: str
    content_type: str
    width: int = 0
    height: int = 0
    bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Thumbnails:
    """What a person is shown (`$.media.thumbnails`). `sha256` covers every rendition: the approver's decision is bound to it."""

    renditions: tuple[Rendition, ...] = ()
    placeholder: str = ""  # data: URI of at most 1 KB
    sha256: str = ""
    phash: str = ""  # 16 hexadecimal digits, of pictures only; near-duplicates differ in few of their bits


def digest(renditions: Iterable[Rendition]) -> str:
    """SHA-256 over what a person is shown: the sorted names, formats and hashes of all renditions, as compact JSON."""
    return _hashed(sorted([one.name, one.format, one.sha256] for one in renditions))


def shown(pictures: str, film: str) -> str:
    """One digest of a picture's renditions and its film's: the picture's own where there is no film."""
    return _hashed([pictures, film]) if film else pictures


def _hashed(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()
