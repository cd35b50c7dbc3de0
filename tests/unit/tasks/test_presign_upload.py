"""PresignUpload: what a browser is allowed to put into the inbox, to the last byte of the policy."""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from tasks.core.aws.edge import Edge
from tasks.core.entrypoint import Services
from tasks.core.http import http_handler
from tasks.presign_upload import presign_upload

SITE = "https://gallery.example"
ASKED = {"album": "Summer party", "name": "Ada", "filename": "IMG_0042.HEIC", "type": "image/heic", "size": 2_300_000}


@pytest.fixture
def ask(world):
    """`ask(**changes)` sends a request as the upload page does; the answer's status and its JSON."""
    world.aws.client("ssm").put_parameter(Name=world.settings.site_url_parameter, Value=SITE + "/", Type="String")
    services = Services(world.settings, world.aws)
    handler = http_handler(presign_upload, services)

    def send(*, origin=SITE, method="POST", body=None, **changes):
        event = {
            "requestContext": {"http": {"method": method}},
            "rawPath": "/api/uploads",
            "headers": {"Origin": origin} if origin else {},
            "body": json.dumps({**ASKED, **changes}) if body is None else body,
        }
        answer = handler(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    return send


def policy(form):
    return json.loads(base64.b64decode(form["fields"]["policy"]))


def test_the_form_allows_one_key_one_type_one_size_range_and_these_names(ask, world):
    status, form = ask()
    assert status == 200
    rules = policy(form)["conditions"]
    flat = {name: value for rule in rules if isinstance(rule, dict) for name, value in rule.items()}
    assert flat["key"] == form["key"] == form["fields"]["key"]
    assert flat["bucket"] == "inbox"
    assert flat["Content-Type"] == "image/heic"
    assert flat["x-amz-meta-album"] == "Summer%20party"
    assert flat["x-amz-meta-contributor"] == "Ada"
    ranges = [rule for rule in rules if isinstance(rule, list)]
    assert ranges == [["content-length-range", 1, world.settings.max_image_bytes]]
    assert {name: form["fields"][name] for name in ("Content-Type", "x-amz-meta-album")} == {
        "Content-Type": "image/heic",
        "x-amz-meta-album": "Summer%20party",
    }


def test_the_form_expires(ask, world):
    expires = datetime.fromisoformat(policy(ask()[1])["expiration"])
    left = (expires - datetime.now(UTC)).total_seconds()
    assert world.settings.presign_seconds - 60 < left <= world.settings.presign_seconds


def test_a_video_may_be_larger(ask, world):
    _, form = ask(type="video/mp4", size=1_500_000_000)
    assert ["content-length-range", 1, world.settings.max_video_bytes] in policy(form)["conditions"]


def test_a_key_is_new_each_time_and_cannot_be_guessed(ask):
    keys = {ask()[1]["key"] for _ in range(5)}
    assert len(keys) == 5
    assert all(re.fullmatch(r"summer-party/[0-9a-f]{12}/IMG_0042\.HEIC", key) for key in keys)


@pytest.mark.parametrize(
    "filename",
    ["../../etc/passwd", "C:\\Photos\\a.jpg", "a\0b\n.jpg", "😀 100% + ü&.jpg", "." * 50, "x" * 3000 + ".jpg", "\u202egpj.exe"],
)
def test_a_file_name_never_leaves_its_folder(ask, filename):
    status, form = ask(filename=filename)
    assert status == 200
    parts = form["key"].split("/")
    assert len(parts) == 3 and parts[2] not in ("", ".", "..")
    assert len(form["key"].encode()) <= 300 and parts[2].isprintable() and "\\" not in parts[2]


def test_names_in_any_script_arrive_whole(ask):
    _, form = ask(album="عيد 😀", name="Zoë <b>")
    assert unquote(form["fields"]["x-amz-meta-album"]) == "عيد 😀"
    assert unquote(form["fields"]["x-amz-meta-contributor"]) == "Zoë <b>"
    assert all(value.isascii() for name, value in form["fields"].items() if name.startswith("x-amz-meta"))


def test_whoever_gives_no_name_has_none(ask):
    _, form = ask(name="")
    assert "x-amz-meta-contributor" not in form["fields"]


def test_line_breaks_in_names_become_spaces(ask):
    _, form = ask(album=" Summer\r\n party\t")
    assert unquote(form["fields"]["x-amz-meta-album"]) == "Summer party"


@pytest.mark.parametrize("declared", ["", "nonsense", "text/html\r\nx: y", "a/b/c", "image/" + "x" * 500])
def test_a_type_that_is_none_is_only_bytes(ask, declared):
    _, form = ask(type=declared)
    assert form["fields"]["Content-Type"] == "application/octet-stream"


def test_the_longest_names_fit_into_the_metadata_that_s3_keeps(ask):
    status, answer = ask(album="😀" * 80, name="😀" * 80)
    if status == 200:
        kept = sum(len(name) + len(value) for name, value in answer["fields"].items() if name.startswith("x-amz-meta"))
        assert kept <= 2048
    else:
        assert "too long" in answer["error"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"album": ""}, "name the album"),
        ({"album": "\r\n\t"}, "name the album"),
        ({"album": "x" * 81}, "too long"),
        ({"name": "x" * 81}, "too long"),
        ({"filename": ""}, "filename is missing"),
        ({"size": 0}, "is empty"),
        ({"size": -1}, "is empty"),
        ({"size": 100_000_001}, "too large. Photos and files may have up to 100 MB."),
        ({"size": 2_000_000_001, "type": "video/mp4"}, "too large. Videos may have up to 2 GB."),
        ({"size": "12"}, "size must be"),
        ({"size": True}, "size must be"),
        ({"album": ["x"]}, "album must be text"),
        ({"filename": "IMG_1.xmp"}, "IMG_1.xmp is a sidecar"),
        ({"filename": "IMG_1.HEIC.supplemental-me.json"}, "never published"),
        ({"filename": "C:\\Photos\\Thumbs.db"}, "Thumbs.db is a by-product"),
        ({"filename": "._IMG_1.jpg"}, "is a by-product (what macOS keeps beside files): it is left out."),
        ({"filename": "Summer/.hidden.jpg"}, "a hidden file"),
        ({"body": "[]"}, "send an object"),
        ({"body": "not json"}, "not JSON"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(ask, changes, words):
    status, answer = ask(**changes)
    assert status == 400
    assert words in answer["error"]


@pytest.mark.parametrize("origin", ["https://evil.example", "http://gallery.example", "https://gallery.example.evil", "null", ""])
def test_another_page_gets_no_form(ask, origin):
    status, answer = ask(origin=origin)
    assert status == 401, "403 on its way: CloudFront would show the gallery's own page instead of the words"
    assert "gallery's own page" in answer["error"] and "fields" not in answer


def test_looking_at_it_gives_no_form(ask):
    assert ask(method="GET")[0] == 405


def test_limits_are_the_operators_own(world):
    world.aws.client("ssm").put_parameter(Name=world.settings.site_url_parameter, Value=SITE, Type="String")
    small = replace(world.settings, max_image_bytes=10)
    handler = http_handler(presign_upload, Services(small, world.aws))
    event = {
        "requestContext": {"http": {"method": "POST"}},
        "headers": {"origin": SITE},
        "body": json.dumps({**ASKED, "size": 11}),
    }
    assert handler(event, None)["statusCode"] == 400


def test_a_slash_at_the_end_of_the_sites_address_changes_nothing(world):
    world.aws.client("ssm").put_parameter(Name="/x", Value=SITE + "/", Type="String")
    assert Edge(world.aws, "/x").site_url == SITE
