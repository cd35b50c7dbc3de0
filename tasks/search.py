"""Search: GET /search?q=, a page rendered from the catalog's inverted index."""

from __future__ import annotations

from tasks.catalog import Catalog
from tasks.core.aws.edge import Edge
from tasks.core.http import HttpRequest, HttpResponse, http_handler
from tasks.core.settings import Settings
from tasks.core.text import one_line
from tasks.site import Site, content_security_policy, pages

LONGEST_QUERY = 200
SUGGESTIONS = 24
HEADERS = {
    "cache-control": "public, max-age=30",
    "content-security-policy": content_security_policy(),
}


def search(request: HttpRequest, *, catalog: Catalog, edge: Edge, settings: Settings) -> HttpResponse:
    """The search page for `q`; without one, an invitation. Anything but GET and HEAD is refused."""
    site = Site(settings.gallery_title, edge.site_url)
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(405, pages.not_found(site), headers={"allow": "GET, HEAD"})
    query = one_line(request.query.get("q", ""), LONGEST_QUERY)
    cards = catalog.search.find(query, limit=pages.SEARCH_LIMIT) if query else []
    return HttpResponse(200, pages.search(site, query, cards, catalog.search.labels(SUGGESTIONS)), headers=HEADERS)


handler = http_handler(search)
