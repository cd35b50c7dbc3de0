"""SES: whole MIME messages."""

from __future__ import annotations

from tasks.core.aws.session import Aws


class Mailer:
    """SES: whole MIME messages."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    @classmethod
    def open(cls, aws: Aws) -> Mailer:
        return cls(aws)

    def send(self, sender: str, recipient: str, mime: bytes) -> str:
        """Send one MIME message to one address; returns SES's message id."""
        answer = self._aws.client("ses").send_raw_email(Source=sender, Destinations=[recipient], RawMessage={"Data": mime})
        return str(answer["MessageId"])
