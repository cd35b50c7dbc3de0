"""Where the local stack keeps itself, how the other commands find and stop it (stack.json), and who wrote it (greenroom.json)."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from infra.deploy.deployed import Deployed
from infra.errors import Failed, Misused
from tasks.core.versions import EVERY

# MiniStack writes all its state when it stops (processes.py), and the others before it.
STOP_SECONDS = 90


def default_state() -> Path:
    """The user's data folder, as the platform has it: $XDG_DATA_HOME or ~/.local/share, ~/Library/Application Support."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "greenroom"
    home = os.environ.get("XDG_DATA_HOME", "")
    return (Path(home) if home else Path.home() / ".local" / "share") / "greenroom"


@dataclass(frozen=True)
class Instance:
    """A Greenroom on this machine. `settings` is the environment of its functions; `domain` the distribution's host name."""

    pid: int
    state: str
    site: str
    endpoint: str
    port: int
    aws_port: int
    host_port: int = 0
    rekognition_port: int = 0
    stack_name: str = "greenroom-pipeline"
    domain: str = ""
    auth: bool = False
    ready: bool = False
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return Path(self.state)

    @property
    def environment(self) -> dict[str, str]:
        """With this, boto3 and the AWS CLI talk to this stack, as the account's owner."""
        return aws_environment(self.endpoint)

    def deployed(self) -> Deployed:
        """Greenroom as it is deployed here. From here on this process's boto3 talks to it alone."""
        os.environ.update(self.environment)
        return Deployed(self.stack_name, told=self.settings, is_local=True)

    def json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Writer:
    """Which Greenroom wrote a state folder, and the version of each shape that it stores."""

    greenroom: str = ""
    shapes: dict[str, int] = field(default_factory=dict)


def aws_environment(endpoint: str) -> dict[str, str]:
    """The emulator's own account: nothing of the user's AWS configuration reaches it."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "4",
    }


def clean_environment() -> dict[str, str]:
    """This process's environment without anything that points at an AWS account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def write_instance(instance: Instance) -> None:
    path = instance.folder / "stack.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(instance.json(), indent=1) + "\n")
    part.replace(path)


def read_instance(state: Path) -> Instance | None:
    """The stack that runs in this state folder; None when none does (a file that a dead one left is no stack)."""
    try:
        instance = Instance(**json.loads((state / "stack.json").read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    return instance if locked(state) else None


def sign(state: Path) -> None:
    """Write down which Greenroom writes this folder from now on, and the versions of what it stores.

    Raises Misused where a newer one wrote it: this one would misread it. A folder that says nothing is older than versions.
    """
    path = state / "greenroom.json"
    try:
        before = msgspec.json.decode(path.read_bytes(), type=Writer)
    except FileNotFoundError:
        before = Writer()
    except msgspec.MsgspecError as fault:
        raise Misused(f"{path} cannot be read: choose another folder with --state, or restore it from a copy") from fault
    mine = {name: shape.version for name, shape in EVERY.items()}
    if any(number > mine.get(name, 0) for name, number in before.shapes.items()):
        raise Misused(
            f"a newer Greenroom ({before.greenroom}) wrote {state}, and this one ({installed()}) would misread it: "
            "update Greenroom, or choose another folder with --state"
        )
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(Writer(installed(), mine)), indent=1) + "\n")
    part.replace(path)


def installed() -> str:
    """The version of this Greenroom."""
    return version("greenroom")


def forget_instance(state: Path) -> None:
    (state / "stack.json").unlink(missing_ok=True)


def locked(state: Path) -> bool:
    """Whether a process holds this state folder. The lock dies with its holder, so a stale file means nothing."""
    import fcntl

    try:
        with (state / "lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def lock(state: Path) -> Any:
    """Hold the state folder for as long as the returned file stays open; None when somebody else does."""
    import fcntl

    file = (state / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def stop(state: Path) -> int:
    """Stop the stack of this folder and wait for it; its process id. Raises Misused when none runs, Failed when it stays."""
    instance = read_instance(state)
    if instance is None:
        raise Misused(f"no stack runs in {state}")
    os.kill(instance.pid, signal.SIGTERM)
    pause = threading.Event()
    for _ in range(STOP_SECONDS * 10):
        if not locked(state):
            return instance.pid
        pause.wait(0.1)
    raise Failed(f"process {instance.pid} has not stopped within {STOP_SECONDS} s; see {state / 'logs'}")
