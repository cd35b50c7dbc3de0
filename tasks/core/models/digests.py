"""The SHA-256 digests that Greenroom compares, 64 hexadecimal digits each: one type for each thing that is hashed.

Where a fact is stored or travels as JSON its field is called `sha256` whatever it is of: rows, payloads and audit records of
earlier versions have that name. The type says which digest it is, and mypy refuses one in place of another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NewType

if TYPE_CHECKING:
    from tasks.core.models.renditions import Rendition

OriginalSha256 = NewType("OriginalSha256", str)  # the uploaded bytes: what makes a duplicate
MasterSha256 = NewType("MasterSha256", str)  # the file that everything shown is made from
FileSha256 = NewType("FileSha256", str)  # one file: a rendition in the work bucket, or whatever was just read
RenditionsDigest = NewType("RenditionsDigest", str)  # all renditions of an item
FilmDigest = NewType("FilmDigest", str)  # all renditions of a Live Photo's film; "" for a picture without one
ShownDigest = NewType("ShownDigest", str)  # all that an approver is shown, a film included: a decision is bound to it
UrlDigest = NewType("UrlDigest", str)  # the first 16 digits of one of these, in a published address


def file_sha256(path: Path) -> FileSha256:
    """Of a file on this disk."""
    with path.open("rb") as file:
        return FileSha256(hashlib.file_digest(file, "sha256").hexdigest())


def renditions_digest(renditions: Iterable[Rendition]) -> RenditionsDigest:
    """Over the sorted names, formats and hashes of all of an item's renditions, as compact JSON."""
    return RenditionsDigest(_over(renditions))


def film_digest(renditions: Iterable[Rendition]) -> FilmDigest:
    """The same over what a picture takes of its film."""
    return FilmDigest(_over(renditions))


def shown_digest(renditions: RenditionsDigest, film: FilmDigest) -> ShownDigest:
    """A picture's renditions and its film's together; those of the renditions alone where there is no film."""
    return ShownDigest(_hashed([renditions, film]) if film else renditions)


def url_digest(digest: FileSha256 | RenditionsDigest) -> UrlDigest:
    """As it stands in an address: a file's own, or for a stream's files, which name one another, that of all renditions."""
    return UrlDigest(digest[:16])


def _over(renditions: Iterable[Rendition]) -> str:
    return _hashed(sorted([one.name, one.format, one.sha256] for one in renditions))


def _hashed(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()
