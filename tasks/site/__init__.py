"""The gallery's pages: albums, items and search results in, HTML out. Knows no AWS."""

from tasks.site import pages
from tasks.site.frame import STATIC, Site, content_security_policy, static, static_version

__all__ = ["STATIC", "Site", "content_security_policy", "pages", "static", "static_version"]
