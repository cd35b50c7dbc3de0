"""Personal review links: hashed secrets, a code typed once per device, short sessions. Looking through one decides nothing.

The reviews' table keeps hashes only: neither a copy of it nor its logs opens a link, a session or a device.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

from tasks.catalog.approvers import Approver, Approvers
from tasks.catalog.review_table import Placed, ReviewTable
from tasks.catalog.rows import device_key, keyed, link_key, session_key
from tasks.core.aws.attributes import Row
from tasks.core.aws.session import Aws
from tasks.core.clock import Clock, epoch, utc_now
from tasks.core.settings import Settings

SESSION_SECONDS = 15 * 60
DEVICE_SECONDS = 30 * 24 * 3600
CODE_TRIES = 5
LINK_ID = re.compile(r"[A-Za-z0-9_-]{16}")

Access = Literal["open", "code", "wrong-code", "locked", "expired", "unknown", "closed", "removed", "revoked"]


@dataclass(frozen=True)
class NewLink:
    """A link as it goes into one mail; afterwards nobody can read it anywhere. `expires` is epoch seconds."""

    id: str
    secret: str = field(repr=False)
    code: str = field(repr=False)  # six digits
    expires: int


@dataclass(frozen=True)
class Session:
    """An approver at work on one link's items, for 15 minutes from the last use."""

    link: str
    approver: str
    membership: str
    items: tuple[str, ...]
    link_expires: int
    nonce: str = field(repr=False)


@dataclass(frozen=True)
class Entry:
    """What came of opening a link. `cookie` and, after a code, `device` are new values for the browser to keep."""

    state: Access
    session: Session | None = None
    cookie: str = field(default="", repr=False)
    device: str = field(default="", repr=False)
    tries_left: int = CODE_TRIES


