"""A mail's envelope: headers that keep robots from answering, a plain text, an HTML text and the pictures inside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from functools import cache
from typing import cast

import jinja2

from tasks.core.errors import BadRequest
from tasks.core.text import one_line


@dataclass(frozen=True)
class Envelope:
    """Who writes to whom, about what. `host` is the gallery's host name: it names the list and the message's id."""

    title: str
    sender: str
    recipient: str
    reply_to: str
    host: str
    sent_at: datetime


@dataclass(frozen=True)
class Picture:
    """A JPEG inside the mail; the HTML shows it as `cid:<cid>`."""

    cid: str
    jpeg: bytes


def message(envelope: Envelope, subject: str, text: str, html: str, pictures: Iterable[Picture] = ()) -> bytes:
    """One MIME message; raises BadRequest when an address is none."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(envelope.sender, envelope.title)
    mail["To"] = _address(envelope.recipient)
    if envelope.reply_to:
        mail["Reply-To"] = _address(envelope.reply_to)
    mail["Subject"] = one_line(subject)
    mail["Date"] = format_datetime(envelope.sent_at)
    mail["Message-ID"] = make_msgid(domain=envelope.host)
    mail["List-Id"] = f"<reviews.{envelope.host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    html_part = cast(EmailMessage, mail.get_body(("html",)))
    for picture in pictures:
        html_part.add_related(picture.jpeg, "image", "jpeg", cid=f"<{picture.cid}>", disposition="inline")
    return mail.as_bytes()


def _address(addr: str, name: str = "") -> Address:
    try:
        return Address(display_name=one_line(name), addr_spec=addr)
    except (ValueError, IndexError) as fault:
        raise BadRequest(f"{addr!r} is no mail address") from fault


@cache
def templates() -> jinja2.Environment:
    """The mail's templates; HTML is escaped, an unknown name is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("tasks.mail"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
