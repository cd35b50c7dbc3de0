"""Mails that the emulated SES relays are kept whole, for their owner alone, and outlive the stack."""

import asyncio
import smtplib
import stat
from email.message import EmailMessage

import pytest

from infra.errors import Failed
from infra.local import smtp, visitor, web
from infra.local.mailbox import Mailbox


def send(folder, *messages):
    """Send mails as MiniStack does, over SMTP."""

    async def receive():
        sock = web.listen()
        server = await smtp.serve(Mailbox(folder).keep, sock)
        await asyncio.to_thread(relay, sock.getsockname()[1])
        server.close()

    def relay(port):
        for message in messages:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as connection:
                connection.sendmail("greenroom@example.com", ["ada@example.com"], message)

    asyncio.run(receive())


def letter(text, subject="Hello"):
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "greenroom@example.com", "ada@example.com"
    message.set_content(text)
    return message.as_string()


def test_mails_are_kept_in_the_order_of_their_arrival(tmp_path):
    send(tmp_path / "mail", letter("one", "1"), letter("two", "2"))
    assert [mail.subject for mail in Mailbox(tmp_path / "mail").mails()] == ["1", "2"]


def test_a_line_with_a_dot_and_an_umlaut_arrive_as_they_were(tmp_path):
    send(tmp_path, letter(".\n..two\nGrüße 🎉\n"))
    assert next(Mailbox(tmp_path).mails()).text == ".\n..two\nGrüße 🎉\n"


def test_a_large_mail_with_pictures_arrives_whole(tmp_path):
    message = EmailMessage()
    message["Subject"] = "Big"
    message.set_content("see the picture")
    message.add_attachment(b"\0\r\n.\r\n" * 500_000, "image", "jpeg", filename="a.jpg")
    send(tmp_path, message.as_string())
    mail = next(Mailbox(tmp_path).mails())
    assert (mail.text.strip(), mail.attachments) == ("see the picture", ("a.jpg",))


def test_only_its_owner_can_read_a_mail(tmp_path):
    name = Mailbox(tmp_path / "mail").keep(b"Subject: x\n\nlink")
    assert stat.S_IMODE((tmp_path / "mail" / f"{name}.eml").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700


def test_an_approver_finds_link_and_code_in_the_mail():
    text = (
        "1 photo is waiting.\n\nhttp://localhost:8080/review/Ab-1_2#s3cr-ET_9\n\nYour code: 902 257\nThe page asks for it once.\n"
    )
    approver = visitor.Approver.from_mail(text)
    assert (approver.link, approver.secret, approver.code) == ("http://localhost:8080/review/Ab-1_2", "s3cr-ET_9", "902257")
    assert approver.origin == "http://localhost:8080"
    assert "s3cr" not in repr(approver)
    assert "902257" not in repr(approver)


def test_a_mail_without_a_link_is_no_request():
    with pytest.raises(Failed, match="no review link"):
        visitor.Approver.from_mail("Hello operator")
