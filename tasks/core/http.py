"""A Function URL's request and answer (payload format 2.0) as plain values, and the handler around an endpoint."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tasks.core.entrypoint import Services, parts
from tasks.core.errors import BadRequest, Conflict, NotFound
from tasks.core.logs import log, request_scope

MAX_BODY = 256 * 1024
# For these two the distribution answers with the gallery's page for what isn't there, whatever an endpoint said
# (error pages are one set for all origins). An endpoint's reason must arrive, so it leaves under a neighbour's number.
ON_THE_WIRE = {403: 401, 404: 410}
SAFE_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}


@dataclass(frozen=True)
class HttpRequest:
    """One request. Header names are lower case; `query` keeps a name's first value."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = ""

    def json(self) -> Any:
        """The body as JSON; raises BadRequest."""
        try:
            return json.loads(self.body)
        except ValueError as fault:
            raise BadRequest("the request's body is not JSON") from fault

    @classmethod
    def parse(cls, event: dict[str, Any]) -> HttpRequest:
        """Read a Function URL event; raises BadRequest when the body is too large."""
        http = event.get("requestContext", {}).get("http", {})
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        text = event.get("body") or ""
        body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
        if len(body) > MAX_BODY:
            raise BadRequest("the request's body is too large")
        pairs = event.get("cookies") or headers.get("cookie", "").split(";")
        cookies = dict(pair.strip().split("=", 1) for pair in pairs if "=" in pair)
        query = {name: values[0] for name, values in parse_qs(event.get("rawQueryString", ""), keep_blank_values=True).items()}
        # A CloudFront function names the viewer. Without one: the address appended last; what stands before it is the
        # viewer's own claim.
        forwarded = headers.get("x-forwarded-for", "").split(",")[-1].strip()
        return cls(
            method=http.get("method", "GET").upper(),
            path=event.get("rawPath", "/"),
            headers=headers,
            cookies=cookies,
            query=query,
            body=body,
            address=headers.get("x-greenroom-viewer", "") or forwarded or http.get("sourceIp", ""),
        )


@dataclass(frozen=True)
class HttpResponse:
    """One answer. `headers` are added to SAFE_HEADERS and override them."""

    status: int
    body: str = ""
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()

    def event(self) -> dict[str, Any]:
        """As a Function URL answers; 403 and 404 leave as ON_THE_WIRE says."""
        return {
            "statusCode": ON_THE_WIRE.get(self.status, self.status),
            "headers": {**SAFE_HEADERS, "content-type": self.content_type, **self.headers},
            "cookies": list(self.cookies),
            "body": self.body,
        }


def json_response(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, json.dumps(value), "application/json")


def came_by_the_edge(request: HttpRequest, secret: str) -> bool:
    """Whether CloudFront sent it: what comes around it could claim any address for the audit."""
    return not secret or hmac.compare_digest(request.headers.get("x-greenroom-origin", "").encode(), secret.encode())


def http_handler(function: Callable[..., HttpResponse], services: Services | None = None) -> Callable[[Any, Any], Any]:
    """The handler for an endpoint: a caller's mistake is a 4xx with its reason, a fault a 500 without a traceback."""
    _, wanted = parts(function)
    opened = services or Services()

    def handler(event: Any, context: Any) -> Any:
        try:
            with request_scope(function.__name__, {}, context):
                request = HttpRequest.parse(event)
                if not came_by_the_edge(request, opened.settings.origin_secret):
                    return json_response({"error": "Please use the gallery's own address."}, 403).event()
                answer = function(request, **{name: opened.get(kind) for name, kind in wanted.items()})
                log.info("answered", extra={"status": answer.status})
        except NotFound as mistake:
            answer = json_response({"error": mistake.reason}, 404)
        except BadRequest as mistake:
            answer = json_response({"error": mistake.reason}, 400)
        except Conflict as lost:
            answer = json_response({"error": lost.reason}, 409)
        except Exception:  # the last stop before the visitor; request_scope has logged it
            answer = json_response({"error": "Something went wrong here. Please try again in a minute."}, 500)
        return answer.event()

    handler.task = function  # type: ignore[attr-defined]
    return handler
