"""EBML files (Matroska, WebM): their document type, and whether they are whole."""

from __future__ import annotations

from pathlib import Path

from tasks.core.errors import InvalidMedia

MAGIC = b"\x1a\x45\xdf\xa3"
DOC_TYPE = b"\x42\x82"
SEGMENT = b"\x18\x53\x80\x67"
LOOKED_AT = 256  # bytes that the header takes at most, in files as they are written


def number(data: bytes, at: int) -> tuple[int | None, int]:
    """A size as EBML writes it at `at`, and the bytes that it takes; None when it is unknown, as in a recording under way."""
    if at >= len(data) or not data[at]:
        return None, 1
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big") & ((1 << 7 * length) - 1)
    return (None if value == (1 << 7 * length) - 1 else value), length


def doc_type(head: bytes) -> bytes:
    """`webm`, `matroska`, ...; empty for what is no EBML file."""
    at = head.find(DOC_TYPE, 4, LOOKED_AT)
    if not head.startswith(MAGIC) or at < 0:
        return b""
    size, length = number(head, at + 2)
    begin = at + 2 + length
    return head[begin : begin + (size or 0)].rstrip(b"\0")


def check(path: Path) -> None:
    """Raises InvalidMedia when the segment reaches beyond the file's end. A browser's recording does not say how long it is."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT + 16)
    at = head.find(SEGMENT)
    if at < 0:
        return
    size, length = number(head, at + 4)
    there, promised = path.stat().st_size, at + 4 + length + (size or 0)
    if size is not None and promised > there:
        raise InvalidMedia(f"the file is cut off: it has {there:,} bytes of at least {promised:,}; copy it again")
