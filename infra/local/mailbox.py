"""The mails that the local stack sent, kept as .eml files: listed, and opened as a mail program would show them."""

from __future__ import annotations

import base64
import email
import email.policy
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

LINK = re.compile(r"https?://[^\s\"'<>)\]]+")


@dataclass(frozen=True)
class Mail:
    """One mail. `html` has its inline pictures (cid:) as data: URIs; `text` is its plain alternative."""

    id: str
    sent_at: float  # seconds since the epoch
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]
    attachments: tuple[str, ...]

    @property
    def links(self) -> list[str]:
        """Every address in the plain text, in order, each once."""
        return list(dict.fromkeys(LINK.findall(self.text)))


@dataclass(frozen=True)
class Mailbox:
    """A folder of mails; names sort by arrival."""

    folder: Path

    def keep(self, message: bytes) -> str:
        """Write one mail; returns its id. Nobody else on the machine may read it: it holds a personal link."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{time.time_ns():020d}"
        part = self.folder / f"{name}.part"
        part.touch(0o600, exist_ok=False)
        part.write_bytes(message)
        part.rename(self.folder / f"{name}.eml")
        return name

    def ids(self) -> list[str]:
        """Oldest first."""
        return sorted(path.stem for path in self.folder.glob("*.eml"))

    def mails(self) -> Iterator[Mail]:
        """Every mail, oldest first."""
        for name in self.ids():
            yield self.open(name)

    def open(self, name: str) -> Mail:
        """One mail; raises KeyError when there is none of this id."""
        path = self.folder / f"{name}.eml"
        if not name.isdigit() or not path.exists():
            raise KeyError(name)
        return parse(name, path.read_bytes())


def parse(name: str, raw: bytes) -> Mail:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return Mail(
        id=name,
        sent_at=int(name) / 1e9,
        sender=str(message.get("From", "")),
        recipient=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        text=_body(message, "plain"),
        html=_with_pictures(message, _body(message, "html")),
        headers=tuple((key, str(value)) for key, value in message.items()),
        attachments=tuple(part.get_filename() or part.get_content_type() for part in message.iter_attachments()),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""


def _with_pictures(message: EmailMessage, html: str) -> str:
    """Put inline parts where the HTML names them by their content id."""
    for part in message.walk():
        content_id = str(part.get("Content-ID", "")).strip("<> ")
        if content_id and part.get_content_maintype() == "image":
            data = base64.b64encode(part.get_content()).decode()
            html = html.replace(f"cid:{content_id}", f"data:{part.get_content_type()};base64,{data}")
    return html
