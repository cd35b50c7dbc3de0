"""One version of one object in S3."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """One version of one object. `version` is empty where the bucket keeps none."""

    bucket: str
    key: str
    version: str = ""
