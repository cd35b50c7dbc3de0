"""Deploy to the AWS account that the environment names. It shows what it creates before it does."""

from __future__ import annotations

import argparse

EXAMPLE = "greenroom deploy --approver ada@example.com --mail-from gallery@example.com"


def arguments(parser: argparse.ArgumentParser) -> None:
    from infra.deploy import aws as deploy

    deploy.arguments(parser)


def run(given: argparse.Namespace) -> int:
    from infra.deploy import aws as deploy

    return deploy.run(given)
