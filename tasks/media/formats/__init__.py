"""The formats registry: one row a format, told apart by content alone. A new format is one file and one line here."""

from __future__ import annotations

from tasks.media.formats import documents
from tasks.media.formats.avi import AVI
from tasks.media.formats.avif import AVIF
from tasks.media.formats.bmp import BMP
from tasks.media.formats.cr3 import CR3
from tasks.media.formats.foreign import FOREIGN
from tasks.media.formats.gif import GIF
from tasks.media.formats.heic import HEIC
from tasks.media.formats.jp2 import JP2
from tasks.media.formats.jpeg import JPEG
from tasks.media.formats.m4a import M4A
from tasks.media.formats.m4v import M4V
from tasks.media.formats.mkv import MKV
from tasks.media.formats.mov import MOV
from tasks.media.formats.mp4 import MP4
from tasks.media.formats.mpegts import MPEGTS
from tasks.media.formats.orf import ORF
from tasks.media.formats.png import PNG
from tasks.media.formats.raf import RAF
from tasks.media.formats.raw import RAW
from tasks.media.formats.row import HEAD, Format
from tasks.media.formats.rw2 import RW2
from tasks.media.formats.threegp import THREEGP
from tasks.media.formats.tiff import TIFF
from tasks.media.formats.webm import WEBM
from tasks.media.formats.webp import WEBP

__all__ = ["FORMATS", "HEAD", "SHOWN_EXTENSIONS", "UNKNOWN", "Format", "by_name", "sniff", "sound_of"]

# In the order in which they are tried: the particular before the general.
FORMATS: tuple[Format, ...] = (
    JPEG,
    PNG,
    WEBP,
    GIF,
    HEIC,
    AVIF,
    CR3,
    RAF,
    RW2,
    ORF,
    RAW,
    TIFF,
    BMP,
    JP2,
    M4A,
    M4V,
    THREEGP,
    MOV,
    MP4,
    MKV,
    WEBM,
    AVI,
    MPEGTS,
    *FOREIGN,
    documents.PDF,
    documents.DOCX,
    documents.XLSX,
    documents.PPTX,
    documents.ODT,
    documents.ODS,
    documents.ODP,
    documents.EPUB,
    documents.ZIP,
    documents.GZIP,
    documents.WAV,
    documents.AAC,
    documents.MKA,
    documents.FLAC,
    documents.OGG,
    documents.MP3,
    documents.MARKED_UP,
    documents.TEXT,
)
UNKNOWN = documents.UNKNOWN
# A file with one of these endings promises a picture or a video.
SHOWN_EXTENSIONS = frozenset(end for row in FORMATS if row.kind != "document" for end in row.extensions)

_BY_NAME = {row.name: row for row in (*FORMATS, UNKNOWN)}


def sniff(head: bytes) -> Format | None:
    """The format whose content begins with `head` (the first `HEAD` bytes of a file); None when no row knows it."""
    return next((row for row in FORMATS if row.sniff(head)), None)


def by_name(name: str) -> Format:
    """The row called `name`; raises LookupError naming it."""
    if name not in _BY_NAME:
        raise LookupError(f"no format is called {name!r}; the registry has {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def sound_of(row: Format) -> Format:
    """What a file of a video's format is when it holds no picture: the document of the same container, else data."""
    return next((other for other in FORMATS if other.kind == "document" and other.demuxer == row.demuxer), UNKNOWN)
