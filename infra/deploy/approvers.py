"""The list of approvers as a deployment begins it: once, and never against what the list says since."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tasks.core.addresses import normal_address
from tasks.core.errors import BadRequest

if TYPE_CHECKING:
    from tasks.catalog.approvers import Approvers


def begin(approvers: Approvers, wanted: Iterable[str]) -> tuple[str, ...]:
    """Begin an empty list with `wanted` (normal addresses); the addresses that the list then has, first come first."""
    approvers.begin(wanted)
    return tuple(one.address for one in approvers.all())


def earlier(told: str) -> tuple[tuple[str, ...], list[str]]:
    """The approvers that a deployment from before there was a list was told, and what is wrong with those left out."""
    found, faults = [], []
    for part in filter(str.strip, told.split(",")):
        try:
            found.append(normal_address(part))
        except BadRequest as fault:
            faults.append(fault.reason)
    return tuple(found), faults


def difference(wanted: Iterable[str], listed: Iterable[str], command: str = "greenroom approvers") -> str:
    """What to say when somebody asked for other approvers than those in the list; "" when nobody did."""
    asked, there = set(wanted), list(listed)
    if not asked or asked == set(there):
        return ""
    return (
        f"--approver begins the list of approvers and does not change it. The approvers are: {', '.join(there)}. "
        f"`{command} add ADDRESS` and `{command} remove ADDRESS` change the list."
    )
