"""What is listed and downloaded, never shown or run: only these types are served as what they are, the rest as plain bytes."""

from __future__ import annotations

import re
from collections.abc import Callable

from tasks.media.formats import sidecars
from tasks.media.formats.row import OCTETS, Format, starts_with

OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
MARKUP = re.compile(rb"<(?:!doctype|!--|\?xml|\?php|html|head|body|script|svg|iframe|style|[a-z]+:)", re.IGNORECASE)
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def _document(
    name: str, words: str, content_type: str, extensions: tuple[str, ...], sniff: Callable[[bytes], bool], demuxer: str = ""
) -> Format:
    return Format(
        name=name,
        words=words,
        kind="document",
        content_type=content_type,
        extensions=extensions,
        sniff=sniff,
        demuxer=demuxer,
        check=sidecars.check,
    )


def _zip_with(part: bytes) -> Callable[[bytes], bool]:
    """A zip whose first entries name `part`."""
    return lambda head: head.startswith(b"PK\3\4") and part in head


def _open_document(kind: bytes) -> Callable[[bytes], bool]:
    """A zip whose first entry, stored plainly, is its own type."""
    return lambda head: head[30 : 30 + 8] == b"mimetype" and kind in head[38:110]


def is_text(head: bytes) -> bool:
    """UTF-8 without control characters, or text that says its encoding. A character may be cut at the end of `head`."""
    if head.startswith(BOMS[1:]):
        return True
    if not head or CONTROL.search(head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as fault:
        return fault.start >= len(head) - 3
    return True


def is_markup(head: bytes) -> bool:
    """HTML, SVG and XML: a browser that took it for a page would run what is in it."""
    return is_text(head) and bool(MARKUP.search(head.replace(b"\0", b"")))


def is_wave(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def is_adts(head: bytes) -> bool:
    """Two frames of MPEG-4 audio, the second where the first says that it ends."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return False
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length > 6 and head[length : length + 2] == head[:2]


def is_mp3(head: bytes) -> bool:
    """An ID3 tag, or the first frame of MPEG audio layer III."""
    if head.startswith(b"ID3"):
        return True
    return len(head) > 3 and head[0] == 0xFF and head[1] in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2) and head[2] >> 4 not in (0, 15)


PDF = _document("pdf", "a PDF document", "application/pdf", (".pdf",), starts_with(b"%PDF-"))
DOCX = _document("docx", "a Word document", OFFICE + "wordprocessingml.document", (".docx",), _zip_with(b"word/"))
XLSX = _document("xlsx", "a spreadsheet", OFFICE + "spreadsheetml.sheet", (".xlsx",), _zip_with(b"xl/"))
PPTX = _document("pptx", "a presentation", OFFICE + "presentationml.presentation", (".pptx",), _zip_with(b"ppt/"))
ODT = _document("odt", "a text document", OPEN_DOCUMENT + "text", (".odt",), _open_document(b"opendocument.text"))
ODS = _document("ods", "a spreadsheet", OPEN_DOCUMENT + "spreadsheet", (".ods",), _open_document(b"opendocument.spreadsheet"))
ODP = _document("odp", "a presentation", OPEN_DOCUMENT + "presentation", (".odp",), _open_document(b"opendocument.presentation"))
EPUB = _document("epub", "a book", "application/epub+zip", (".epub",), _open_document(b"application/epub+zip"))
ZIP = _document("zip", "a zip archive", "application/zip", (".zip",), starts_with(b"PK\3\4", b"PK\5\6"))
GZIP = _document("gzip", "a gzip archive", "application/gzip", (".gz",), starts_with(b"\x1f\x8b\x08"))
WAV = _document("wav", "sound (WAV)", "audio/wav", (".wav",), is_wave, "wav")
AAC = _document("aac", "sound (AAC)", "audio/aac", (".aac",), is_adts, "aac")
# Matroska without a picture: its first bytes are a video's, so that no sniffing finds it.
MKA = _document("mka", "sound (Matroska)", "audio/x-matroska", (".mka", ".weba"), lambda head: False, "matroska")
FLAC = _document("flac", "sound (FLAC)", "audio/flac", (".flac",), starts_with(b"fLaC"), "flac")
OGG = _document("ogg", "sound (Ogg)", "audio/ogg", (".ogg", ".oga", ".opus"), starts_with(b"OggS"), "ogg")
# AAC may wear an ID3 tag too, which is all that sniffing sees.
MP3 = _document("mp3", "sound (MP3)", "audio/mpeg", (".mp3",), is_mp3, "mp3,aac")
MARKED_UP = _document("markup", "a web page or drawing in text form", OCTETS, (".html", ".svg", ".xml"), is_markup)
TEXT = _document("text", "text", "text/plain", (".txt",), is_text)
UNKNOWN = _document("unknown", "data of an unknown kind", OCTETS, (".bin",), lambda head: True)
