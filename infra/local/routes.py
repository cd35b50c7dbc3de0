"""Which requests the front door passes on to the emulated AWS: the site's own paths in their plainest spelling, nothing else.

The emulator looks at a path before it looks at the host: `/_ministack/reset` wipes it, `/health` answers, under any name.
What is refused here never reaches it.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

# First segments of what the distribution serves: from the site bucket, and from the endpoints behind it.
PAGES = frozenset({"index.html", "404.html", "albums", "items", "media", "static", "upload"})
ENDPOINTS = frozenset({"api", "review", "search"})

# No empty segment and none that begins with a dot; RFC 3986's characters of a segment.
PATH = re.compile(r"(/(?!\.)[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+/?")
# Encoded without need (RFC 3986, 6.2.2.2), or so that a second reader takes it for a path's own: / \ % and control characters.
NEEDLESS = re.compile(r"[A-Za-z0-9._~/\\%\x00-\x1f\x7f-]")
# The emulator takes a caller's account and service from these, whatever host and path are asked for.
CREDENTIALS = ("x-amz-", "awsaccesskeyid")


def is_ours(target: str) -> bool:
    """Whether a request target (path and query as they came) is an address of the site."""
    path, _, query = target.partition("?")
    return _is_page(path) and not any(name.casefold().startswith(CREDENTIALS) for name, _ in parse_qsl(query, True))


def is_credential(header: str) -> bool:
    """Whether a header (lower case) speaks to AWS itself; nobody's browser sends it to a site."""
    return header == "authorization" or header.startswith(("x-amz-", "x-amzn-"))


def _is_page(path: str) -> bool:
    if path == "/":
        return True
    return bool(PATH.fullmatch(path)) and path.split("/")[1] in PAGES | ENDPOINTS and all(map(_needed, path.split("%")[1:]))


def _needed(escape: str) -> bool:
    """Whether what follows a % is an octet that has to be encoded."""
    digits = re.match(r"[0-9A-Fa-f]{2}", escape)
    return bool(digits) and not NEEDLESS.match(chr(int(escape[:2], 16)))
