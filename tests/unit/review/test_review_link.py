"""The approval link: looking is safe, the secret and the code open it, and only the gallery's own page is heard."""

from __future__ import annotations

from typing import Any

import pytest
from review_office import SITE, Browser, Office

from tasks.core.http import ON_THE_WIRE

# CloudFront keeps 403 for itself.
FORBIDDEN = ON_THE_WIRE[403]
ADDRESSES = ("/review/{link}", "/review/AAAAAAAAAAAAAAAA", "/review/", "/review/x/y/z", "/review/{link}/decide")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing_and_tells_nothing(office: Office, ann: Browser, method: str) -> None:
    office.ask("IMG_1.HEIC")
    link, _, _ = office.letter()
    before = office.rows()

    answers = [ann.send(method, path.format(link=link)) for path in ADDRESSES]

    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["statusCode"] == 200
    assert bool(answers[0]["body"]) == (method == "GET")
    assert link not in answers[0]["body"]
    assert office.rows() == before
    assert office.machine.answers == []


def test_the_page_can_load_nothing_from_afar_and_stand_in_no_frame(office: Office, ann: Browser) -> None:
    answer = ann.send("GET", "/review/anything")
    headers = answer["headers"]
    policy = dict(row.split(" ", 1) for row in headers["content-security-policy"].split("; "))

    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data: https://work.s3.amazonaws.com"
    assert policy["media-src"] == "https://work.s3.amazonaws.com"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "noindex" in headers["x-robots-tag"]
    assert answer["cookies"] == []
    assert "<style" not in answer["body"] and "style=" not in answer["body"] and "onclick" not in answer["body"]
    assert answer["body"].count("<script") == answer["body"].count('<script type="module" src="/static/')


def test_the_secret_and_the_code_show_what_waits(office: Office, ann: Browser) -> None:
    photo, paper = office.make.item("IMG_1.HEIC"), office.make.item("plan.pdf")
    for item in (photo, paper):
        office.world.catalog.items.create(item)
    office.deliver(office.message(photo, "one"), office.message(paper, "two", kind="document", format="pdf"))

    status, answer = ann.open(office.letter())

    assert (status, answer["state"], answer["approver"], answer["more"]) == (200, "open", "ann@example.org", 0)
    assert [item["title"] for item in answer["items"]] == ["IMG_1", "plan"]
    assert answer["items"][0]["labels"] == [{"name": "Dog", "confidence": 92}, {"name": "Green Grass", "confidence": 92}]
    assert {item["standing"]["state"] for item in answer["items"]} == {"pending"}
    assert "response-content-disposition=attachment" in answer["items"][1]["preview"]["href"]


def test_previews_are_short_lived_links_to_the_private_renditions(office: Office, ann: Browser) -> None:
    photo, film = office.ask("IMG_1.HEIC")[0], None
    ann.open(office.letter())
    preview = ann.items[photo.id]["preview"]
    assert preview["src"].startswith(f"https://work.s3.amazonaws.com/items/{photo.id}/1280w.webp?")
    assert "X-Amz-Expires=900" in preview["src"]
    assert preview["srcset"].endswith(" 1280w") and " 320w, " in preview["srcset"]

    film = office.ask("clip.mov", kind="video", duration=12.5)[0]
    ann.open(office.letter())
    preview = ann.items[film.id]["preview"]
    assert f"/items/{film.id}/video.mp4?" in preview["src"]
    assert f"/items/{film.id}/1280w.webp?" in preview["poster"]


def test_a_wrong_secret_and_an_unknown_link_are_answered_alike(office: Office, ann: Browser) -> None:
    office.ask("IMG_1.HEIC")
    link, secret, code = office.letter()

    wrong = ann.open((link, secret[:-1] + ("A" if secret[-1] != "A" else "B"), code))
    unknown = ann.open(("A" * 16, secret, code))
    malformed = ann.open(("../../etc", secret, code))

    assert wrong == unknown
    assert wrong[0] == FORBIDDEN and wrong[1]["state"] == "unknown"
    assert malformed[0] == 400
    assert ann.jar == {}


