"""What reaches a terminal or a script. Names come from strangers: here they are text and can do nothing.

Every command's output goes through this module (a test looks for what goes around it).
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Mapping
from typing import Any

# Categories that a terminal obeys, or that turn, hide or break what stands beside them: controls (C0 and C1), formats (bidi
# overrides), lone surrogates, line and paragraph separators.
ACTIVE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Persian, Indic scripts and emoji are written with these two formats.
JOINERS = "\u200c\u200d"
NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
SURROGATE = re.compile("[\ud800-\udfff]")
NOT_ASCII = re.compile("[^\x00-\x7f]")
UTF_8 = ("utf-8", "utf8")


def out(*lines: str) -> None:
    """Lines on standard output; a line break inside of one is shown as \\n."""
    _write(sys.stdout, lines)


def err(*lines: str) -> None:
    """Lines on standard error, for a person."""
    _write(sys.stderr, lines)


def out_json(facts: Mapping[str, Any]) -> None:
    """One JSON object in a line on standard output, in UTF-8 whatever the locale."""
    text = json_line(facts)
    utf_8 = (sys.stdout.encoding or "").lower() in UTF_8
    sys.stdout.write((text if utf_8 else NOT_ASCII.sub(_json_escape, text)) + "\n")


def _write(stream: Any, lines: tuple[str, ...]) -> None:
    encoding = stream.encoding or "utf-8"
    for line in lines:
        # What the locale cannot say is spelt too, where the stream alone would raise.
        stream.write(printable(line).encode(encoding, "backslashreplace").decode(encoding) + "\n")


def printable(text: str) -> str:
    """A text in one line, with every active character spelt as in bash's $'...': \\n, \\x1b, \\u202e.

    A byte of a file name that is no UTF-8 (PEP 383) is spelt as that byte: \\xff.
    """
    return text if text.isprintable() else "".join(_spelt(char) if _is_active(char) else char for char in text)


def json_line(facts: Mapping[str, Any]) -> str:
    """One JSON object in one line, which any parser reads and any terminal shows.

    Active characters are JSON escapes. A lone surrogate, which JSON cannot hand on (RFC 7493, 2.1), is spelt as `printable` does.
    """
    text = json.dumps(facts, ensure_ascii=False)
    text = SURROGATE.sub(lambda found: "\\" + _spelt(found[0]), text)
    return text if text.isprintable() else "".join(_json_escape(char) if _is_active(char) else char for char in text)


def _is_active(char: str) -> bool:
    return unicodedata.category(char) in ACTIVE and char not in JOINERS


def _spelt(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return NAMED.get(char) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(char: str | re.Match[str]) -> str:
    return json.dumps(str(char if isinstance(char, str) else char[0]))[1:-1]
