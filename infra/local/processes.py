"""The processes of a local stack: started side by side, watched, and stopped in order."""

from __future__ import annotations

import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from infra.errors import Failed
from infra.local.state import aws_environment, clean_environment

# MiniStack writes all its state when it stops; a gallery's worth of rows takes a while.
STOP_SECONDS = 60


@dataclass(frozen=True)
class Layout:
    """What to start: where it keeps itself and the ports that it answers on."""

    state: Path
    port: int
    aws_port: int
    auth: bool
    functions: tuple[str, ...]  # names of the Lambda functions that the host serves
    limit: int = 0  # calls at once; 0: by the number of cores

    @property
    def endpoint(self) -> str:
        return f"http://localhost:{self.aws_port}"

    @property
    def logs(self) -> Path:
        return self.state / "logs"


@dataclass
class Processes:
    """Running children by name, in the order of their start."""

    logs: Path
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ended: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    def start(self, name: str, command: list[str], environment: dict[str, str], sockets: tuple[socket.socket, ...] = ()) -> None:
        """Start a child in a session of its own (a Ctrl-C is ours to handle), its output in its log file."""
        log = self.logs / f"{name}.log"
        _rotate(log)
        with log.open("ab") as out:
            # -P: a file in the user's folder, say tasks.py, must not be taken for a module of ours.
            child = subprocess.Popen(
                [sys.executable, "-P", *command],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                pass_fds=[sock.fileno() for sock in sockets],
                start_new_session=True,
            )
        for sock in sockets:
            sock.close()
        self.children[name] = child
        threading.Thread(target=self._watch, args=(name, child), daemon=True).start()

    def _watch(self, name: str, child: subprocess.Popen[bytes]) -> None:
        child.wait()
        self.ended.put(name)

    def check(self) -> None:
        """Raise Failed when a child has ended."""
        for name, child in self.children.items():
            if child.poll() is not None:
                raise Failed(f"{name} ended with status {child.returncode}; see {self.logs / f'{name}.log'}")

    def wait(self) -> None:
        """Until a child ends, which is a failure; an interrupt (KeyboardInterrupt) goes through."""
        self.ended.get()
        self.check()

    def stop(self, name: str) -> None:
        """SIGTERM, and a kill when that is not enough."""
        child = self.children.pop(name, None)
        if child is None:
            return
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdin:
            child.stdin.close()


def _rotate(log: Path, limit: int = 10 << 20) -> None:
    """Keep one older file once a log has grown; nothing is lost while it is being written."""
    if log.exists() and log.stat().st_size > limit:
        log.replace(log.with_suffix(".log.1"))


def start(layout: Layout, sockets: dict[str, socket.socket]) -> Processes:
    """Start everything; `sockets` listen already, named site, host, rekognition and smtp."""
    layout.logs.mkdir(parents=True, exist_ok=True)
    for log in layout.logs.glob("*.log"):
        _rotate(log)
    ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
    processes = Processes(layout.logs, ports)
    processes.start("ministack", ["-m", "infra.local.emulator"], ministack_environment(layout, ports))
    host, eye, door, smtp = (sockets[name] for name in ("host", "rekognition", "site", "smtp"))
    processes.start("lambda-host", _command("infra.local.lambda_host", layout, host), host_environment(layout, ports), (host,))
    processes.start("rekognition", _command("infra.local.rekognition", layout, eye), clean_environment(), (eye,))
    front = [*_command("infra.local.front", layout, door), "--more", f"smtp={smtp.fileno()}"]
    processes.start("front-door", front, {**clean_environment(), **aws_environment(layout.endpoint)}, (door, smtp))
    return processes


def _command(module: str, layout: Layout, sock: socket.socket) -> list[str]:
    auth = ["--auth"] if layout.auth else []
    return ["-m", module, "--state", str(layout.state), "--fd", str(sock.fileno()), "--limit", str(layout.limit), *auth]


def ministack_environment(layout: Layout, ports: dict[str, int]) -> dict[str, str]:
    """MiniStack on this machine only, persistent, with our host for functions and our mailbox for mails."""
    proxies = {f"MINISTACK_LAMBDA_PROXY_{name}": f"http://127.0.0.1:{ports['host']}/" for name in layout.functions}
    return {
        **clean_environment(),
        **proxies,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(layout.aws_port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(layout.state / "ministack"),
        "S3_DATA_DIR": str(layout.state / "s3"),
        "SMTP_HOST": f"127.0.0.1:{ports['smtp']}",
        "AUTH": "true" if layout.auth else "false",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_WORKER_THREADS": "256",
    }


def host_environment(layout: Layout, ports: dict[str, int]) -> dict[str, str]:
    """What every function finds in its environment, beside its own."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    return {
        **clean_environment(),
        **aws_environment(layout.endpoint),
        **dict.fromkeys(threads, "1"),
        "AWS_ENDPOINT_URL_REKOGNITION": f"http://127.0.0.1:{ports['rekognition']}",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",  # macOS would end a forked worker that asks for the system's proxies
        "no_proxy": "*",
    }


def stop(processes: Processes) -> None:
    """The door first, then MiniStack, which saves everything; the functions' host last, so that their calls can end."""
    for name in ("front-door", "ministack", "lambda-host", "rekognition"):
        processes.stop(name)


def wait_until_healthy(processes: Processes, endpoint: str, seconds: float = 60) -> None:
    """Until MiniStack answers; raises Failed when it ends or never does."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        processes.check()
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            pause.wait(0.05)
    raise Failed(f"MiniStack did not answer on {endpoint} within {seconds:.0f} s; see {processes.logs / 'ministack.log'}")
