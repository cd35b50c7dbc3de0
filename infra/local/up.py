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
from functools import partial
from pathlib import Path
from typing import Any

from infra.deploy.approvers import difference
from infra.errors import Failed, Misused
from infra.local import deployment, processes
from infra.local.processes import Layout, Processes
from infra.local.rekognition import script
from infra.local.state import Instance, forget_instance, lock, read_instance, sign, write_instance
from infra.local.web import listen
from infra.terminal import err, out, out_json

PREFIX = "greenroom"
START_SECONDS = 300


@dataclass(frozen=True)
class UpOptions:
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


def run(options: UpOptions) -> int:
    """Start, and stay until Ctrl-C, SIGTERM or the end of one of the processes."""
    options.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    script.words(options.state)  # a script that cannot be used is said now, not at the first upload
    held = hold(options.state)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _interrupt)
    sockets = _sockets(options)
    running = processes.start(_layout(options), sockets)
    try:
        _announce(options, bring_up(options, running))
        running.wait()
    except KeyboardInterrupt:
        _say(options, "Stopping; everything is kept ...")
    finally:
        _undisturbed(running, options.state)
        held.close()
    return 0


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _undisturbed(running: Processes, state: Path) -> None:
    """Stop in order; a second Ctrl-C must not cost what is being saved."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    processes.stop(running)
    forget_instance(state)


def hold(state: Path) -> Any:
    """The state folder for ourselves; raises Misused when a stack runs in it, or when a newer Greenroom wrote it."""
    held = lock(state)
    if held is None:
        other = read_instance(state)
        where = f" (process {other.pid}, {other.site})" if other else ""
        raise Misused(f"a stack runs in {state} already{where}: use it, or stop it with `greenroom down`")
    try:
        sign(state)
    except Misused:
        held.close()
        raise
    return held


def _sockets(options: UpOptions) -> dict[str, socket.socket]:
    """Ports of ours, listening; raises Misused when one of the two that the user sees is taken."""
    _listening(options.aws_port, "--aws-port").close()
    return {
        "site": _listening(options.port, "--port"),
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


def _layout(options: UpOptions) -> Layout:
    functions = deployment.function_names(PREFIX)
    return Layout(options.state, options.port, options.aws_port, options.auth, functions, options.limit)


def bring_up(options: UpOptions, running: Processes) -> Instance:
    """Everything between the start of the processes and a gallery that works; the stack as other commands find it."""
    ports = running.ports
    instance = Instance(
        pid=os.getpid(),
        state=str(options.state),
        site=options.site,
        endpoint=f"http://localhost:{options.aws_port}",
        port=options.port,
        aws_port=options.aws_port,
        host_port=ports["host"],
        rekognition_port=ports["rekognition"],
        stack_name=f"{PREFIX}-pipeline",
        auth=options.auth,
    )
    write_instance(instance)
    processes.wait_until_healthy(running, instance.endpoint)
    os.environ.update(instance.environment)
    _say(options, "Deploying the templates to the emulated AWS ...")
    instance = deployment.deploy(instance, PREFIX, options.parameters, options.approvers, partial(_say, options))
    running.check()
    write_instance(instance)
    _say(options, "Building the site ...")
    deployment.fill(instance)
    instance = replace(instance, ready=True)
    write_instance(instance)
    return instance


def _announce(options: UpOptions, instance: Instance) -> None:
    if options.quiet:
        return
    listed = tuple(one.address for one in instance.deployed().catalog.approvers.all())
    if note := difference(options.approvers, listed):
        err(f"greenroom: {note}")
    if options.json:
        out_json({**instance.json(), "settings": None, "recognition": script.words(options.state)})
    else:
        out(
            "",
            f"  Gallery   {instance.site}/",
            f"  Upload    {instance.site}/upload/",
            f"  Mailbox   {instance.site}/mailbox",
            f"  Console   {instance.site}/console",
            f"  AWS       {instance.endpoint} (any key, us-east-1)",
            f"  State     {instance.state}",
            f"  Approvers {', '.join(listed)}",
            "",
            f"Recognition: {script.words(options.state)}.",
            "Ctrl-C stops it and keeps everything.",
        )
    sys.stdout.flush()


def _say(options: UpOptions, text: str) -> None:
    if not options.json:
        err(text)


def detached(options: UpOptions) -> int:
    """Start in the background, and return once it runs; raises Failed with the reason when it doesn't."""
    options = replace(options, state=options.state.resolve())
    options.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    script.words(options.state)
    hold(options.state).close()
    for sock in _sockets(options).values():
        sock.close()
    (options.state / "logs").mkdir(exist_ok=True)
    log = options.state / "logs" / "up.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "infra.cli", *_arguments(options)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=options.state,  # neither the user's folder, which may go, nor one whose files could pass for our modules
        )
    _announce(options, _wait_for(options.state, child, log))
    return 0


def _arguments(options: UpOptions) -> list[str]:
    """The command line that means the same, in the foreground."""
    plain = ["up", "--state", str(options.state), "--port", str(options.port), "--aws-port", str(options.aws_port)]
    more = ["--limit", str(options.limit), *(["--auth"] if options.auth else [])]
    approvers = [part for address in options.approvers for part in ("--approver", address)]
    settings = [part for name, value in options.parameters.items() for part in ("--set", f"{name}={value}")]
    return [*plain, *more, *approvers, *settings]


def _wait_for(state: Path, child: subprocess.Popen[bytes], log: Path) -> Instance:
    pause, deadline = threading.Event(), time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        instance = read_instance(state)
        if instance and instance.ready:
            return instance
        if child.poll() is not None:
            words = log.read_text().strip().splitlines()
            raise Failed(words[-1].removeprefix("greenroom: ") if words else f"it ended with status {child.returncode}")
        pause.wait(0.1)
    child.terminate()
    raise Failed(f"it has not come up within {START_SECONDS} s; see {log}")
