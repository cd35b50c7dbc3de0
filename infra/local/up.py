"""`greenroom up`: starts the processes, deploys the templates, prints where everything is, and stops it all in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infra.deploy.approvers import difference
from infra.deploy.stack import Deployed
from infra.errors import Failed, Misused
from infra.local import deployment, processes
from infra.local.processes import Plan, Processes
from infra.local.rekognition import script
from infra.local.state import Stack, forget_stack, lock, read_stack, write_stack
from infra.local.web import listen
from infra.terminal import err, out, out_json

PREFIX = "greenroom"
START_SECONDS = 300


@dataclass(frozen=True)
class Wishes:
    """What the user asked for."""

    state: Path
    port: int = 8080
    aws_port: int = 4566
    auth: bool = False
    limit: int = 0
    approvers: tuple[str, ...] = ()  # who begin the list of approvers; those of an earlier run stay
    parameters: Mapping[str, str] = field(default_factory=dict)
    json: bool = False
    quiet: bool = False

    @property
    def site(self) -> str:
        return f"http://localhost:{self.port}"


def parameters(pairs: list[str]) -> dict[str, str]:
    """NAME=VALUE, ...; raises Misused."""
    split = [pair.partition("=") for pair in pairs]
    wrong = [name for name, equals, _ in split if not equals or not name]
    if wrong:
        raise Misused(f"--set takes NAME=VALUE, not {wrong[0]!r}")
    return {name: value for name, _, value in split}


def run(wishes: Wishes) -> int:
    """Start, and stay until Ctrl-C, SIGTERM or the end of one of the processes."""
    wishes.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    script.words(wishes.state)  # a script that cannot be used is said now, not at the first upload
    held = hold(wishes.state)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _interrupt)
    sockets = _sockets(wishes)
    running = processes.start(_plan(wishes), sockets)
    try:
        _announce(wishes, bring_up(wishes, running))
        running.wait()
    except KeyboardInterrupt:
        _say(wishes, "Stopping; everything is kept ...")
    finally:
        _undisturbed(running, wishes.state)
        held.close()
    return 0


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _undisturbed(running: Processes, state: Path) -> None:
    """Stop in order; a second Ctrl-C must not cost what is being saved."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    processes.stop(running)
    forget_stack(state)


def hold(state: Path) -> Any:
    """The state folder for ourselves; raises Misused when a stack runs in it."""
    held = lock(state)
    if held is None:
        other = read_stack(state)
        where = f" (process {other.pid}, {other.site})" if other else ""
        raise Misused(f"a stack runs in {state} already{where}: use it, or stop it with `greenroom down`")
    return held


def _sockets(wishes: Wishes) -> dict[str, socket.socket]:
    """Ports of ours, listening; raises Misused when one of the two that the user sees is taken."""
    _listening(wishes.aws_port, "--aws-port").close()
    return {
        "site": _listening(wishes.port, "--port"),
        "host": listen(),
        "rekognition": listen(),
        "smtp": listen(),
    }


def _listening(port: int, option: str) -> socket.socket:
    if not 1 <= port <= 65535:
        raise Misused(f"{option} must lie between 1 and 65535, not {port}")
    try:
        return listen(port)
    except PermissionError as fault:
        raise Misused(f"port {port} needs more rights than yours: choose another with {option}") from fault
    except OSError as fault:
        raise Misused(f"port {port} is in use by another program: choose another with {option}, or stop that program") from fault


def _plan(wishes: Wishes) -> Plan:
    functions = deployment.function_names(PREFIX)
    return Plan(wishes.state, wishes.port, wishes.aws_port, wishes.auth, functions, wishes.limit)


def bring_up(wishes: Wishes, running: Processes) -> Stack:
    """Everything between the start of the processes and a gallery that works; the stack as other commands find it."""
    ports = running.ports
    stack = Stack(
        pid=os.getpid(),
        state=str(wishes.state),
        site=wishes.site,
        endpoint=f"http://localhost:{wishes.aws_port}",
        port=wishes.port,
        aws_port=wishes.aws_port,
        host_port=ports["host"],
        rekognition_port=ports["rekognition"],
        stack_name=f"{PREFIX}-pipeline",
        auth=wishes.auth,
    )
    write_stack(stack)
    processes.wait_until_healthy(running, stack.endpoint)
    os.environ.update(stack.environment)
    _say(wishes, "Deploying the templates to the emulated AWS ...")
    outputs = deployment.deploy(stack, PREFIX, wishes.parameters)
    running.check()
    stack = replace(stack, domain=outputs["DistributionDomain"], settings=deployment.settings(stack))
    write_stack(stack)
    deployment.move_reviews(stack)
    deployment.begin_approvers(stack, wishes.approvers)
    _say(wishes, "Building the site ...")
    deployment.fill(stack)
    stack = replace(stack, ready=True)
    write_stack(stack)
    return stack


def _announce(wishes: Wishes, stack: Stack) -> None:
    if wishes.quiet:
        return
    listed = tuple(one.address for one in Deployed.local(stack).catalog.approvers.all())
    if note := difference(wishes.approvers, listed):
        err(f"greenroom: {note}")
    if wishes.json:
        out_json({**stack.json(), "settings": None, "recognition": script.words(wishes.state)})
    else:
        out(
            "",
            f"  Gallery   {stack.site}/",
            f"  Upload    {stack.site}/upload/",
            f"  Mailbox   {stack.site}/mailbox",
            f"  Console   {stack.site}/console",
            f"  AWS       {stack.endpoint} (any key, us-east-1)",
            f"  State     {stack.state}",
            f"  Approvers {', '.join(listed)}",
            "",
            f"Recognition: {script.words(wishes.state)}.",
            "Ctrl-C stops it and keeps everything.",
        )
    sys.stdout.flush()


def _say(wishes: Wishes, text: str) -> None:
    if not wishes.json:
        err(text)


def detached(wishes: Wishes) -> int:
    """Start in the background, and return once it runs; raises Failed with the reason when it doesn't."""
    wishes = replace(wishes, state=wishes.state.resolve())
    wishes.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    script.words(wishes.state)
    hold(wishes.state).close()
    for sock in _sockets(wishes).values():
        sock.close()
    (wishes.state / "logs").mkdir(exist_ok=True)
    log = wishes.state / "logs" / "up.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "infra.cli", *_arguments(wishes)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=wishes.state,  # neither the user's folder, which may go, nor one whose files could pass for our modules
        )
    _announce(wishes, _wait_for(wishes.state, child, log))
    return 0


def _arguments(wishes: Wishes) -> list[str]:
    """The command line that means the same wishes, in the foreground."""
    plain = ["up", "--state", str(wishes.state), "--port", str(wishes.port), "--aws-port", str(wishes.aws_port)]
    more = ["--limit", str(wishes.limit), *(["--auth"] if wishes.auth else [])]
    approvers = [part for address in wishes.approvers for part in ("--approver", address)]
    settings = [part for name, value in wishes.parameters.items() for part in ("--set", f"{name}={value}")]
    return [*plain, *more, *approvers, *settings]


def _wait_for(state: Path, child: subprocess.Popen[bytes], log: Path) -> Stack:
    pause, deadline = threading.Event(), time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        stack = read_stack(state)
        if stack and stack.ready:
            return stack
        if child.poll() is not None:
            words = log.read_text().strip().splitlines()
            raise Failed(words[-1].removeprefix("greenroom: ") if words else f"it ended with status {child.returncode}")
        pause.wait(0.1)
    child.terminate()
    raise Failed(f"it has not come up within {START_SECONDS} s; see {log}")
