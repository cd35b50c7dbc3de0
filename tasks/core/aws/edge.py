"""The site's public address."""

from __future__ import annotations

from functools import cached_property

from tasks.core.aws.session import Aws


class Edge:
    """CloudFront: the site's public address and its invalidations."""

    def __init__(self, aws: Aws, site_url_parameter: str, distribution_id: str) -> None:
        self._aws = aws
        self._parameter = site_url_parameter
        self._distribution = distribution_id

    @cached_property
    def site_url(self) -> str:
        """The public origin, without a slash at its end."""
        found = self._aws.client("ssm").get_parameter(Name=self._parameter)
        return str(found["Parameter"]["Value"]).rstrip("/")

    def invalidate(self, paths: list[str], reference: str) -> None:
        """Forget cached copies of `paths`; nothing to do where no distribution is set."""
        if not self._distribution or not paths:
            return
        self._aws.client("cloudfront").create_invalidation(
            DistributionId=self._distribution,
            InvalidationBatch={"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": reference},
        )
