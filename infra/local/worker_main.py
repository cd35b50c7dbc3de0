"""The life of one Lambda worker: a forked child, bound to one function, that answers calls over a socket.

A call and its answer are frames: four bytes of length, then JSON. The worker's output goes to the function's log file.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import socket
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

HEAD = 4


@dataclass(frozen=True)
class Binding:
    """What a new worker is told. `clients` are the host's own, made before the fork; `assume` asks for the role's rights."""

    function: str
    log: Path
    scratch: Path
    environment: dict[str, str]
    clients: dict[str, Any]
    assume: bool


@dataclass(frozen=True)
class Context:
    """Lambda's context object, as far as it makes sense here."""

    function_name: str
    aws_request_id: str
    invoked_function_arn: str
    deadline: float  # seconds since the epoch
    memory_limit_in_mb: int
    function_version: str = "$LATEST"
    log_stream_name: str = "local"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.time()) * 1000))


def frame(value: Any) -> bytes:
    body = json.dumps(value).encode()
    return len(body).to_bytes(HEAD, "big") + body


def run(sock: socket.socket, binding: Binding) -> NoReturn:
    """Called right after the fork; never returns."""
    try:
        _detach(sock, binding)
        handler, memory = _bind(binding)
    except BaseException as fault:
        traceback.print_exc()
        handler, memory = _failing(fault), 0
    try:
        _answer_calls(sock, binding.function, handler, memory)
    finally:
        os._exit(0)


def _detach(sock: socket.socket, binding: Binding) -> None:
    """Let go of everything of the parent's: its group, signals, files and output."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    output = os.open(binding.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
        if number > 2 and number != sock.fileno():
            with contextlib.suppress(OSError):  # the listing's own descriptor is gone already
                os.close(number)
    sys.stdout = os.fdopen(1, "w", buffering=1)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    binding.scratch.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = None


def _bind(binding: Binding) -> tuple[Any, int]:
    """Become the function: its environment, its role and its handler."""
    configuration = binding.clients["lambda"].get_function_configuration(FunctionName=binding.function)
    environment = {
        **binding.environment,
        **configuration.get("Environment", {}).get("Variables", {}),
        "TMPDIR": str(binding.scratch),
        "AWS_LAMBDA_FUNCTION_NAME": binding.function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.get("MemorySize", 128)),
    }
    if binding.assume:
        environment.update(_credentials(binding, configuration["Role"]))
    os.environ.clear()
    os.environ.update(environment)
    module, _, name = configuration["Handler"].rpartition(".")
    return getattr(importlib.import_module(module), name), int(configuration.get("MemorySize", 128))


def _credentials(binding: Binding, role: str) -> dict[str, str]:
    name = binding.function[-64:]
    given = binding.clients["sts"].assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def _failing(fault: BaseException) -> Any:
    """A handler for a function that couldn't be made: every call says why."""

    def handler(event: Any, context: Any) -> NoReturn:
        raise RuntimeError(f"the function could not be started: {type(fault).__name__}: {fault}") from fault

    return handler


def _answer_calls(sock: socket.socket, function: str, handler: Any, memory: int) -> None:
    with sock.makefile("rb") as stream:
        while head := stream.read(HEAD):
            call = json.loads(stream.read(int.from_bytes(head, "big")))
            sock.sendall(_answered(call, function, handler, memory))


def _answered(call: dict[str, Any], function: str, handler: Any, memory: int) -> bytes:
    context = Context(function, call["request"], call["arn"], time.time() + call["seconds"], memory)
    try:
        answer = frame({"result": handler(call["event"], context), "rss": _peak()})
    except BaseException as fault:  # whatever a handler raises is an answer: Lambda's error shape
        traceback.print_exc()
        answer = frame({"error": error_shape(fault, context.aws_request_id), "rss": _peak()})
    sys.stdout.flush()
    sys.stderr.flush()
    return answer


def error_shape(fault: BaseException, request: str) -> dict[str, Any]:
    """As Lambda's Python runtime reports an exception."""
    return {
        "errorMessage": str(fault),
        "errorType": type(fault).__name__,
        "requestId": request,
        "stackTrace": traceback.format_tb(fault.__traceback__)[-5:],
    }


def _peak() -> int:
    """The worker's largest resident size so far, in bytes."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024
