"""RequestApproval: consumes AwaitApproval's queue; a batch of waiting items becomes one digest mail to each approver.

The message's task token goes into the catalog's review row and nowhere else. What was decided before (an earlier
attempt's decision on the same renditions, a redrive) is told to the machine at once, without a mail.

The message EVERYTHING_PENDING asks about all that waits already: whoever has joined the list since gets one mail about it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec import ValidationError

from tasks.catalog import Catalog, Reviews
from tasks.catalog.approvers import Approver
from tasks.catalog.links import Links, NewLink
from tasks.catalog.reviews import Review
from tasks.catalog.standing import undecided
from tasks.core.aws.edge import Edge
from tasks.core.aws.s3 import Store
from tasks.core.aws.ses import Mailer
from tasks.core.aws.stepfunctions import Machine
from tasks.core.before import today
from tasks.core.clock import epoch, utc_now
from tasks.core.json import from_json
from tasks.core.logs import log
from tasks.core.models.location import Location
from tasks.core.models.recognition import Label
from tasks.core.models.renditions import Rendition
from tasks.core.models.request import PreparedRequest
from tasks.core.models.review import Film
from tasks.core.names import stem
from tasks.core.queues import Message, queue_handler
from tasks.core.settings import Settings
from tasks.lifecycle.asking import EVERYTHING_PENDING
from tasks.mail.digest import PICTURES, Digest, Entry, digest
from tasks.mail.message import Envelope
from tasks.mail.tiles import file_tile, picture_tile

TILE_WIDTH = 320
LABELS_SHOWN = 5
# Perceptual hashes of 64 bits that differ in at most this many look alike.
ALIKE_BITS = 6
# What is mailed, and noted at each item, within seconds: somebody waits for the answer.
ASKED_AT_ONCE = 200


@dataclass(frozen=True)
class ApprovalRequest(PreparedRequest):
    """The body of AwaitApproval's message."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Waiting:
    """One item that waits for a person: the messages that brought it, what it shows, its review, and a Live Photo's film."""

    messages: tuple[str, ...]
    request: ApprovalRequest
    review: Review
    film: Film | None = None

    @property
    def moderation(self) -> tuple[Label, ...]:
        """What recognition marks, in the film too."""
        return self.request.prepared.recognition.moderation + (self.film.moderation if self.film else ())


@dataclass(frozen=True)
class Asking:
    """What asking takes."""

    store: Store
    catalog: Catalog
    reviews: Reviews
    links: Links
    machine: Machine
    mailer: Mailer
    edge: Edge
    settings: Settings


def request_approval(
    messages: list[Message],
    *,
    store: Store,
    catalog: Catalog,
    reviews: Reviews,
    links: Links,
    machine: Machine,
    mailer: Mailer,
    edge: Edge,
    settings: Settings,
) -> list[str]:
    """Open a review for each message and mail what waits to every approver; the ids of messages to try again."""
    means = Asking(store, catalog, reviews, links, machine, mailer, edge, settings)
    waiting, again = collect(messages, means)
    # Read after the items are marked PENDING: whoever is added later finds them by that.
    approvers = catalog.approvers.all() if waiting else ()
    if waiting and not (approvers and settings.mail_from):
        ids = [one.request.item.id for one in waiting]
        log.warning("nobody to ask: there is no approver, or MAIL_FROM is empty", extra={"items": ids})
        return sorted(again)
    sheet = ContactSheet(waiting, store, settings.work_bucket)
    for approver in approvers:
        unasked = [one for one in waiting if approver.membership not in one.review.mailed]
        if unasked and not mail(approver, unasked, sheet, means):
            again |= {id for one in unasked for id in one.messages}
    return sorted(again)


def collect(messages: list[Message], means: Asking) -> tuple[list[Waiting], set[str]]:
    """What waits for a person, each item once, and the messages whose review could not be opened."""
    waiting: dict[str, Waiting] = {}
    again: set[str] = set()
    for message in messages:
        try:
            found = pending(message, means) if message.body == EVERYTHING_PENDING else ask(message, means)
        except ValidationError as fault:
            # Not ours to mend: the queue tries a few times more and then keeps it in its DLQ for the operator.
            log.error("unreadable request", extra={"message_id": message.id, "reason": str(fault)})
            again.add(message.id)
        except Exception:
            log.exception("could not open a review", extra={"message_id": message.id})
            again.add(message.id)
        else:
            for one in found:
                before = waiting.get(one.request.item.id)
                waiting[one.request.item.id] = replace(one, messages=(*before.messages, message.id)) if before else one
    return list(waiting.values()), again


def ask(message: Message, means: Asking) -> list[Waiting]:
    """Open the review of one message; [] when nobody has to be asked (any more)."""
    request = from_json(today(message.body), ApprovalRequest)
    item = request.item
    review = means.reviews.request(item, request.token, request.prepared.sha256)
    if review.attempt != item.attempt:
        log.info("a newer attempt asks", extra={"item": item.id, "attempt": item.attempt})
        return []
    if review.status != "PENDING":
        told = means.reviews.tell(item.id, means.machine)
        log.info("decided before", extra={"item": item.id, "status": review.status, "told": told})
        return []
    if not means.catalog.items.mark(item.id, "PENDING", attempt=item.attempt, media=request.media, prepared=request.prepared):
        log.warning("nothing to ask: the item has moved on", extra={"item": item.id, "attempt": item.attempt})
        return []
    return [Waiting((message.id,), request, review, means.catalog.items.get(item.id).film if review.film else None)]


