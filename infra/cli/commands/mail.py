"""The mails that the local stack sent, oldest first. On AWS they are in people's inboxes."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from infra.cli.common import say, state_folder
from infra.errors import Misused
from infra.local.mailbox import Mail, Mailbox

EXAMPLE = """
greenroom mail
greenroom mail --open 1
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--open", type=int, metavar="N", help="print the text of the Nth mail of the list")
    parser.add_argument("--to", default="", help="only those to this address")


def run(given: argparse.Namespace) -> int:
    mails = [mail for mail in Mailbox(state_folder(given) / "mail").mails() if given.to.lower() in mail.recipient.lower()]
    if given.open is not None:
        if not 1 <= given.open <= len(mails):
            raise Misused(f"there is no mail {given.open}; there are {len(mails)}")
        mail = mails[given.open - 1]
        head = (f"Subject: {mail.subject}", f"To: {mail.recipient}", "")
        say(given, _facts(given.open, mail), *head, *mail.text.replace("\r\n", "\n").rstrip().split("\n"))
        return 0
    for number, mail in enumerate(mails, 1):
        say(given, _facts(number, mail), f"{number:>3}  {_when(mail)}  {mail.recipient}  {mail.subject}")
    return 0


def _facts(number: int, mail: Mail) -> dict[str, object]:
    return {
        "number": number,
        "id": mail.id,
        "sent_at": _when(mail),
        "from": mail.sender,
        "to": mail.recipient,
        "subject": mail.subject,
        "text": mail.text,
        "links": mail.links,
    }


def _when(mail: Mail) -> str:
    return datetime.fromtimestamp(mail.sent_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
