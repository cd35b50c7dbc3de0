"""MiniStack as a child of `greenroom up`: it ends, and saves its state, when its parent does."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from pathlib import Path

# How MiniStack names a queue: by the port that it was created under, too.
QUEUE = re.compile(r"http://localhost:\d+/(?=\d{12}/)")


def _end_with_parent() -> None:
    """Standard input is a pipe that the parent holds: its end means that the parent is gone."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def readdress(state: Path, port: str) -> None:
    """Let the queues of an earlier run under another port be found: MiniStack looks for them by today's, and polls no other."""
    today = f"http://localhost:{port}/"
    queues = state / "sqs.json"
    if not queues.exists() or set(QUEUE.findall(queues.read_text())) <= {today}:
        return
    for path in state.glob("*.json"):
        text = path.read_text()
        if QUEUE.search(text):
            part = path.with_suffix(".part")
            part.write_text(QUEUE.sub(today, text))
            part.replace(path)


def main() -> None:
    readdress(Path(os.environ["STATE_DIR"]), os.environ["GATEWAY_PORT"])
    from ministack.app import main as serve

    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    serve()


if __name__ == "__main__":
    main()