def test_a_scanner_that_presses_every_button_gets_nothing(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    link, secret, _ = office.letter()
    ann.link = link
    before = office.rows()

    opened = ann.post("open", {"secret": secret})
    decided = ann.decide(item, "approve", nonce="", sha256="5" * 64)

    assert opened[0] == 401 and opened[1]["state"] == "code"
    assert set(opened[1]) == {"error", "state", "tries_left"}
    assert decided[0] == 401
    assert office.rows() == before
    assert office.machine.answers == []


def test_five_wrong_codes_lock_the_link_for_the_right_one_too(office: Office, ann: Browser) -> None:
    office.ask("IMG_1.HEIC")
    letter = office.letter()
    wrong = "000000" if letter[2] != "000 000" else "111111"

    answers = [ann.open(letter, code=wrong) for _ in range(5)]
    right = ann.open(letter)

    assert [answer[1]["tries_left"] for answer in answers] == [4, 3, 2, 1, 0]
    assert [answer[0] for answer in answers] == [FORBIDDEN] * 4 + [423]
    assert right[0] == 423 and right[1]["state"] == "locked"
    assert ann.jar == {}


def test_wrong_secrets_do_not_use_up_the_tries_of_the_code(office: Office, ann: Browser) -> None:
    office.ask("IMG_1.HEIC")
    letter = office.letter()
    for _ in range(9):
        ann.open((letter[0], "guess", "000000"))
    assert ann.open(letter)[0] == 200


def test_a_device_that_typed_the_code_once_is_known_for_thirty_days(office: Office, ann: Browser, bob: Browser) -> None:
    office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    device = ann.jar["greenroom-device"]

    office.ask("IMG_2.HEIC")
    assert ann.open(office.letter(), code="")[0] == 200
    assert ann.jar["greenroom-device"] == device

    # A device knows its approver, not whoever else gets mail.
    bob.jar["greenroom-device"] = device
    assert bob.open(office.letter("bob@example.org"), code="")[0] == 401

    known = next(row["pk"]["S"] for row in office.rows() if row["pk"]["S"].startswith("device#"))
    office.time_passes(known, "device")
    assert ann.open(office.letter(), code="")[0] == 401


@pytest.mark.parametrize(("policy", "status"), [("always", 401), ("never", 200), ("new-device", 200), ("alwyas", 401)])
def test_the_operator_chooses_when_the_code_is_asked_for(office_with: Any, policy: str, status: int) -> None:
    office = office_with(review_code=policy)
    browser = Browser(office)
    office.ask("IMG_1.HEIC")
    browser.open(office.letter())
    office.ask("IMG_2.HEIC")
    assert browser.open(office.letter(), code="")[0] == status
    assert bool(office.letter()[2]) == (policy != "never")


def test_a_link_that_has_run_out_opens_nothing(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    letter = office.letter()
    ann.open(letter)
    office.time_passes(f"link#{letter[0]}", "link")

    assert ann.open(letter)[0] == 410
    assert ann.post("open", {})[0] == 401
    assert ann.decide(item, "approve", nonce="n", sha256="5" * 64)[0] == 401
    assert office.machine.answers == []


def test_a_session_lasts_a_quarter_of_an_hour_and_is_renewed_by_use(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    session = next(row["pk"]["S"] for row in office.rows() if row["pk"]["S"].startswith("session#"))

    office.world.review_table.update(session, "session", "SET #expires = #expires - :some", some=600)
    before = office.world.review_table.get(session, "session")["expires"]
    status, again = ann.post("open", {})
    assert (status, again["nonce"]) == (200, ann.nonce)
    assert office.world.review_table.get(session, "session")["expires"] >= before + 600

    office.time_passes(session, "session")
    assert ann.post("open", {})[0] == 401
    assert ann.decide(item, "approve")[0] == 401


def test_cookies_are_for_this_page_alone(office: Office, ann: Browser) -> None:
    office.ask("IMG_1.HEIC")
    link, secret, code = office.letter()
    answer = ann.send("POST", f"/review/{link}/open", {"secret": secret, "code": code})
    session, device = answer["cookies"]
    for cookie, age in ((session, 900), (device, 30 * 86_400)):
        assert cookie.split("; ")[1:] == [f"Max-Age={age}", "Path=/review", "Secure", "HttpOnly", "SameSite=Strict"]


def test_one_link_s_session_says_nothing_about_another_link(office: Office, ann: Browser) -> None:
    (first,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    (second,) = office.ask("IMG_2.HEIC")
    link, _, _ = office.letter()

    assert ann.decide(second, "approve", sha256="5" * 64)[0] == FORBIDDEN
    ann.jar[f"greenroom-review-{link}"] = ann.jar[f"greenroom-review-{ann.link}"]
    ann.link = link
    assert ann.post("open", {})[0] == 401
    assert office.world.catalog.items.get(first.id).status == "PENDING"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "", "null", SITE + ".evil.example", SITE.replace("https", "http"), SITE + "/"]
)
def test_only_the_gallery_s_own_page_is_heard(office: Office, ann: Browser, origin: str) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    body = {"nonce": ann.nonce, "item": item.id, "verdict": "approve", "sha256": "5" * 64}
    assert ann.post("decide", body, origin=origin)[0] == FORBIDDEN
    assert ann.post("open", {}, origin=origin)[0] == FORBIDDEN
    assert office.machine.answers == []


def test_without_the_page_s_nonce_nothing_is_decided(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    for nonce in ("", "guess", "ü"):
        assert ann.decide(item, "approve", nonce=nonce)[0] == FORBIDDEN
    assert office.machine.answers == []


@pytest.mark.parametrize(
    "body", ["", "no json", "[]", "{}", '{"nonce": 1}', '{"nonce": "n", "item": "i", "verdict": "publish", "sha256": "s"}']
)
def test_an_unreadable_decision_is_refused_in_words(office: Office, ann: Browser, body: str) -> None:
    office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    status, answer = ann.post("decide", body)
    assert status == 400
    assert "body" in answer["error"]


def test_a_decision_needs_an_item_of_the_link_and_what_was_shown(office: Office, ann: Browser) -> None:
    (item,) = office.ask("IMG_1.HEIC")
    ann.open(office.letter())
    assert ann.decide(office.make.item("IMG_2.HEIC"), "approve", sha256="5" * 64)[0] == FORBIDDEN
    assert ann.decide(item, "approve", sha256="")[0] == FORBIDDEN
    assert ann.send("PUT", f"/review/{ann.link}/decide", {})["statusCode"] == 405
    assert office.machine.answers == []


def test_a_thousand_items_come_a_few_at_a_time_and_waiting_ones_first(office: Office, ann: Browser, monkeypatch: Any) -> None:
    monkeypatch.setattr("tasks.review.SHOWN_AT_ONCE", 2)
    items = [office.make.item(f"IMG_{number}.HEIC") for number in range(3)]
    for item in items:
        office.world.catalog.items.create(item)
    office.deliver(*(office.message(item, item.id) for item in items))
    _, first = ann.open(office.letter())
    assert ([item["title"] for item in first["items"]], first["more"]) == (["IMG_0", "IMG_1"], 1)

    ann.decide(items[0], "approve")
    _, then = ann.post("open", {})
    assert [item["title"] for item in then["items"]] == ["IMG_1", "IMG_2"]
