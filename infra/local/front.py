"""The front door: http://localhost:8080 is the emulated CloudFront, plus /mailbox and /console, which only the laptop has.

It answers the site's own paths (infra/local/routes.py); the rest of the emulated AWS is not to be had here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import jinja2
from markupsafe import escape

from infra.local import console, routes, service, smtp
from infra.local.mailbox import Mailbox
from infra.local.state import Instance, read_instance
from infra.local.web import Headers, Refused, Request, Response, fetch, serve

HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade", "proxy-connection"}
OWN = HOP | {"host", "x-forwarded-for", "expect"}
LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)
CONSOLE = ("/console", "/console.json")
PICTURES = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
OWN_HEADERS: Headers = [
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", f"{PICTURES}; frame-src 'self'; frame-ancestors 'none'"),
]
# A mail is somebody else's HTML: no script, no form, no request of its own; a link opens in a new tab.
MAIL_HEADERS: Headers = [
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", f"{PICTURES}; sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"),
]


def _pages() -> jinja2.Environment:
    pages = jinja2.Environment(loader=jinja2.PackageLoader("infra.local"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pages.filters["when"] = _when
    return pages


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


@dataclass
class Front:
    """Answers every request on the front door. `find` tells the running stack, None while it is being deployed."""

    find: Callable[[], Instance | None]
    mailbox: Mailbox

    @cached_property
    def _templates(self) -> jinja2.Environment:
        return _pages()

    async def handle(self, request: Request) -> Response:
        # A page on another name that resolves to this machine must not read the mailbox.
        if not LOCAL_HOST.fullmatch(request.header("host")):
            return Response(421, [("content-type", "text/plain")], b"This address answers to localhost only.\n")
        if request.path == "/mailbox" or request.path.startswith("/mailbox/"):
            return self._mailbox(request)
        is_console = request.path in CONSOLE
        if not is_console and not routes.is_ours(request.target):
            return self._page("missing.html", 404, what="page", back="/")
        instance = self.find()
        if instance is None or not instance.domain:
            return self._page("starting.html", 503, retry=2)
        if is_console:
            return await self._console(request, instance)
        return await proxy(request, instance)

    def _page(self, template: str, status: int = 200, **facts: Any) -> Response:
        return Response.html(self._templates.get_template(template).render(**facts), status, OWN_HEADERS)

    def _mailbox(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(405)
        _, _, name, *part = [*request.path.split("/"), ""]
        if not name:
            return self._page("mailbox.html", mails=list(self.mailbox.mails())[::-1])
        try:
            mail = self.mailbox.open(name)
        except KeyError:
            return self._page("missing.html", 404, what="mail", back="/mailbox")
        if part[0] not in ("", "html"):
            return self._page("missing.html", 404, what="page", back="/mailbox")
        if part[0] == "html":
            body = mail.html or f"<pre>{escape(mail.text)}</pre>"
            return Response.html(f'<base target="_blank">{body}', 200, MAIL_HEADERS)
        return self._page("mail.html", mail=mail)

    async def _console(self, request: Request, instance: Instance) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(405)
        facts = await asyncio.to_thread(console.facts, instance)
        if request.path.endswith(".json"):
            return Response.json(facts)
        return self._page("console.html", instance=instance, **facts)


async def proxy(request: Request, instance: Instance) -> Response:
    """Hand a request to the distribution, streaming both ways."""
    headers = [(name, value) for name, value in request.headers if name not in OWN and not routes.is_credential(name)]
    forwarded = ", ".join(filter(None, [request.header("x-forwarded-for"), request.peer]))
    headers += [("host", instance.domain), ("x-forwarded-for", forwarded)]
    try:
        answer = await fetch("127.0.0.1", instance.aws_port, request.method, request.target, headers, request.body)
    except Refused:
        return Response(502, [("content-type", "text/plain")], b"The local AWS does not answer. Is it stopping?\n")
    answer.headers = [(name, value) for name, value in answer.headers if name not in HOP]
    return answer


async def main(options: service.Options) -> None:
    mailbox = Mailbox(options.state / "mail")
    front = Front(lambda: read_instance(options.state), mailbox)
    doors = [await serve(front.handle, options.socket)]
    if options.more and "smtp" in options.more:
        doors.append(await smtp.serve(mailbox.keep, options.more["smtp"]))
    await service.until_stopped()
    for door in doors:
        door.close()


if __name__ == "__main__":
    service.run(main)
