"""What an endpoint makes of CloudFront's secret, the viewer's address, and the error pages of the distribution."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.core.entrypoint import Services
from tasks.core.errors import NotFound
from tasks.core.http import HttpRequest, HttpResponse, http_handler, json_response
from tasks.core.settings import Settings

BUCKETS = dict.fromkeys(("inbox_bucket", "work_bucket", "site_bucket", "audit_bucket"), "bucket")


def greet(request: HttpRequest) -> HttpResponse:
    if request.path == "/missing":
        raise NotFound("there is no such thing")
    return json_response({"address": request.address}, 403 if request.path == "/forbidden" else 200)


def ask(path: str = "/", secret: str = "", **headers: str) -> tuple[int, Any]:
    settings = Settings(
        **BUCKETS, catalog_table="catalog", reviews_table="reviews", site_url_parameter="/site-url", origin_secret=secret
    )
    event = {
        "rawPath": path,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}},
    }
    answer = http_handler(greet, Services(settings))(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def test_whoever_comes_around_cloudfront_is_refused() -> None:
    assert ask(secret="cloudfront knows")[0] == 401
    assert ask(secret="cloudfront knows", x_greenroom_origin="a guess")[0] == 401
    assert ask(secret="cloudfront knows", x_greenroom_origin="cloudfront knows")[0] == 200


def test_the_address_is_cloudfronts_word_for_it() -> None:
    claimed = {"x_forwarded_for": "6.6.6.6, 198.51.100.9", "cloudfront_viewer_address": "6.6.6.6:443"}
    assert ask(**claimed, x_greenroom_viewer="203.0.113.7")[1] == {"address": "203.0.113.7"}
    assert ask(**claimed)[1] == {"address": "198.51.100.9"}
    assert ask()[1] == {"address": "192.0.2.1"}


@pytest.mark.parametrize(("path", "number"), [("/forbidden", 401), ("/missing", 410)])
def test_a_reason_arrives_in_spite_of_the_distributions_error_pages(path: str, number: int) -> None:
    assert ask(path)[0] == number
