"""What people do with the site, done over HTTP as the pages' own scripts do it: a contributor uploads, an approver decides."""

from __future__ import annotations

import json
import mimetypes
import re
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from infra.errors import Failed

LINK = re.compile(r"(https?://[^\s/]+)(/review/[A-Za-z0-9_-]+)#([A-Za-z0-9_-]+)")
CODE = re.compile(r"^Your code: (\d{3}) ?(\d{3})", re.MULTILINE)
SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    cookies: tuple[str, ...]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """One request; an answer of any status is an answer. Raises Failed when none comes."""
    request = urllib.request.Request(url, data=body, method=method, headers={"User-Agent": "greenroom demo", **(headers or {})})
    try:
        found = urllib.request.urlopen(request, timeout=SECONDS)
    except urllib.error.HTTPError as refused:
        found = refused
    except OSError as fault:
        raise Failed(f"{url} does not answer: {fault}") from fault
    with found:
        names = {name.lower(): value for name, value in found.headers.items()}
        return Answer(found.status, names, tuple(found.headers.get_all("Set-Cookie") or ()), found.read())


def upload(site: str, path: Path, album: str, contributor: str) -> str:
    """Send one file as the upload page does; its key in the inbox. Raises Failed with the site's own words."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    wish = {"album": album, "name": contributor, "filename": path.name, "type": kind, "size": path.stat().st_size}
    headers = {"Origin": site, "Content-Type": "application/json"}
    answer = ask(f"{site}/api/uploads", "POST", json.dumps(wish).encode(), headers)
    if answer.status != 200:
        raise Failed(f"{path.name} may not be uploaded: {_reason(answer)}")
    form = answer.json()
    boundary = secrets.token_hex(16)
    body = multipart(form["fields"], path, kind, boundary)
    posted = ask(form["url"], "POST", body, {"Origin": site, "Content-Type": f"multipart/form-data; boundary={boundary}"})
    if posted.status not in (200, 201, 204):
        raise Failed(f"S3 refused {path.name}: {_reason(posted)}")
    return str(form["key"])


def multipart(fields: dict[str, str], path: Path, kind: str, boundary: str) -> bytes:
    """The form's fields and then the file, as a browser sends them."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    name = path.name.replace('"', "%22")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    return "".join([*parts, head]).encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()


def _reason(answer: Answer) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status}: {answer.body[:200].decode(errors='replace')}"


@dataclass
class Approver:
    """Somebody who got a mail: opens its link once, then decides."""

    link: str  # the review page, without its fragment
    secret: str = field(repr=False)
    code: str = field(repr=False, default="")
    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    nonce: str = field(default="", repr=False)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def from_mail(cls, text: str) -> Approver:
        """The approver whom a mail's plain text was written to; raises Failed when it has no link."""
        found, code = LINK.search(text), CODE.search(text)
        if not found:
            raise Failed("the mail has no review link")
        return cls(found[1] + found[2], found[3], "".join(code.groups()) if code else "")

    @property
    def origin(self) -> str:
        return "/".join(self.link.split("/")[:3])

    def open(self) -> list[str]:
        """Look at the page and open the link, with the code when it is asked for; the ids of the items that it is about."""
        page = ask(self.link)
        if page.status != 200:
            raise Failed(f"the review page answers {page.status}")
        answer = self._post("open", {"secret": self.secret})
        if answer.status == 401:
            answer = self._post("open", {"secret": self.secret, "code": self.code})
        if answer.status != 200:
            raise Failed(f"the link does not open: {_reason(answer)}")
        opened = answer.json()
        self.nonce = opened["nonce"]
        self.items = {item["id"]: item for item in opened["items"]}
        return list(self.items)

    def decide(self, item: str, verdict: str, reason: str = "") -> str:
        """Decide about one item; what came of it, in the page's words."""
        shown = self.items[item]["sha256"]
        body = {"nonce": self.nonce, "item": item, "verdict": verdict, "sha256": shown, "reason": reason}
        answer = self._post("decide", body)
        if answer.status != 200:
            raise Failed(f"{item}: {_reason(answer)}")
        return str(answer.json().get("message", ""))

    def _post(self, action: str, body: dict[str, str]) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Origin": self.origin, "Content-Type": "application/json", "Cookie": cookie}
        answer = ask(f"{self.link}/{action}", "POST", json.dumps(body).encode(), headers)
        for line in answer.cookies:
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        return answer
