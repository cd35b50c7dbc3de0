"""Mail addresses in one normal form, so that the same person is the same approver however the address was typed."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.headerregistry import Address

from tasks.core.errors import BadRequest

# RFC 5321, 4.5.3.1: octets of the part before the @, and of the whole.
LONGEST_LOCAL, LONGEST = 64, 254
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# IDNA 2003, which Python speaks, makes "ss" of a sharp s; registries follow IDNA 2008, where the two are different domains.
DEVIATIONS = "ßς\u200c\u200d"


def normal_address(text: str) -> str:
    """The address in lower case, without needless quotes or spaces, an international domain as `xn--...`.

    Raises BadRequest saying why `text` is not one plain address that Amazon SES can send to.
    """
    before_at = text.strip().rpartition("@")[0]
    if not (before_at.isascii() and before_at.isprintable()):
        raise _not_an_address(text, "Amazon SES takes printable ASCII only before the @")
    try:
        parsed = Address(addr_spec=text.strip())
    except (ValueError, IndexError, MessageError) as fault:
        raise _not_an_address(text, "give it plainly, such as ada@example.com") from fault
    # By the letter of RFC 5321 case counts before the @; no mail service that people use keeps to it.
    local = Address(username=parsed.username.lower(), domain="x").addr_spec.removesuffix("@x")
    address = f"{local}@{_domain(parsed.domain, text)}"
    if len(local) > LONGEST_LOCAL or len(address) > LONGEST:
        raise _not_an_address(text, f"it may have {LONGEST} characters, {LONGEST_LOCAL} of them before the @")
    return address


def _domain(domain: str, text: str) -> str:
    if any(char in DEVIATIONS for char in domain):
        raise _not_an_address(text, "give this domain in its xn-- form")
    try:
        plain = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError as fault:
        raise _not_an_address(text, "there is no such domain") from fault
    if not DOMAIN.fullmatch(plain.lower()):
        raise _not_an_address(text, "after the @ comes a domain, such as example.com")
    return plain.lower()


def _not_an_address(text: str, why: str) -> BadRequest:
    return BadRequest(f"{text.strip()[:LONGEST]!r} is not a mail address: {why}")
