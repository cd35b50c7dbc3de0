"""One lazy session and its clients, made on first use and shared: a function pays only for what it calls."""

from __future__ import annotations

from functools import cached_property
from typing import Any


class Aws:
    """Clients by service name, made when first asked for; in `region` where the environment does not name it."""

    def __init__(self, region: str = "") -> None:
        self._region = region
        self._clients: dict[str, Any] = {}

    @cached_property
    def _session(self) -> Any:
        import boto3

        return boto3.session.Session(region_name=self._region or None)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=self._config)
        return self._clients[service]

    @cached_property
    def link_signer(self) -> Any:
        """The S3 client that signs links. On AWS it names the bucket's own region: left to itself, boto3 signs for the
        global host, which redirects requests for a young bucket elsewhere, and no signature survives a redirect."""
        s3 = self.client("s3")
        if ".amazonaws.com" not in s3.meta.endpoint_url:
            return s3
        from botocore.config import Config

        return self._session.client("s3", config=self._config.merge(Config(s3={"addressing_style": "virtual"})))

    @cached_property
    def _config(self) -> Any:
        from botocore.config import Config

        return Config(
            retries={"mode": "standard", "total_max_attempts": 4},
            connect_timeout=5,
            read_timeout=60,
            signature_version="v4",
            s3={"addressing_style": "auto"},
        )
