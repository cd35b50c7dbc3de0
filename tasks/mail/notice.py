"""A short mail in plain words, for the operator: data in, MIME out."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from tasks.core.text import one_line


def notice(sender: str, recipient: str, subject: str, body: str) -> bytes:
    """One plain-text message. Line breaks in the subject become spaces: a file's name may hold anything."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = one_line(subject, 200)
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip(" >") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message.as_bytes()
