"""What each parameter of the templates is: what was asked for, else what is deployed, else what suits here, else its default."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from infra.deploy.cloudformation import look
from infra.deploy.package import STACKS, read_template
from tasks.core.errors import BadRequest

# A review's link must die before its state does: a click that arrives too late must find a closed door, not a race.
LINK_MARGIN = 86_400
DAY = 86_400
NOTHING: Mapping[str, str] = {}


@cache
def declared() -> dict[str, dict[str, Any]]:
    """Every parameter of every template by name: its Type, Default, AllowedValues, ..."""
    return {name: rule for stack in STACKS for name, rule in read_template(stack)["Parameters"].items()}


@cache
def found_out() -> set[str]:
    """Parameters whose values the deploy itself finds out; what they were before says nothing about what they will be."""
    outputs = {name for stack in STACKS for name in read_template(stack).get("Outputs", {})}
    return {"SiteOrigin"} | {name for name, rule in declared().items() if name in outputs and "Default" not in rule}


def deployed(client: Any, prefix: str) -> dict[str, str]:
    """What the stacks that work have now, by name; empty before the first deploy.

    After a deploy that failed halfway the earlier stacks know the newer value, so that the earliest one's counts.
    """
    present = [look(client, f"{prefix}-{name}").parameters for name in STACKS]
    return {name: value for parameters in reversed(present) for name, value in parameters.items()}


def settle(
    asked: Mapping[str, str], deployed: Mapping[str, str] = NOTHING, suited: Mapping[str, str] = NOTHING
) -> dict[str, str]:
    """Every parameter that has a value, and what follows from it; the templates' defaults are for the rest.

    `asked` is what somebody said this time: an empty value puts the default back. `deployed` is what the stacks have now, and
    is kept where nothing was asked; a value that CloudFormation hides, as asterisks, is not in the answer. `suited` are
    better defaults for this place. Raises BadRequest for a name that no template has and for a value that cannot be.
    """
    rules = declared()
    if unknown := sorted(set(asked) - set(rules)):
        raise BadRequest(f"no template has a parameter {', '.join(unknown)}; there are: {', '.join(sorted(rules))}")
    defaults = {name: str(rule["Default"]) for name, rule in rules.items() if "Default" in rule} | dict(suited)
    wanted = {name: str(value) or _default(name, defaults) for name, value in asked.items()}
    kept = {name: value for name, value in deployed.items() if name in rules and name not in found_out() and not hidden(value)}
    times = _approval_times(_seconds({**defaults, **kept, **wanted}))
    values = {**suited, **kept, **times, **_own_times(kept, defaults), **wanted}
    _check({**defaults, **values}, rules)
    return values


def _default(name: str, defaults: Mapping[str, str]) -> str:
    if name not in defaults:
        raise BadRequest(f"{name} has no default to go back to: give it a value")
    return defaults[name]


def hidden(value: str) -> bool:
    """CloudFormation shows asterisks for a NoEcho parameter."""
    return bool(value) and not value.strip("*")


def _approval_times(approval: int) -> dict[str, str]:
    """The link's life and the work bucket's, fitted to the approval time in seconds."""
    link = approval - LINK_MARGIN if approval > 2 * LINK_MARGIN else max(30, approval * 9 // 10)
    return {"LinkSeconds": str(link), "WorkDays": str(-(-approval // DAY) + 16)}


def _own_times(kept: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """The deployed times that somebody chose, and did not follow from the approval time."""
    followed = _approval_times(_seconds({**defaults, **kept}))
    return {name: kept[name] for name, value in followed.items() if kept.get(name, value) != value}


def _seconds(values: Mapping[str, str]) -> int:
    text = values["ApprovalSeconds"]
    if not text.isdecimal():
        raise BadRequest(f"ApprovalSeconds must be a whole number of seconds, not {text!r}")
    return int(text)


def _check(values: Mapping[str, str], rules: Mapping[str, Mapping[str, Any]]) -> None:
    """What CloudFormation would refuse only after the build, and what it would not see."""
    for name, value in values.items():
        allowed = [str(one) for one in rules[name].get("AllowedValues", [])]
        if allowed and value not in allowed:
            raise BadRequest(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        if rules[name]["Type"] == "Number" and not _is_number(value):
            raise BadRequest(f"{name} must be a number, not {value!r}")
    if float(values["LinkSeconds"]) >= float(values["ApprovalSeconds"]):
        raise BadRequest("LinkSeconds must be shorter than ApprovalSeconds: a link that outlives its question decides nothing")
    if float(values["WorkDays"]) * DAY <= float(values["ApprovalSeconds"]):
        raise BadRequest("WorkDays must be longer than ApprovalSeconds: renditions would go while they wait for a decision")


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").replace(".", "", 1).isdecimal()
