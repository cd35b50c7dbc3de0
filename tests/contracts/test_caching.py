"""How soon a change is seen: names that change live a minute in caches, names with their content a year; nothing is invalidated.

CloudFront's side of it is its documentation's: the managed policy CachingOptimized keeps an object for what its Cache-Control
says, between 1 second and a year, and for a day where it says nothing; an error for the longer of ErrorCachingMinTTL and its
own max-age. The page for an error comes to the browser with the headers of /404.html.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from contracts.house import ROOT
from contracts.templates import RESOURCES
from machines.gallery import Gallery

from infra.dev import assets
from tasks.site import static_version

MINUTE, YEAR = 60, 31_536_000
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
SITE: dict[str, Any] = RESOURCES["Distribution"]["Properties"]["DistributionConfig"]
BEHAVIORS = {"*": SITE["DefaultCacheBehavior"]} | {row["PathPattern"]: row for row in SITE["CacheBehaviors"]}


def seconds(cache: str) -> int:
    """`max-age` of a Cache-Control header; a missing one is a day to CloudFront."""
    found = re.search(r"max-age=(\d+)", cache)
    return int(found.group(1)) if found else 86_400


def holds_its_content(key: str) -> bool:
    """Whether another content would have another name: a digest of 16 digits, or the version of all static files."""
    return re.match(rf"media/[a-z0-9]{{20}}/(hls-)?[0-9a-f]{{16}}[-/]|static/{static_version()}/", key) is not None


def misjudged(told: dict[str, str]) -> dict[str, str]:
    """Of Cache-Control headers by key, those that keep too long what changes, or too short what doesn't."""
    return {
        key: cache
        for key, cache in told.items()
        if (seconds(cache) < YEAR or "immutable" not in cache if holds_its_content(key) else seconds(cache) > MINUTE)
    }


def test_what_a_publication_writes_is_kept_for_as_long_as_its_name_is_true(gallery: Gallery) -> None:
    gallery.upload("cat.jpg").approve()
    s3, bucket = gallery.stage.aws.client("s3"), gallery.stage.settings.site_bucket
    told = {key: s3.head_object(Bucket=bucket, Key=key).get("CacheControl", "") for key in gallery.site.objects()}
    assert {key.split("/")[0] for key in told} == {"media", "items", "albums", "index.html", "upload"}
    assert misjudged(told) == {}


def test_what_a_deploy_writes_is_kept_for_as_long_as_its_name_is_true(tmp_path: Path) -> None:
    folder = tmp_path / "static" / static_version()
    folder.mkdir(parents=True)
    (folder / "site.css").write_text("")
    found = assets.collect("Ours", "https://g.example", tmp_path)
    assert {key.split("/")[0] for key in found} == {"static", "404.html"}
    assert misjudged({key: asset.cache for key, asset in found.items()}) == {}


def test_a_page_that_was_missing_shows_within_a_minute(tmp_path: Path) -> None:
    """CloudFront keeps the error, and a browser that came in its last second keeps the page shown for it."""
    (tmp_path / "static" / static_version()).mkdir(parents=True)
    page = assets.collect("Ours", "https://g.example", tmp_path)["404.html"]
    errors = {row["ErrorCode"]: row for row in SITE["CustomErrorResponses"]}
    assert errors.keys() == {403, 404}
    assert {row["ResponsePagePath"] for row in errors.values()} == {"/404.html"}
    assert max(row["ErrorCachingMinTTL"] for row in errors.values()) + 2 * seconds(page.cache) <= MINUTE


def test_cloudfront_keeps_files_for_what_they_say_and_answers_not_at_all() -> None:
    policies = {path: row["CachePolicyId"] for path, row in BEHAVIORS.items() if row["TargetOriginId"] == "site"}
    assert set(policies.values()) == {CACHING_OPTIMIZED} and policies.keys() == {"*", "/media/*"}
    assert {row["CachePolicyId"] for row in BEHAVIORS.values() if row["TargetOriginId"] != "site"} == {CACHING_DISABLED}
    ttls = [name for row in BEHAVIORS.values() for name in row if name.endswith("TTL")]
    assert ttls == [], "a behaviour's own TTLs would override the objects' headers"


@pytest.mark.parametrize("folder", ["tasks", "infra"])
def test_nothing_invalidates(folder: str) -> None:
    """A call costs $0.005 a path beyond a month's first thousand; that none may is in test_templates.py."""
    calls = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if "create_invalidation" in (getattr(node, "attr", ""), getattr(node, "value", ""))
    }
    assert calls == set()
