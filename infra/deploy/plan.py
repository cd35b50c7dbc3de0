"""What `greenroom deploy` is asked for, and the plan that it makes with what is deployed already."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.deploy import artifacts, parameters
from infra.errors import Misused
from tasks.core.addresses import normal_address
from tasks.core.errors import BadRequest

ADDRESS = re.compile(r"[^@\s,<>]+@[^@\s,<>]+\.[^@\s,<>]+")
# Step Functions waits at most 99,999,999 seconds.
LONGEST_DAYS = 1157


@dataclass(frozen=True)
class Plan:
    """What will be deployed. `values` are template parameters by name, `deployed` those that the stacks have now.

    `approvers` begin the list of approvers; a list that has begun is not changed by a deploy.
    """

    prefix: str
    region: str
    values: dict[str, str]
    deployed: Mapping[str, str]
    approvers: tuple[str, ...] = ()

    @property
    def architecture(self) -> str:
        return self._value("Architecture")

    @property
    def python(self) -> str:
        return self._value("PythonRuntime").removeprefix("python")

    def _value(self, name: str) -> str:
        return self.values.get(name) or str(parameters.declared()[name]["Default"])

    @property
    def environment(self) -> dict[str, str]:
        """What infra/lambda/common.mk reads."""
        return {
            "GREENROOM_ARCHITECTURE": self.architecture,
            "GREENROOM_PYTHON": self.python,
            "AWS_DEFAULT_REGION": self.region,
        }


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--prefix", default="greenroom", help="first part of every name (default: greenroom)")
    add("--approver", "--approvers", action="append", metavar="MAIL", help="who decides at first; several, or with commas")
    add("--mail-from", metavar="MAIL", help="sender of the mails; an identity in SES")
    add(
        "--register-mail",
        action=argparse.BooleanOptionalAction,
        help="make the sender an identity in SES: it gets a mail to confirm; --no-register-mail leaves that to you again",
    )
    add("--operator", metavar="MAIL", help="who is told of failures (at first: the first approver)")
    add("--title", help="name at the top of the site and the mails (at first: Greenroom)")
    add("--approval-days", type=float, metavar="DAYS", help="how long an item waits for a decision (at first: 14)")
    add("--alarm-mail", metavar="MAIL", help="who gets CloudWatch's alarms (at first: nobody)")
    add("--region", default="", help="AWS region (default: the environment's)")
    add("--arch", choices=tuple(artifacts.PLATFORMS), help="the functions' processors (at first: arm64)")
    add("--python", choices=("3.12", "3.13"), help="the functions' runtime (at first: 3.13)")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="any other parameter of infra/templates")
    add("--yes", action="store_true", help="don't ask")
    add("--dry-run", action="store_true", help="say, build and check everything as for a first deploy, and stop before AWS")


def asked(given: argparse.Namespace) -> dict[str, str]:
    """The template parameters that the options name, "" for a default; raises Misused naming the one that cannot be used."""
    approvers(given)
    days = given.approval_days
    if days is not None and not 0 < days < LONGEST_DAYS:
        raise Misused(f"--approval-days must be more than 0 and less than {LONGEST_DAYS}, not {days:g}")
    if given.mail_from and not ADDRESS.fullmatch(given.mail_from):
        raise Misused(f"--mail-from {given.mail_from!r} is not a plain mail address such as gallery@example.com")
    named = {
        "MailFrom": given.mail_from,
        "Operator": given.operator and _address("--operator", given.operator),
        "GalleryTitle": given.title,
        "AlarmMail": given.alarm_mail and _address("--alarm-mail", given.alarm_mail),
        "MailIdentity": "" if given.register_mail is False else None,
        "ApprovalSeconds": None if days is None else str(math.ceil(days * 86_400)),
        "Architecture": given.arch,
        "PythonRuntime": given.python and f"python{given.python}",
    }
    return {name: value for name, value in named.items() if value is not None} | _pairs(given.set)


def approvers(given: argparse.Namespace) -> tuple[str, ...]:
    """Who begin the list, in their addresses' normal form; raises Misused."""
    return tuple(_approver(part) for one in given.approver or [] for part in one.split(",") if part.strip())


def _approver(text: str) -> str:
    try:
        return normal_address(text)
    except BadRequest as fault:
        raise Misused(f"--approver {fault.reason}") from fault


def _address(option: str, text: str) -> str:
    if not ADDRESS.fullmatch(text.strip()):
        raise Misused(f"{option} {text!r} is not a mail address")
    return text.strip()


def make_plan(given: argparse.Namespace, deployed: Mapping[str, str]) -> Plan:
    """What the options say, over what the stacks have; raises Misused or BadRequest for what can't be."""
    values = asked(given)
    if given.register_mail:
        values = {"MailIdentity": values.get("MailFrom") or deployed.get("MailFrom", ""), **values}
    values = parameters.settle({**values, "Prefix": given.prefix}, deployed)
    first = approvers(given)
    if not values.get("MailFrom") or not (first or deployed):
        raise Misused("somebody must decide, and be asked by mail: give --approver and --mail-from")
    return Plan(given.prefix, given.region or region_here(), values, deployed, first)


def _pairs(given: list[str]) -> dict[str, str]:
    wrong = [pair for pair in given if "=" not in pair]
    if wrong:
        raise Misused(f"--set {wrong[0]!r} is not NAME=VALUE")
    pairs = dict(pair.split("=", 1) for pair in given)
    if unfit := sorted(pairs.keys() & (parameters.found_out() | {"Prefix"})):
        how = "use --prefix" if unfit[0] == "Prefix" else "the deploy finds it out"
        raise Misused(f"{unfit[0]} cannot be set: {how}")
    return pairs


def region_here() -> str:
    import boto3

    region = boto3.session.Session().region_name
    if not region:
        raise Misused("no region: give --region, or set AWS_REGION or a profile's region")
    return str(region)
