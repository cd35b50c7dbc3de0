"""Builds the site's static files and collects what is uploaded beside the gallery's pages: `python -m infra.dev.assets`.

esbuild bundles tasks/site/static with the browser libraries of infra/dev/assets/package-lock.json. The result is served from
`static/<version>/`, cached for a year; the version comes from the sources (`tasks.site.static_version`), so that the Lambda
functions know it without a build.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from infra import node, resources
from infra.errors import Failed
from tasks.site import STATIC, Site, pages, static_version

# What the libraries are, where the sources can see it: a changed lock file is a changed version.
LIBRARIES = STATIC / "libraries.txt"

FOREVER = "public, max-age=31536000, immutable"
# CloudFront keeps an error for 10 s and then a browser keeps this page: both must pass before a new page is seen.
BRIEF = "public, max-age=10"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
HTML = "text/html; charset=utf-8"


class Asset(NamedTuple):
    """One file for the site bucket and the headers that it is served with."""

    path: Path
    content_type: str
    cache: str


def collect(title: str, url: str, build: Path | None = None) -> dict[str, Asset]:
    """Every static file, and the page for what is not there, by their key in the site bucket; builds what is missing.

    All other pages are RebuildIndexes'. `build` is the folder for what is built, instead of the usual one. Raises Failed when
    the browser libraries can't be installed or bundled.
    """
    build = build or _build()
    folder = build_static(build)
    prefix = f"static/{static_version()}"
    found = {
        f"{prefix}/{path.name}": Asset(path, TYPES[path.suffix], FOREVER)
        for path in sorted(folder.iterdir())
        if path.suffix in TYPES
    }
    return found | {"404.html": _missing_page(build, pages.not_found(Site(title, url)))}


def _build() -> Path:
    return resources.workshop() / "build"


def _tool() -> Path:
    """The folder with the bundler's script and lock file, and its packages once they are installed."""
    return resources.workshop() / "infra" / "dev" / "assets"


def build_static(build: Path | None = None) -> Path:
    """The folder of the bundled static files; returns at once when it is there already."""
    _note_libraries()
    made = (build or _build()) / "static" / static_version()
    if not made.is_dir():
        node.install(_tool())
        made.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as draft:
            node.run_checked(_tool(), "node", "build.mjs", str(STATIC), draft, static_version())
            _move(Path(draft), made)
    return made


def libraries() -> str:
    """A line that names what the bundle is made with."""
    digest = hashlib.sha256((_tool() / "package-lock.json").read_bytes() + (_tool() / "build.mjs").read_bytes())
    return f"{digest.hexdigest()}\n"


def _note_libraries() -> None:
    if not LIBRARIES.exists() or LIBRARIES.read_text() != libraries():
        LIBRARIES.write_text(libraries())
        static_version.cache_clear()


def _move(draft: Path, made: Path) -> None:
    """Into place at once; another build may have been faster, and made the same."""
    finished = draft / "finished"
    finished.mkdir()
    for path in list(draft.iterdir()):
        if path != finished:
            shutil.move(path, finished / path.name)
    try:
        finished.rename(made)
    except OSError:
        if not made.is_dir():
            raise


def _missing_page(build: Path, html: str) -> Asset:
    path = build / "pages" / "404.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html)
    return Asset(path, HTML, BRIEF)


def main() -> int:
    try:
        folder = build_static()
    except Failed as fault:
        sys.stderr.write(f"{fault}\n")
        return fault.code
    for path in sorted(folder.iterdir()):
        sys.stdout.write(f"{path.relative_to(resources.workshop())}  {path.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