class Links:
    """Links, sessions and remembered devices; DynamoDB's TTL clears them away."""

    def __init__(
        self, table: ReviewTable, approvers: Approvers, link_seconds: int, code_policy: str, clock: Clock = utc_now
    ) -> None:
        self._table = table
        self._seconds = link_seconds
        self._policy = code_policy
        self._clock = clock
        self._approvers = approvers

    @classmethod
    def open(cls, aws: Aws, settings: Settings) -> Links:
        table = ReviewTable.open(aws, settings)
        return cls(table, Approvers.open(aws, settings), settings.link_seconds, settings.review_code)

    def create(self, approver: Approver, items: list[str], until: int) -> NewLink:
        """A link for one approver to these items, whose reviews end at `until` (epoch seconds) at the latest."""
        link = NewLink(
            id=secrets.token_urlsafe(12),
            secret=secrets.token_urlsafe(32),
            code=f"{secrets.randbelow(1_000_000):06d}",
            expires=min(until, epoch(self._clock) + self._seconds),
        )
        self._table.put(
            keyed(
                link_key(link.id),
                approver=approver.address,
                membership=approver.membership,
                items=items,
                secret_sha256=_hash(link.secret),
                # Six digits alone are guessed from their hash in a second: the secret, which is not kept, salts them.
                code_sha256=_hash(f"{link.secret}/{link.code}"),
                tries=0,
                expires=link.expires,
                ttl=link.expires + DEVICE_SECONDS,
            )
        )
        return link

    def enter(self, link_id: str, secret: str, code: str = "", device: str = "") -> Entry:
        """Open a link with its secret and, where the policy asks for one, its code. Five wrong codes lock it.

        Only who has the secret learns whether the link exists, is expired or locked.
        """
        row = self._link(link_id)
        # An unknown link is compared too, so that its answer takes as long.
        known = _equal(_hash(secret), row["secret_sha256"] if row else _hash("")) and row is not None
        if not known or row is None:
            return Entry("unknown")
        if ended := self._ended(row):
            return Entry(ended)
        if row["expires"] <= epoch(self._clock):
            return Entry("expired")
        if row["tries"] >= CODE_TRIES:
            return Entry("locked", tries_left=0)
        if not self._needs_code(row, device):
            return self._opened(link_id, row)
        if not code:
            return Entry("code", tries_left=CODE_TRIES - row["tries"])
        return self._try_code(link_id, row, secret, code)

    def _try_code(self, link_id: str, row: Placed, secret: str, code: str) -> Entry:
        """The try is counted before it is compared: a thousand at once are still five."""
        if not row.home.update(*link_key(link_id), "SET #tries = #tries + :one", "#tries < :most", one=1, most=CODE_TRIES):
            return Entry("locked", tries_left=0)
        digits = re.sub(r"\D", "", code)
        if not _equal(_hash(f"{secret}/{digits}"), row["code_sha256"]):
            left = max(0, CODE_TRIES - row["tries"] - 1)
            return Entry("wrong-code" if left else "locked", tries_left=left)
        row.home.update(*link_key(link_id), "SET #tries = :none", "attribute_exists(#pk)", none=0)
        return self._opened(link_id, row, device=self._remember(row))

    def _opened(self, link_id: str, row: Row, device: str = "") -> Entry:
        cookie, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        expires = epoch(self._clock) + SESSION_SECONDS
        self._table.put(keyed(session_key(_hash(cookie)), link=link_id, nonce=nonce, expires=expires, ttl=expires))
        return Entry("open", _session(link_id, row, nonce), cookie, device)

    def resume(self, link_id: str, cookie: str) -> Entry:
        """The session that this cookie stands for, another 15 minutes long; `closed` when it is over or another link's."""
        now = epoch(self._clock)
        key = session_key(_hash(cookie))
        found = self._table.find(*key) if cookie else None
        if not found or not _equal(found["link"], link_id) or found["expires"] <= now:
            return Entry("closed")
        row = self._link(link_id)
        if row is None or row["expires"] <= now:
            return Entry("closed")
        if ended := self._ended(row):
            return Entry(ended)
        until = now + SESSION_SECONDS
        alive = found.home.update(*key, "SET #expires = :until, #ttl = :until", "#expires > :now", until=until, now=now)
        return Entry("open", _session(link_id, row, found["nonce"]), cookie) if alive else Entry("closed")

    def _link(self, link_id: str) -> Placed | None:
        return self._table.find(*link_key(link_id)) if LINK_ID.fullmatch(link_id) else None

    def _ended(self, row: Row) -> Access | None:
        """Why nothing comes of this link any more, whoever has its secret: its approver was removed, or it was revoked."""
        approver = self._approvers.find(row["approver"])
        if approver is None:
            return "removed"
        return None if _equal(approver.membership, _membership(row)) else "revoked"

    def _needs_code(self, link: Row, device: str) -> bool:
        if self._policy == "never":
            return False
        return self._policy != "new-device" or not self._knows(link, device)

    def _knows(self, link: Row, device: str) -> bool:
        row = self._table.find(*device_key(_hash(device))) if device else None
        return row is not None and _equal(_membership(row), _membership(link)) and bool(row["expires"] > epoch(self._clock))

    def _remember(self, link: Row) -> str:
        """A cookie by which this approver's device is known for 30 days; "" where the code is always asked for."""
        if self._policy != "new-device":
            return ""
        cookie = secrets.token_urlsafe(32)
        expires = epoch(self._clock) + DEVICE_SECONDS
        whose = {"approver": link["approver"], "membership": _membership(link)}
        self._table.put(keyed(device_key(_hash(cookie)), **whose, expires=expires, ttl=expires))
        return cookie


def same(left: str, right: str) -> bool:
    """Compare what must not be guessed, in constant time."""
    return _equal(left, right)


def _session(link_id: str, row: Row, nonce: str) -> Session:
    return Session(link_id, row["approver"], _membership(row), tuple(row["items"]), row["expires"], nonce)


def _membership(row: Row) -> str:
    """Whose link or device it is. Those from before there was a list name the address: the first membership's name."""
    return str(row.get("membership", row["approver"]))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))
