"""The site's public address."""

from __future__ import annotations

from functools import cached_property

from tasks.core.aws.session import Aws


class Edge:
    """CloudFront: the site's public address."""

    def __init__(self, aws: Aws, site_url_parameter: str) -> None:
        self._aws = aws
        self._parameter = site_url_parameter

    @cached_property
    def site_url(self) -> str:
        """The public origin, without a slash at its end."""
        found = self._aws.client("ssm").get_parameter(Name=self._parameter)
        return str(found["Parameter"]["Value"]).rstrip("/")