def pending(message: Message, means: Asking) -> list[Waiting]:
    """What waits already and is unknown to an approver, the oldest first."""
    members = {approver.membership for approver in means.catalog.approvers.all()}
    found = []
    for record, review in undecided(means.catalog.items, means.reviews, epoch()):
        if record.media and record.prepared and not members <= set(review.mailed):
            request = ApprovalRequest(record.item, record.media.with_prepared(record.prepared), token="")
            found.append(Waiting((message.id,), request, review, record.film if review.film else None))
    return found[:ASKED_AT_ONCE]


def mail(approver: Approver, unasked: list[Waiting], sheet: ContactSheet, means: Asking) -> bool:
    """Send one approver's digest; False when it could not be sent."""
    try:
        until = max(one.review.expires for one in unasked)
        link = means.links.create(approver, [one.request.item.id for one in unasked], until)
        entries = tuple(sheet.entry(one, pictured=place < PICTURES) for place, one in enumerate(unasked))
        means.mailer.send(means.settings.mail_from, approver.address, digest(letter(approver.address, link, entries, means)))
    except Exception:
        log.exception("could not mail a digest", extra={"items": len(unasked)})
        return False
    for one in unasked:
        means.reviews.mailed(one.request.item.id, one.request.item.attempt, approver.membership)
    log.info("asked", extra={"link": link.id, "items": [one.request.item.id for one in unasked]})
    return True


def letter(approver: str, link: NewLink, entries: tuple[Entry, ...], means: Asking) -> Digest:
    """The facts of one approver's digest."""
    settings, site_url = means.settings, means.edge.site_url
    return Digest(
        envelope=Envelope(
            title=settings.gallery_title,
            sender=settings.mail_from,
            recipient=approver,
            reply_to=settings.operator or settings.mail_from,
            host=urlsplit(site_url).hostname or "localhost",
            sent_at=utc_now(),
        ),
        url=f"{site_url}/review/{link.id}#{link.secret}",
        code="" if settings.review_code == "never" else link.code,
        code_always=settings.review_code not in ("never", "new-device"),
        expires_at=datetime.fromtimestamp(link.expires, UTC),
        entries=entries,
    )


class ContactSheet:
    """The entries of a batch; each tile is drawn once however many approvers there are."""

    def __init__(self, batch: list[Waiting], store: Store, bucket: str) -> None:
        self._batch = batch
        self._store = store
        self._bucket = bucket
        self._tiles: dict[str, bytes] = {}

    def entry(self, one: Waiting, pictured: bool) -> Entry:
        """What the mail shows of one item; without its tile where the mail has no room for more."""
        item, media, seen = one.request.item, one.request.media, one.request.prepared.recognition
        return Entry(
            id=item.id,
            title=stem(item.filename),
            kind=media.kind,
            format=media.format,
            album=item.album_title,
            contributor=item.contributor,
            tile=self._tile(one) if pictured else b"",
            size=item.bytes,
            width=media.width,
            height=media.height,
            duration=media.duration,
            live=one.film is not None,
            labels=tuple(label.name for label in seen.labels[:LABELS_SHOWN]),
            moderation=tuple(marked(label) for label in one.moderation[:LABELS_SHOWN]),
            similar=self._similar(one.request),
        )

    def _tile(self, one: Waiting) -> bytes:
        id = one.request.item.id
        if id not in self._tiles:
            self._tiles[id] = self._draw(one.request, sensitive=bool(one.moderation))
        return self._tiles[id]

    def _draw(self, request: ApprovalRequest, sensitive: bool) -> bytes:
        picture = smallest(request.prepared.renditions)
        if picture is None:
            return file_tile(request.item.filename.rpartition(".")[2] or request.media.format)
        try:
            jpeg = self._store.read(Location(self._bucket, picture.key))
        except Exception as fault:  # a mail that lacks a picture is better than no mail
            log.warning("no picture for the mail", extra={"item": request.item.id, "key": picture.key, "fault": str(fault)})
            return file_tile("?")
        return picture_tile(jpeg, sensitive=sensitive, video=request.media.kind == "video")

    def _similar(self, request: ApprovalRequest) -> str:
        """The title of an earlier item of this batch that looks almost the same, "" when none does."""
        for other in (one.request for one in self._batch):
            if other.item.id == request.item.id:
                return ""
            if alike(other.prepared.phash, request.prepared.phash):
                return stem(other.item.filename)
        return ""


def smallest(renditions: tuple[Rendition, ...]) -> Rendition | None:
    """The smallest JPEG that fills a tile, else the largest there is."""
    jpegs = sorted((one for one in renditions if one.content_type == "image/jpeg"), key=lambda one: one.width)
    wide = [one for one in jpegs if max(one.width, one.height) >= TILE_WIDTH]
    return next(iter(wide or jpegs[::-1]), None)


def alike(left: str, right: str) -> bool:
    """Whether two perceptual hashes (16 hexadecimal digits, "" when unknown) are of almost the same picture."""
    return bool(left and right) and (int(left, 16) ^ int(right, 16)).bit_count() <= ALIKE_BITS


def marked(label: Label) -> str:
    return f"{label.name} {label.confidence:.0f}%"


handler = queue_handler(request_approval)
