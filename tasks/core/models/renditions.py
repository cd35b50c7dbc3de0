"""Derived files in the work bucket: what a person is shown of an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.core.models.digests import FileSha256, RenditionsDigest

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
    sha256: FileSha256 = FileSha256("")


@dataclass(frozen=True)
class Thumbnails:
    """What a person is shown (`$.media.thumbnails`). `sha256` covers every rendition: the approver's decision is bound to it."""

    renditions: tuple[Rendition, ...] = ()
    placeholder: str = ""  # data: URI of at most 1 KB
    sha256: RenditionsDigest = RenditionsDigest("")
    phash: str = ""  # 16 hexadecimal digits, of pictures only; near-duplicates differ in few of their bits
