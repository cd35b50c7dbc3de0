"""Who may decide: list the approvers, add or remove one, or revoke an approver's links. Every change holds at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from infra.cli.common import deployed, say
from infra.errors import Failed, Misused
from tasks.core.text import plural

if TYPE_CHECKING:
    from infra.deploy.deployed import Deployed
    from tasks.catalog.approvers import Approver

REMOTE = True
EXAMPLE = """
greenroom approvers
greenroom approvers add bo@example.com
greenroom approvers remove ada@example.com
"""
MEANING = (
    "list (the default); add: may decide, and is mailed what waits already; remove: can no longer decide; revoke: stays an "
    "approver, but every link, session and remembered device ends, and a new link is mailed for what waits"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "add", "remove", "revoke"), default="list", help=MEANING)
    parser.add_argument("addresses", nargs="*", metavar="ADDRESS", help="mail addresses to add, remove or revoke")


def run(given: argparse.Namespace) -> int:
    from tasks.core.addresses import normal_address

    addresses = list(dict.fromkeys(map(normal_address, given.addresses)))
    if given.action == "list" and addresses:
        raise Misused(f"list takes no address; to add it: greenroom approvers add {addresses[0]}")
    if given.action != "list" and not addresses:
        raise Misused(f"whom? Give a mail address: greenroom approvers {given.action} ada@example.com")
    target = deployed(given)
    if given.action == "list":
        return _list(given, target)
    change: Callable[[Deployed, str], str] = {"add": _add, "remove": _remove, "revoke": _revoke}[given.action]
    _all_can_be(given.action, addresses, target)
    for address in addresses:
        outcome = change(target, address)
        say(given, {"address": address, "outcome": outcome}, f"{address}: {SAID[outcome]}")
    return _ask(given, target)


SAID = {
    "added": "added: may decide from now on",
    "listed": "is an approver already",
    "removed": "removed: can no longer decide; their links, sessions and remembered devices have ended",
    "revoked": "still an approver; their links, sessions and remembered devices have ended",
}


def _list(given: argparse.Namespace, target: Deployed) -> int:
    for one in target.catalog.approvers.all():
        say(given, _facts(one), f"{one.address}  since {one.added_at}")
    return 0


def _facts(one: Approver) -> dict[str, Any]:
    return {"address": one.address, "added_at": one.added_at}


def _all_can_be(action: str, addresses: list[str], target: Deployed) -> None:
    """Raises Misused before anything is changed when one of several changes cannot be made."""
    if action == "add":
        return
    listed = {one.address for one in target.catalog.approvers.all()}
    if strangers := [address for address in addresses if address not in listed]:
        raise _stranger(strangers[0])
    if action == "remove" and listed == set(addresses):
        raise _last(addresses[-1])


def _add(target: Deployed, address: str) -> str:
    if target.is_local:
        # The emulated SES sends to registered addresses only; on AWS that is the sandbox, and the operator's to decide.
        target.aws.client("ses").verify_email_identity(EmailAddress=address)
    return "added" if target.catalog.approvers.add(address) else "listed"


def _remove(target: Deployed, address: str) -> str:
    outcome = target.catalog.approvers.remove(address)
    if outcome == "unknown":
        raise _stranger(address)
    if outcome == "last":
        raise _last(address)
    return outcome


def _revoke(target: Deployed, address: str) -> str:
    if not target.catalog.approvers.revoke(address):
        raise _stranger(address)
    return "revoked"


def _stranger(address: str) -> Misused:
    return Misused(f"{address} is not an approver; `greenroom approvers` lists them")


def _last(address: str) -> Misused:
    return Misused(f"{address} would be the last to go, and somebody must decide: first `greenroom approvers add ADDRESS`")


def _ask(given: argparse.Namespace, target: Deployed) -> int:
    """Have everything that waits mailed to whoever does not know of it yet, and say how that went."""
    from tasks.lifecycle.asking import EVERYTHING_PENDING, unasked

    before = after = unasked(target.catalog, target.reviews)
    going_on = bool(before)
    while going_on:  # each mail has a bounded number of items
        target.deliver("RequestApproval", EVERYTHING_PENDING)
        earlier, after = after, unasked(target.catalog, target.reviews)
        going_on = bool(after) and after != earlier
    for address, waiting in before.items():
        left = after.get(address, 0)
        facts = {"address": address, "waiting": waiting, "mailed": waiting - left}
        say(given, facts, f"{address}: {plural(waiting, 'item')} waiting for a decision, {waiting - left} mailed now")
    if after:
        raise Failed(
            f"not everything was mailed ({', '.join(after)}): say `greenroom approvers add {next(iter(after))}` again; "
            "in SES's sandbox each address must be verified first"
        )
    return 0
