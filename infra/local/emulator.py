"""MiniStack as a child of `greenroom up`: it ends, and saves its state, when its parent does."""

from __future__ import annotations

import os
import signal
import sys
import threading


def _end_with_parent() -> None:
    """Standard input is a pipe that the parent holds: its end means that the parent is gone."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    from ministack.app import main as serve

    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    serve()


if __name__ == "__main__":
    main()
