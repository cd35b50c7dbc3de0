"""What every page stands in: the gallery's name and address, the version of its static files, and Jinja2."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.core import text
from tasks.site import view

ROOM = Path(__file__).parent
STATIC = ROOM / "static"
STATIC_ENDINGS = (".css", ".js", ".svg", ".txt")

# What the gallery's own pages may load. Placeholders and proportions are style attributes, never style sheets.
# An upload is posted to the inbox bucket, which has an address of its own; the laptop's is on localhost.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "style-src-attr": "'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def content_security_policy(upload_origins: str = "") -> str:
    """The header's value; `upload_origins` are what the upload page may post files to, besides the site itself."""
    rows = POLICY | {"connect-src": f"'self' {upload_origins}".strip()}
    return "; ".join(f"{name} {value}" for name, value in rows.items())


@dataclass(frozen=True)
class Site:
    """The gallery as its pages name it. `url` is its public origin, without a slash at its end; "" leaves addresses relative."""

    title: str
    url: str = ""

    def absolute(self, path: str) -> str:
        """An address that works outside of the site: in a share's preview, in a feed."""
        return self.url + path


@cache
def static_version() -> str:
    """Ten characters that change with the static files' sources or their libraries' lock file.

    The files are served from a folder of this name, so that they may be cached for a year and a page that was
    rendered before an update goes on finding what it was rendered for.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in STATIC.iterdir() if path.suffix in STATIC_ENDINGS):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:10]


def static(name: str) -> str:
    """The path of a static file on the site."""
    return f"/static/{static_version()}/{quote(name)}"


@cache
def environment() -> Environment:
    """Jinja2 with everything escaped; a name that a template lacks is an error, never an empty string."""
    made = Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(static=static, view=view, text=text)
    return made


def render(template: str, site: Site, **data: Any) -> str:
    """One page as HTML."""
    return environment().get_template(template).render(site=site, **data)
