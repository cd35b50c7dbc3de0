"""The front door: the distribution behind its own name, streamed; a mailbox and a console beside it; nobody else's pages."""

import asyncio
from email.message import EmailMessage

import pytest

from infra.deploy import package
from infra.local import web
from infra.local.front import Front
from infra.local.mailbox import Mailbox
from infra.local.state import Instance
from tasks.core.names import public_path, stream_path
from tasks.site import static_version
from tasks.site.view import address, album_url, search_url, upload_url

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
            stack = Instance(1, str(tmp_path), "http://localhost", f"http://localhost:{port}", 0, port, domain=domain)
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


# What MiniStack answers whatever Host it is asked under, other services' paths, buckets, and other spellings of all these.
FOREIGN = [
    "/_ministack/reset",
    "/_ministack/config",
    "/_ministack/ses/messages",
    "/_localstack/health",
    "/_localstack/init",
    "/health",
    "/_aws/execute-api/a/b/c",
    "/_aws/lambda-url/abc/",
    "/2015-03-31/functions/greenroom-Sweep/invocations",
    "/v2/email/outbound-emails",
    "/iceberg/v1/config",
    "/oauth2/authorize",
    "/.well-known/openid-configuration",
    "/greenroom-inbox-000000000000-us-east-1",
    "/greenroom-inbox-000000000000-us-east-1/Summer/a.jpg",
    "/greenroom-site-000000000000-us-east-1/index.html",
    "//_ministack/reset",
    "///health",
    "/./_ministack/reset",
    "/../_ministack/reset",
    "/albums/../_ministack/reset",
    "/albums//../../_ministack/reset",
    "/albums/%2e%2e/_ministack/reset",
    "/albums/.%2E/_ministack/reset",
    "/albums/%252e%252e/_ministack/reset",
    "/albums/..%2f_ministack%2freset",
    "/albums/..%5c_ministack%5creset",
    "/albums\\..\\_ministack\\reset",
    "/%5fministack/reset",
    "/%5Fministack/reset",
    "/%255fministack/reset",
    "/_%6dinistack/reset",
    "/%2f_ministack/reset",
    "/%2e/_ministack/reset",
    "/%68ealth",
    "/health?x=/albums/",
    "/_ministack/reset?/albums/",
    "/_ministack/reset#/albums/",
    "/albums/#/../_ministack/reset",
    "/albums/a%00b",
    "/albums/a%0d%0ab",
    "/albums/a%",
    "/albums/a%4",
    "/albums/a%zz",
    "/albumsx/",
    "/ALBUMS/",
    "/mailboxes",
    "/consoles",
    "/console/",
    "/favicon.ico",
    "*",
    "_ministack/reset",
    "http://localhost:8080/_ministack/reset",
    "http://localhost:8080/albums/",
    "http://localhost:4566/_ministack/reset",
]


@pytest.mark.parametrize("target", FOREIGN)
def test_what_is_no_address_of_the_site_never_reaches_the_emulator(door, target):
    async def story(ask, behind):
        for method, body in (("GET", b""), ("POST", b"Action=Reset"), ("OPTIONS", b"")):
            answer, _ = await ask(target, method, body=body)
            assert answer.status == 404
        assert behind.asked == []

    door(story)


def test_a_foreign_page_cannot_speak_to_aws_through_the_site(door):
    """Whoever names an account or a service in the query, or in a header, is not served by the distribution any more."""

    async def story(ask, behind):
        scope = "111111111111/20260101/us-east-1/sqs/aws4_request"
        for query in (f"X-Amz-Credential={scope}", f"a=1&x-amz-credential={scope}", "X%2DAmz-Target=x", "AWSAccessKeyId=1"):
            assert (await ask(f"/api/uploads?{query}", "POST", body=b"Action=PurgeQueue"))[0].status == 404
        assert behind.asked == []
        spoken = [("authorization", f"AWS4-HMAC-SHA256 Credential={scope}"), ("x-amz-target", "DynamoDB_20120810.DeleteTable")]
        await ask("/api/uploads", "POST", headers=[*spoken, ("x-amz-date", "now"), ("accept", "*/*")], body=b"{}")
        named = {name for name, _ in behind.asked[0].headers}
        assert "accept" in named
        assert named.isdisjoint({"authorization", "x-amz-target", "x-amz-date"})

    door(story)


def test_two_hosts_in_one_request_are_refused(door):
    async def story(ask, behind):
        with pytest.raises(web.Refused):
            await ask("/", headers=[("host", "e1234567890.cloudfront.net")])
        assert behind.asked == []

    door(story)


def the_sites_own():
    """An address of each kind that the site has: what CloudFront is told, what pages link to, and what is published."""
    edge = package.read_template("edge")["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    yield from (row["PathPattern"].replace("*", "/x").replace("//", "/") for row in edge["CacheBehaviors"])
    yield from ("/", "/index.html", "/404.html", "/upload", "/search")
    yield from (album_url("summer-2026"), album_url("album-0a1b2c3d", 12), upload_url("Straße 7 & Co."), search_url("ü?/x#%"))
    yield from ("/items/k5kfh6dttbxo4lsucnqj/", "/items/k5kfh6dttbxo4lsucnqj/index.html")
    yield address(public_path("k5kfh6dttbxo4lsucnqj", "640w", "0a" * 32, "jpeg"))
    yield address(stream_path("k5kfh6dttbxo4lsucnqj", "720p/index.m3u8", "0a" * 32))
    yield address('media/a b/ü,"x>.jpg')
    yield from (f"/static/{static_version()}/site.css", f"/static/{static_version()}/icon.svg")
    yield from ("/api/uploads", "/review/Ab3_-x", "/review/Ab3_-x/open", "/review/Ab3_-x/decide", "/search?q=")


@pytest.mark.parametrize("target", [*the_sites_own()])
def test_every_address_of_the_site_is_passed_on_as_it_was_asked(door, target):
    async def story(ask, behind):
        assert (await ask(target))[0].status == 200
        assert [request.target for request in behind.asked] == [target]

    door(story)


@pytest.mark.parametrize("target", ["/console", "/console.json"])
def test_the_console_is_only_read(door, target):
    async def story(ask, behind):
        assert (await ask(target, "POST", body=b"x"))[0].status == 405
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
        stack = Instance(1, "/", "http://localhost", "", 0, port, domain=DOMAIN)
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
