"""Review: the endpoint behind the approval link. Looking is safe and always answered alike; deciding is POST.

GET and HEAD read nothing and change nothing. POST open trades the link's secret for a session, POST decide records a
decision, and every answer says what became of the item: no success is shown that is not one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from msgspec import ValidationError

from tasks.catalog import Catalog, Reviews
from tasks.catalog.approvers import still_approves
from tasks.catalog.links import DEVICE_SECONDS, SESSION_SECONDS, Access, Entry, Links, Session, same
from tasks.catalog.reviews import Outcome, OutcomeState, Review
from tasks.catalog.standing import Standing, standing
from tasks.core.aws.edge import Edge
from tasks.core.aws.s3 import Store
from tasks.core.aws.stepfunctions import Machine
from tasks.core.clock import epoch
from tasks.core.errors import BadRequest, NotFound, error_code
from tasks.core.http import HttpRequest, HttpResponse, http_handler, json_response
from tasks.core.json import from_json
from tasks.core.logs import log
from tasks.core.models.digests import ShownDigest
from tasks.core.models.location import Location
from tasks.core.models.record import ItemRecord
from tasks.core.names import disposition
from tasks.core.settings import Settings
from tasks.core.text import one_line
from tasks.site.review_page import item_facts, review_page, review_policy

T = TypeVar("T")

ACTION = re.compile(r"/review/([A-Za-z0-9_-]{1,64})/(open|decide)")
DEVICE_COOKIE = "greenroom-device"
# A phone scrolls through so many; the next ones come when these are decided.
SHOWN_AT_ONCE = 200
LONGEST_REASON = 500
LONGEST_AGENT = 300

REFUSED: dict[Access, tuple[int, str]] = {
    "unknown": (403, "This link is not valid. Please open the link in your mail again, or ask for a new one."),
    "expired": (410, "This link has expired. What still waits can be decided by whoever runs this gallery."),
    "locked": (423, "Wrong codes were typed too often, so this link is locked. Whoever runs this gallery can still decide."),
    "code": (401, "Please type the code from your mail."),
    "wrong-code": (403, "That is not the code in the mail that this link came with."),
    "closed": (401, "This page no longer knows who you are. Please open the link in your mail again."),
    "removed": (403, "You no longer decide what this gallery shows: this link opens nothing any more, and nothing was recorded."),
    "revoked": (403, "This link was withdrawn. Please open the link in the newest mail, or ask whoever runs this gallery."),
}
ANSWERED: dict[OutcomeState, tuple[int, str]] = {
    "recorded": (200, ""),
    "repeated": (200, "Already recorded. "),
    "taken": (409, "Your decision was not recorded, because another came first. "),
    "expired": (410, "Your decision was not recorded. "),
    "changed": (409, "Your decision was not recorded: what waits is no longer what you were shown. Please look at it again. "),
    "unknown": (410, "Nothing was recorded. "),
}


@dataclass(frozen=True)
class OpenBody:
    """What the page posts to open its link; without a secret it asks for a session that is still open."""

    secret: str = ""
    code: str = ""


@dataclass(frozen=True)
class DecideBody:
    """What the page posts to decide."""

    nonce: str
    item: str
    verdict: Literal["approve", "reject"]
    sha256: ShownDigest
    reason: str = ""


@dataclass(frozen=True)
class Desk:
    """What deciding takes: who is asked, who answers, and what shows it."""

    store: Store
    catalog: Catalog
    reviews: Reviews
    links: Links
    machine: Machine
    settings: Settings


def review(
    request: HttpRequest,
    *,
    store: Store,
    catalog: Catalog,
    reviews: Reviews,
    links: Links,
    machine: Machine,
    edge: Edge,
    settings: Settings,
) -> HttpResponse:
    """Answer one request to /review/*."""
    if request.method in ("GET", "HEAD"):
        return page(request.method, store, settings)
    if request.method != "POST":
        return refusal(405, "This page is read with GET and answered with POST.")
    if not same(request.headers.get("origin", ""), edge.site_url):
        return refusal(403, f"Decisions are only taken from the gallery's own page, at {edge.site_url}.")
    match = ACTION.fullmatch(request.path)
    if not match:
        return refusal(400, "There is nothing to answer at this address.")
    desk = Desk(store, catalog, reviews, links, machine, settings)
    action = open_link if match[2] == "open" else decide
    return action(request, match[1], desk)


def page(method: str, store: Store, settings: Settings) -> HttpResponse:
    """The same page for every address under /review/, whether a link of that name exists or not."""
    # Signing is arithmetic: it tells the origin of previews in this place without asking anybody.
    previews = store.presigned_get(Location(settings.work_bucket, "items"), 60)
    headers = {
        "content-security-policy": review_policy(previews),
        "cross-origin-opener-policy": "same-origin",
        "x-frame-options": "DENY",
        "x-robots-tag": "noindex, nofollow",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }
    return HttpResponse(200, "" if method == "HEAD" else review_page(settings.gallery_title), headers=headers)


def open_link(request: HttpRequest, link: str, desk: Desk) -> HttpResponse:
    """POST open: the secret (and perhaps the code) for a session; or the items again for a session that is still open."""
    body = parse(request, OpenBody)
    if not body.secret:
        entry = desk.links.resume(link, request.cookies.get(cookie_name(link), ""))
        return opened(entry, desk) if entry.state == "open" else refused(entry)
    entry = desk.links.enter(link, body.secret, body.code, request.cookies.get(DEVICE_COOKIE, ""))
    log.info("link used", extra={"link": link, "state": entry.state})
    return opened(entry, desk) if entry.state == "open" else refused(entry, tries_left=entry.tries_left)


def opened(entry: Entry, desk: Desk) -> HttpResponse:
    """The nonce and the items, undecided ones first, each with short-lived links to its previews."""
    session = entry.session
    assert session is not None  # an entry that is open has one
    asked = desk.reviews.reviews(list(session.items))
    order = sorted(session.items, key=lambda id: id not in asked or asked[id].status != "PENDING")
    shown = [view(id, asked.get(id), session, desk) for id in order[:SHOWN_AT_ONCE]]
    answer = {
        "state": "open",
        "nonce": session.nonce,
        "approver": session.approver,
        "expires": session.link_expires,
        "refresh_seconds": desk.settings.presign_seconds,
        "more": len(order) - len(shown),
        "items": [one for one in shown if one],
    }
    return keep(json_response(answer), session, entry)


def view(id: str, asked: Review | None, session: Session, desk: Desk) -> dict[str, Any] | None:
    """One item as the page shows it; None when the catalog has forgotten it."""
    try:
        record = desk.catalog.items.get(id)
    except NotFound:
        log.warning("a link names an item that is gone", extra={"item": id})
        return None
    seconds = desk.settings.presign_seconds
    name = disposition(record.item.filename)
    facts = item_facts(
        record,
        desk.settings.work_bucket,
        show=partial(desk.store.presigned_get, seconds=seconds),
        download=partial(desk.store.presigned_get, seconds=seconds, disposition=name),
    )
    return {**facts, "standing": asdict(standing(record, asked, epoch(), viewer=session.approver))}


def decide(request: HttpRequest, link: str, desk: Desk) -> HttpResponse:
    """POST decide: record it if nothing else stands, tell the machine, and say what became of the item."""
    cookie = request.cookies.get(cookie_name(link), "")
    entry = desk.links.resume(link, cookie)
    session = entry.session
    if session is None:
        return refused(entry)
    body = parse(request, DecideBody)
    if not same(body.nonce, session.nonce):
        return refusal(403, "This page is out of date. Please load it again.", state="closed")
    if body.item not in session.items or not body.sha256:
        return refusal(403, "Your link is not about this item.")
    outcome = desk.reviews.record(
        body.item,
        body.verdict,
        one_line(body.reason, LONGEST_REASON),
        approver=session.approver,
        shown=body.sha256,
        address=request.address,
        agent=one_line(request.headers.get("user-agent", ""), LONGEST_AGENT),
        only_if=still_approves(session.approver, session.membership),
    )
    log.info("decision", extra={"item": body.item, "verdict": body.verdict, "outcome": outcome.state})
    if outcome.state == "ended":
        return refused(desk.links.resume(link, cookie))
    status, start = ANSWERED[outcome.state]
    now = carry_out(body.item, outcome, desk, session.approver)
    answer = {"outcome": outcome.state, "notice": start.strip(), "message": start + now.message, "standing": asdict(now)}
    return keep(json_response(answer, status), session, entry)


def carry_out(id: str, outcome: Outcome, desk: Desk, viewer: str) -> Standing:
    """Tell the waiting execution what stands, and look at what became of the item."""
    told = outcome.decision is not None and outcome.state != "expired" and tell(id, desk.reviews, desk.machine)
    record = desk.catalog.items.get(id)
    execution = "" if told or outcome.decision is None else look(record, desk.machine)
    return standing(record, desk.reviews.review(id), epoch(), viewer=viewer, execution=execution)


def tell(id: str, reviews: Reviews, machine: Machine) -> bool:
    """Send the decision; False when nobody took it. A passing fault is the sweeper's: the decision is recorded."""
    try:
        return reviews.tell(id, machine)
    except Exception as fault:  # its text might quote the call: only its kind is logged
        log.warning("could not tell", extra={"item": id, "fault": type(fault).__name__, "code": error_code(fault)})
        return False


def look(record: ItemRecord, machine: Machine) -> str:
    """The execution's status, "" when it cannot be asked just now."""
    try:
        return machine.status(record.execution)
    except Exception as fault:
        log.warning("could not look", extra={"item": record.id, "fault": type(fault).__name__, "code": error_code(fault)})
        return ""


def parse(request: HttpRequest, shape: type[T]) -> T:
    """The request's body; raises BadRequest naming what is wrong with it."""
    try:
        return from_json(request.json(), shape)
    except ValidationError as fault:
        raise BadRequest(f"the request's body cannot be used: {fault}") from fault


def refused(entry: Entry, **more: Any) -> HttpResponse:
    """Why a link or a session opens nothing."""
    status, message = REFUSED[entry.state]
    return refusal(status, message, state=entry.state, **more)


def refusal(status: int, message: str, **more: Any) -> HttpResponse:
    return json_response({"error": message, **more}, status)


def cookie_name(link: str) -> str:
    """Each link has a cookie of its own, so that two mails can be open side by side."""
    return f"greenroom-review-{link}"


def keep(answer: HttpResponse, session: Session, entry: Entry) -> HttpResponse:
    """Renew the browser's cookies."""
    cookies = [cookie(cookie_name(session.link), entry.cookie, SESSION_SECONDS)]
    if entry.device:
        cookies.append(cookie(DEVICE_COOKIE, entry.device, DEVICE_SECONDS))
    return HttpResponse(answer.status, answer.body, answer.content_type, answer.headers, tuple(cookies))


def cookie(name: str, value: str, seconds: int) -> str:
    return f"{name}={value}; Max-Age={seconds}; Path=/review; Secure; HttpOnly; SameSite=Strict"


handler: Callable[[Any, Any], Any] = http_handler(review)
