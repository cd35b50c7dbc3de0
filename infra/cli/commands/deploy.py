"""Deploy to the AWS account that the environment names. It shows what it creates, changes and removes before it does.

Settings that are left out stay as they were deployed; one that is given as '' goes back to its default.
"""

from __future__ import annotations

import argparse

EXAMPLE = """
greenroom deploy --approver ada@example.com --mail-from gallery@example.com
greenroom deploy --title "Our summer"
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    from infra.deploy import plan

    plan.arguments(parser)


def run(given: argparse.Namespace) -> int:
    from infra.deploy import aws as deploy

    return deploy.run(given)
