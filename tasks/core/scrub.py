"""Takes task tokens and other secrets out of what is kept for years: values, JSON inside strings, and broken JSON too."""

from __future__ import annotations

import json
import re
from typing import Any

REMOVED = "[removed]"
# Member names, without case and separators, whose values nobody may keep.
SECRET_NAMES = ("token", "tasktoken", "secret", "password", "authorization", "cookie", "nonce")
# A known secret that is shorter could be a word of any text.
SHORTEST_SECRET = 16
_BROKEN = re.compile(r'(?i)("|\\")((?:task[_-]?)?token|secret|password|authorization|cookie|nonce)(\\*")(\s*:\s*\\*")([^"\\]+)')
_SIGNED = re.compile(r"(?i)(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s\"'\\]+")


def scrub(value: Any) -> Any:
    """A copy of plain JSON values without secrets.

    Whatever stands under a secret's name is replaced, at any depth and inside strings that are JSON themselves; each such
    value is then replaced wherever else it stands.
    """
    secrets = sorted({found for found in _secrets(value) if len(found) >= SHORTEST_SECRET}, key=len, reverse=True)
    return _clean(value, secrets)


def _is_secret(name: str) -> bool:
    return re.sub(r"[^a-z]", "", name.lower()) in SECRET_NAMES


def _inner(text: str) -> Any:
    """The object or list that a string holds as JSON, else None."""
    if not text.lstrip().startswith(("{", "[", '"')):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict | list | str) else None


def _secrets(value: Any) -> list[str]:
    """Every string that stands under a secret's name."""
    if isinstance(value, dict):
        own = [part for name, part in value.items() if _is_secret(name) and isinstance(part, str)]
        return own + [found for part in value.values() for found in _secrets(part)]
    if isinstance(value, list):
        return [found for part in value for found in _secrets(part)]
    if isinstance(value, str):
        inner = _inner(value)
        return [match[5] for match in _BROKEN.finditer(value)] if inner is None else _secrets(inner)
    return []


def _clean(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {
            _clean_text(name, secrets): REMOVED if _is_secret(name) and part not in (None, "") else _clean(part, secrets)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_clean(part, secrets) for part in value]
    return _clean_string(value, secrets) if isinstance(value, str) else value


def _clean_string(text: str, secrets: list[str]) -> str:
    inner = _inner(text)
    if inner is not None:
        cleaned = _clean(inner, secrets)
        return text if cleaned == inner else json.dumps(cleaned, ensure_ascii=False)
    return _clean_text(text, secrets)


def _clean_text(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, REMOVED)
    text = _BROKEN.sub(lambda match: "".join(match.groups()[:4]) + REMOVED, text)
    return _SIGNED.sub(lambda match: match[1] + REMOVED, text)
