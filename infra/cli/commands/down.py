"""Stop the stack that runs on this machine. What was uploaded and published is kept for the next `greenroom up`."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path

from infra.cli.common import say, state_folder
from infra.errors import Failed, Misused
from infra.local.state import locked, read_stack

EXAMPLE = "greenroom down"
STOP_SECONDS = 90


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(given: argparse.Namespace) -> int:
    state = state_folder(given)
    pid = stop(state)
    say(given, {"stopped": pid, "state": str(state)}, f"stopped; everything is kept in {state}")
    return 0


def stop(state: Path) -> int:
    """Stop the stack of this folder and wait for it; its process id. Raises Misused when none runs, Failed when it stays."""
    stack = read_stack(state)
    if stack is None:
        raise Misused(f"no stack runs in {state}")
    os.kill(stack.pid, signal.SIGTERM)
    pause = threading.Event()
    for _ in range(STOP_SECONDS * 10):
        if not locked(state):
            return stack.pid
        pause.wait(0.1)
    raise Failed(f"process {stack.pid} has not stopped within {STOP_SECONDS} s; see {state / 'logs'}")
