"""Stop the stack that runs on this machine. What was uploaded and published is kept for the next `greenroom up`."""

from __future__ import annotations

import argparse

from infra.cli.common import say, state_folder
from infra.local.state import stop

EXAMPLE = "greenroom down"


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(given: argparse.Namespace) -> int:
    state = state_folder(given)
    pid = stop(state)
    say(given, {"stopped": pid, "state": str(state)}, f"stopped; everything is kept in {state}")
    return 0
