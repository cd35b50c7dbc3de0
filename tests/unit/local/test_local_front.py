"""The front door: the distribution behind its own name, streamed; a mailbox and a console beside it; nobody else's pages."""

import asyncio
from email.message import EmailMessage

import pytest

from infra.local import web
from infra.local.front import Front
from infra.local.mailbox import Mailbox
from infra.local.state import Stack

DOMAIN = "e1234567890.cloudfront.net"
FILM = bytes(range(256)) * 4096


class Behind:
    """Stands for MiniStack: notes what it is asked, answers ranges of a film."""

    def __init__(self):
        self.asked = []
        self.bodies = []

    async def handle(self, request):
        self.asked.append(request)
        self.bodies.append(await request.read())
        if wanted := request.header("range"):
            first, last = (int(part) for part in wanted.removeprefix("bytes=").split("-"))
            part = FILM[first : last + 1]
            return web.Response(206, [("content-range", f"bytes {first}-{last}/{len(FILM)}"), ("connection", "close")], part)
        return web.Response(200, [("content-type", "video/mp4"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], FILM)


@pytest.fixture
def door(tmp_path):
    """Runs a story with a front door whose distribution is `Behind`; `ready` False: while it is being deployed."""

    def run(story, ready=True):
        async def tell():
            behind, sock, back = Behind(), web.listen(), web.listen()
            port = back.getsockname()[1]
            domain = DOMAIN if ready else ""
            stack = Stack(1, str(tmp_path), "http://localhost", f"http://localhost:{port}", 0, port, domain=domain)
            front = Front(lambda: stack, Mailbox(tmp_path / "mail"))
            servers = [await web.serve(behind.handle, back), await web.serve(front.handle, sock)]

            async def ask(target, method="GET", headers=(), body=b"", host="localhost:8080"):
                given = [("host", host), *headers, *([("content-length", str(len(body)))] if body else [])]
                answer = await web.fetch("127.0.0.1", sock.getsockname()[1], method, target, given, body)
                return answer, b"".join([chunk async for chunk in answer.body])

            await story(ask, behind)
            for server in servers:
                server.close()

        asyncio.run(tell())

    return run


def header(answer, name):
    return [value for key, value in answer.headers if key == name]


def test_a_visitor_reaches_the_distribution_under_its_own_name(door):
    async def story(ask, behind):
        answer, body = await ask("/media/a%20b.mp4?x=1", headers=[("x-forwarded-for", "203.0.113.9")])
        assert (answer.status, body) == (200, FILM)
        assert header(answer, "set-cookie") == ["a=1", "b=2"]
        request = behind.asked[0]
        assert request.target == "/media/a%20b.mp4?x=1"
        assert request.header("host") == DOMAIN
        assert request.header("x-forwarded-for") == "203.0.113.9, 127.0.0.1"

    door(story)


def test_a_player_gets_the_range_that_it_asks_for(door):
    async def story(ask, behind):
        answer, body = await ask("/media/film.mp4", headers=[("range", "bytes=1000-1999")])
        assert (answer.status, body) == (206, FILM[1000:2000])
        assert header(answer, "content-range") == [f"bytes 1000-1999/{len(FILM)}"]

    door(story)


def test_what_is_posted_arrives_whole(door):
    async def story(ask, behind):
        await ask("/api/uploads", "POST", [("content-type", "application/json")], FILM)
        assert behind.bodies == [FILM]
        assert behind.asked[0].method == "POST"

    door(story)


def test_a_head_has_no_body(door):
    async def story(ask, behind):
        answer, body = await ask("/", "HEAD")
        assert (answer.status, body) == (200, b"")

    door(story)


@pytest.mark.parametrize("path", ["/", "/mailbox", "/console"])
def test_another_name_that_resolves_to_this_machine_sees_nothing(door, path):
    async def story(ask, behind):
        answer, _ = await ask(path, host="rebound.example:8080")
        assert answer.status == 421
        assert behind.asked == []

    door(story)


def test_while_the_stack_is_being_deployed_a_page_says_so(door):
    async def story(ask, behind):
        answer, body = await ask("/")
        assert answer.status == 503
        assert b"being deployed" in body

    door(story, ready=False)


def test_when_aws_is_gone_the_door_says_so():
    async def story():
        gone = web.listen()
        port = gone.getsockname()[1]
        gone.close()
        stack = Stack(1, "/", "http://localhost", "", 0, port, domain=DOMAIN)
        sock = web.listen()
        server = await web.serve(Front(lambda: stack, None).handle, sock)
        answer = await web.fetch("127.0.0.1", sock.getsockname()[1], "GET", "/", [("host", "localhost")])
        server.close()
        return answer.status

    assert asyncio.run(story()) == 502


def mail(subject="To review", html='<p>Look</p><img src="cid:one"><script>alert(1)</script>'):
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "greenroom@example.com", "ada@example.com"
    message.set_content("Your link: https://site.example/review/abc#secret\n")
    message.add_alternative(html, subtype="html")
    message.get_payload()[1].add_related(b"\x89PNG picture", "image", "png", cid="<one>")
    return message.as_bytes()


def test_a_mail_is_shown_with_its_pictures_and_can_do_nothing(door, tmp_path):
    name = Mailbox(tmp_path / "mail").keep(mail("<b>Bold</b>"))

    async def story(ask, behind):
        _, listed = await ask("/mailbox")
        assert b"&lt;b&gt;Bold&lt;/b&gt;" in listed
        _, page = await ask(f"/mailbox/{name}")
        assert f'src="/mailbox/{name}/html"'.encode() in page
        answer, body = await ask(f"/mailbox/{name}/html")
        assert b'<img src="data:image/png;base64,' in body
        assert b'<base target="_blank">' in body
        policy = header(answer, "content-security-policy")[0]
        assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
        assert "allow-scripts" not in policy
        assert "default-src 'none'" in policy
        assert header(answer, "cache-control") == ["no-store"]
        assert behind.asked == []

    door(story)


@pytest.mark.parametrize("path", ["/mailbox/123", "/mailbox/..%2f..%2fetc", "/mailbox/../stack", "/mailbox/x/html"])
def test_no_such_mail(door, path):
    async def story(ask, behind):
        assert (await ask(path))[0].status == 404

    door(story)


def test_the_mailbox_is_only_read(door):
    async def story(ask, behind):
        assert (await ask("/mailbox", "POST", body=b"x"))[0].status == 405

    door(story)
