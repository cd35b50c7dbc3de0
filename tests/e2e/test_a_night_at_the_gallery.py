"""Stories on the deployed stack: people upload, somebody decides, visitors look, the operator asks what happened."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import drawings
import live_photos
from playwright.sync_api import Browser, Page, expect

from infra.deploy.stack import Deployed
from infra.local import visitor
from tasks.core.models.location import Location

PHONE = {"width": 390, "height": 844}


def upload_in_the_page(page: Page, town: Any, album: str, files: list[Path]) -> None:
    page.goto(f"{town.site}/upload/")
    page.get_by_label("Album").fill(album)
    page.get_by_label("Your name").fill("Béa <b>")
    page.locator("input[type=file]").first.set_input_files([str(path) for path in files])
    page.get_by_role("button", name=re.compile("^(Upload|Send)")).click()
    expect(page.locator("#sent")).to_be_visible(timeout=60_000)


def open_the_review(page: Page, text: str) -> None:
    link = visitor.LINK.search(text)
    assert link
    page.goto(link[0])
    approver = visitor.Approver.from_mail(text)
    page.wait_for_selector("#code-form:not([hidden]), #desk:not([hidden])")
    if page.locator("#code-form").is_visible():
        page.fill("#code", approver.code)
        page.click("#code-form button")
    expect(page.locator("#desk")).to_be_visible(timeout=30_000)
    assert "#" not in page.url


def decide_in_the_page(page: Page, title: str, verdict: str) -> None:
    """Find the item among those of the link, then one deliberate click (and the reason's dialog for a rejection)."""
    for _ in range(page.locator("#strip li").count()):
        if page.locator("#title").inner_text() == title:
            break
        page.keyboard.press("ArrowRight")
    expect(page.locator("#title")).to_have_text(title)
    with page.expect_response(re.compile("/decide$")) as answered:
        page.click(f"#{verdict}")
        if verdict == "reject":
            page.fill("#reason", "blurry")
            page.click("#reject-dialog button[value=reject]")
    assert answered.value.status == 200


def test_two_uploads_in_the_page_one_is_published_and_the_other_nowhere(town: Any, browser: Browser, tmp_path: Path) -> None:
    sharp, blurry = drawings.jpeg(tmp_path / "Sharp one.jpg", 1), drawings.jpeg(tmp_path / "Blurry one.jpg", 2)
    phone = browser.new_context(viewport=PHONE).new_page()
    upload_in_the_page(phone, town, "Birthday", [sharp, blurry])

    kept, refused = town.item_of("Sharp one.jpg")["id"], town.item_of("Blurry one.jpg")["id"]
    for item, title, verdict in ((kept, "Sharp one", "approve"), (refused, "Blurry one", "reject")):
        desk = browser.new_context(viewport=PHONE).new_page()
        open_the_review(desk, town.mail_about(item))
        decide_in_the_page(desk, title, verdict)

    published = town.becomes(kept, "PUBLISHED")
    assert town.becomes(refused, "REJECTED")["reason"] == "blurry"
    assert published["contributor"] == "Béa <b>"
    page = town.published_page(kept)
    assert "Béa &lt;b&gt;" in page and "<b>" not in page
    visitors = browser.new_context(viewport=PHONE).new_page()
    visitors.goto(f"{town.site}/albums/{published['album']}/")
    expect(visitors.locator(f"a[href='/items/{kept}/']").first).to_be_visible()
    assert refused not in visitors.content()
    assert town.get(f"/items/{refused}/").status == 404
    site = Deployed.local(town.stack)
    assert not [key for key in site.store.keys(site.settings.site_bucket, "") if refused in key]


def test_what_is_marked_as_sensitive_is_shown_to_nobody_who_did_not_ask(town: Any, browser: Browser, tmp_path: Path) -> None:
    """Recognition by a script: the laptop has no other."""
    marked = drawings.jpeg(tmp_path / "On the beach.jpg", 77)
    answer = {"picture": str(marked), "labels": [{"name": "Beach"}], "moderation": [{"name": "Explicit", "confidence": 93}]}
    (town.state / "rekognition.json").write_text(json.dumps([answer]))
    held, plain = town.upload(marked, drawings.lying_jpeg(tmp_path / "Plain.jpg", 78))
    (town.state / "rekognition.json").unlink()
    assert [(label["name"], label["confidence"]) for label in held["moderation"]] == [("Explicit", 93)]
    assert [label["name"] for label in held["labels"]] == ["Beach"] and held["model"] == "scripted"
    assert (plain["labels"], plain["moderation"]) == ([], [])

    desk = browser.new_context(viewport=PHONE).new_page()
    open_the_review(desk, town.mail_about(held["id"]))
    for _ in range(desk.locator("#strip li").count()):
        if desk.locator("#title").inner_text() == "On the beach":
            break
        desk.keyboard.press("ArrowRight")
    expect(desk.locator("#warning")).to_contain_text("Explicit 93%")
    expect(desk.locator("#stage .veil")).to_be_visible()
    decide_in_the_page(desk, "On the beach", "approve")
    town.becomes(held["id"], "PUBLISHED")
    visitor_page = browser.new_context(viewport=PHONE).new_page()
    visitor_page.goto(f"{town.site}/items/{held['id']}/")
    expect(visitor_page.locator(".veil").first).to_be_visible()


def test_what_phones_and_offices_send_is_published_upright_and_without_a_trace_of_where(town: Any, tmp_path: Path) -> None:
    files = [
        drawings.heic(tmp_path / "Sunset.heic", 11),
        drawings.lying_jpeg(tmp_path / "Rotated.jpg", 12),
        drawings.mov(tmp_path / "Dance.mov", 13),
        drawings.pdf(tmp_path / "Programme.pdf", 14),
    ]
    rows = town.upload(*files, album="Fête d’été 🎉")
    assert [(row["status"], row["kind"]) for row in rows] == [
        ("PENDING", "image"),
        ("PENDING", "image"),
        ("PENDING", "video"),
        ("PENDING", "document"),
    ]
    for row in rows:
        town.decide_by_mail(row["id"], "approve")
    for row in rows:
        published = town.becomes(row["id"], "PUBLISHED")
        page = town.published_page(row["id"])
        assert published["publication"]["url"] == f"{town.site}/items/{row['id']}/"
        assert 'property="og:title"' in page
        public = town.published_files(row["id"])
        assert len(public) > 1
        for key, data in public.items():
            assert drawings.CANARY.encode() not in data and b"28.57" not in data, key
            if row["kind"] != "document":
                assert b"Exif" not in data and b"GPS" not in data, key
    for row in rows[:2]:
        pictures = [data for key, data in town.published_files(row["id"]).items() if key.endswith((".jpg", ".jpeg", ".webp"))]
        assert pictures and all(map(drawings.upright, pictures))
    assert town.show(rows[1]["id"])["taken_at"].startswith("2024-07-20T20:17:40")


def test_a_video_plays_and_a_document_is_only_ever_downloaded(town: Any, browser: Browser, tmp_path: Path) -> None:
    clip, paper = town.upload(
        drawings.mov(tmp_path / "Song.mov", 21), drawings.pdf(tmp_path / "Plan – naïve.pdf", 22), album="Files"
    )
    for row in (clip, paper):
        town.decide_by_mail(row["id"], "approve")
        town.becomes(row["id"], "PUBLISHED")
    page = browser.new_context().new_page()
    page.goto(f"{town.site}/items/{clip['id']}/")
    assert page.evaluate("document.querySelector('video').play().then(() => 'plays', fault => fault.message)") == "plays"
    part = town.get(re.findall(r'<source src="([^"]+)"', page.content())[0], Range="bytes=0-99")
    assert part.status == 206 and len(part.body) == 100
    file = next(key for key in town.published_files(paper["id"]) if key.startswith("media/"))
    answer = town.get(f"/{file}")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "Plan%20%E2%80%93%20na%C3%AFve.pdf" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.body == (tmp_path / "Plan – naïve.pdf").read_bytes()


def test_a_live_photo_is_one_item_that_moves(town: Any, browser: Browser, tmp_path: Path) -> None:
    """The phone sends the film first; one approval publishes both."""
    (tmp_path / "IMG_7.HEIC").write_bytes(live_photos.heic(size=(900, 600)))
    film = live_photos.film(tmp_path / "IMG_7.MOV", size="480x320")
    phone = browser.new_context(viewport=PHONE).new_page()
    upload_in_the_page(phone, town, "Live", [film, tmp_path / "IMG_7.HEIC"])
    picture, came = town.item_of("IMG_7.HEIC")["id"], town.item_of("IMG_7.MOV")["id"]
    assert town.becomes(came, "DUPLICATE")["duplicate_of"] == picture
    desk = browser.new_context(viewport=PHONE).new_page()
    open_the_review(desk, town.mail_about(picture))
    expect(desk.locator("video.moving")).to_be_attached()
    decide_in_the_page(desk, "IMG_7", "approve")
    assert town.becomes(picture, "PUBLISHED")["film"]["item"] == came
    town.published_page(picture)

    visitor_page = browser.new_context(viewport={"width": 1200, "height": 800}).new_page()
    visitor_page.goto(f"{town.site}/albums/live/")
    expect(visitor_page.locator(".shot")).to_have_count(1)
    visitor_page.hover(".shot")
    expect(visitor_page.locator(".shot video")).to_be_attached(timeout=20_000)
    visitor_page.hover("h1")
    expect(visitor_page.locator(".shot video")).to_have_count(0)
    visitor_page.goto(f"{town.site}/items/{picture}/")
    visitor_page.click(".frame .live")
    expect(visitor_page.locator(".frame video")).to_be_attached(timeout=20_000)
    for key, data in town.published_files(picture).items():
        for secret in (live_photos.CANARY, live_photos.PAIR, live_photos.PLACE):
            assert secret.encode() not in data, key


def test_search_finds_what_was_published(town: Any, tmp_path: Path) -> None:
    row = town.upload(drawings.jpeg(tmp_path / "Lighthouse.jpg", 31), album="Coast")[0]
    assert row["id"] not in town.get("/search?q=lighthouse").body.decode()
    town.decide_by_mail(row["id"], "approve")
    town.becomes(row["id"], "PUBLISHED")
    assert row["id"] in town.get("/search?q=lighthouse").body.decode()
    assert row["id"] in town.get("/search?q=coast+lighthouse").body.decode()
    assert row["id"] not in town.get("/search?q=lighthouse+mountain").body.decode()
    hostile = town.get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E").body.decode()
    assert "<script>alert" not in hostile


def test_the_audit_tells_who_approved_it_and_keeps_no_secret(town: Any, tmp_path: Path) -> None:
    row = town.upload(drawings.heic(tmp_path / "Told.heic", 41), album="Audit")[0]
    text = town.mail_about(row["id"])
    town.decide_by_mail(row["id"], "approve")
    town.becomes(row["id"], "PUBLISHED")
    deployed = Deployed.local(town.stack)
    bucket = deployed.settings.audit_bucket

    def archived() -> list[str]:
        return [key for key in deployed.store.keys(bucket, "executions/") if row["id"] in key]

    key = town.until("the execution's record", archived)[0]
    told = town.run("audit", row["id"]).stdout
    for word in ("ValidateMedia", "ConvertImage", "Publish", "approver@example.com", "heic"):
        assert word in told, f"{word} is missing from:\n{told}"
    record = deployed.store.read(Location(bucket, key)).decode()
    decision = json.loads(record)["decision"]
    assert decision["approver"] == "approver@example.com" and decision["decided_at"]
    secrets = [found[3] for found in visitor.LINK.finditer(text)]
    tokens = deployed.aws.client("dynamodb").get_item(
        TableName=deployed.settings.reviews_table, Key={"pk": {"S": f"item#{row['id']}"}, "sk": {"S": "review"}}
    )["Item"]["tokens"]["L"]
    assert secrets and tokens
    for secret in [*secrets, *(token["S"] for token in tokens)]:
        assert secret not in record and secret not in told


def test_bad_input_ends_in_words_and_never_in_a_failed_execution(town: Any, tmp_path: Path) -> None:
    whole = drawings.jpeg(tmp_path / "whole.jpg", 51).read_bytes()
    bad = {
        "text.jpg": b"This is a shopping list, not a photograph.\n" * 20,
        "cut.jpg": whole[: len(whole) // 2],
        "empty.png": b"",
        "large.jpg": whole + b"\0" * drawings.MOST_BYTES,
    }
    served = {
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "page.html": b"<script>alert(1)</script>",
    }
    for name, data in {**bad, **served}.items():
        (tmp_path / name).write_bytes(data)
    for row in town.upload(*(tmp_path / name for name in bad), album="Bad"):
        assert row["status"] == "QUARANTINED" and len(row["reason"]) > 10, row
    for row in town.upload(*(tmp_path / name for name in served), album="Bad"):
        assert (row["status"], row["kind"]) == ("PENDING", "document"), row
        town.decide_by_mail(row["id"], "approve")
        town.becomes(row["id"], "PUBLISHED")
        file = next(key for key in town.published_files(row["id"]) if key.startswith("media/"))
        answer = town.get(f"/{file}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")


def test_keys_that_hurt_are_items_like_any_other(town: Any, tmp_path: Path) -> None:
    deployed = Deployed.local(town.stack)
    names = ["a b+c%20d.jpg", "🎉/émoji ✨.jpg", "up/../../etc/passwd.jpg", "long/" + "x" * (1024 - 9) + ".jpg"]
    for number, key in enumerate(names):
        body = drawings.jpeg(tmp_path / f"{number}.jpg", 60 + number).read_bytes()
        deployed.aws.client("s3").put_object(Bucket=deployed.settings.inbox_bucket, Key=key, Body=body)
    for key in names:
        row = town.until(
            f"the item of {key}", lambda key=key: [r for r in town.greenroom("items", "--limit", 500) if r["key"] == key]
        )[0]
        town.until(f"{key} to be ready", lambda id=row["id"]: town.show(id)["status"] == "PENDING")
        town.decide_by_mail(row["id"], "approve")
        published = town.becomes(row["id"], "PUBLISHED")
        assert published["key"] == key and "<img" in town.published_page(row["id"])


def test_the_same_bytes_twice_are_published_once(town: Any, tmp_path: Path) -> None:
    first = town.upload(drawings.jpeg(tmp_path / "once.jpg", 71))[0]
    (tmp_path / "again.jpg").write_bytes((tmp_path / "once.jpg").read_bytes())
    second = town.upload(tmp_path / "again.jpg")[0]
    assert (second["status"], second["duplicate_of"]) == ("DUPLICATE", first["id"])


def test_originals_and_previews_are_nobodys_without_a_signature(town: Any, tmp_path: Path) -> None:
    row = town.upload(drawings.jpeg(tmp_path / "private.jpg", 81))[0]
    deployed = Deployed.local(town.stack)
    endpoint = town.stack.endpoint
    rendition = row["renditions"][0]["key"]
    for bucket, key in ((deployed.settings.inbox_bucket, row["key"]), (deployed.settings.work_bucket, rendition)):
        assert visitor.ask(f"{endpoint}/{bucket}/{key.replace(' ', '%20')}").status == 403
    assert town.get(f"/{rendition}").status == 404


def test_looking_at_a_link_changes_nothing_and_a_second_click_gets_an_honest_answer(town: Any, tmp_path: Path) -> None:
    row = town.upload(drawings.jpeg(tmp_path / "honest.jpg", 91))[0]
    text = town.mail_about(row["id"])
    link = visitor.LINK.search(text)
    assert link
    pages = [visitor.ask(link[1] + link[2]), visitor.ask(link[1] + "/review/nonsense")]
    assert pages[0].status == pages[1].status == 200 and pages[0].body == pages[1].body
    assert "frame-ancestors 'none'" in pages[0].headers["content-security-policy"]
    assert town.show(row["id"])["status"] == "PENDING"
    approver = visitor.Approver.from_mail(text)
    approver.open()
    approver.decide(row["id"], "approve")
    town.becomes(row["id"], "PUBLISHED")
    assert "already" in approver.decide(row["id"], "approve").lower()
    try:
        approver.decide(row["id"], "reject")
    except visitor.Failed as refused:
        assert "Approved by you" in str(refused)
    else:
        raise AssertionError("a rejection after an approval was taken")
    assert town.show(row["id"])["status"] == "PUBLISHED"


def test_who_is_removed_decides_no_more_on_the_page_that_stands_open(town: Any, browser: Browser, tmp_path: Path) -> None:
    guest = "guest@example.com"
    item = town.upload(drawings.jpeg(tmp_path / "guest.jpg", 92))[0]["id"]
    town.mail_about(item)
    added, asked = town.greenroom("approvers", "add", guest)
    assert added == {"address": guest, "outcome": "added"} and asked["mailed"] == asked["waiting"] >= 1

    page = browser.new_context(viewport=PHONE).new_page()
    open_the_review(page, town.greenroom("mail", "--to", guest)[-1]["text"])
    town.greenroom("approvers", "remove", guest)
    page.click("#approve")

    expect(page.locator("#gate-message")).to_contain_text("no longer decide", timeout=30_000)
    expect(page.locator("#desk")).to_be_hidden()
    assert town.show(item)["status"] == "PENDING"
    assert town.decide_by_mail(item, "approve")
    town.becomes(item, "PUBLISHED")
