"""What the laptop's own server processes share: their options, and how they end (with their parent, or by SIGTERM)."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from socket import socket as Socket


@dataclass(frozen=True)
class Options:
    """What the supervisor hands over; `socket` listens already."""

    state: Path
    socket: Socket
    auth: bool = False
    limit: int = 0
    more: dict[str, Socket] | None = None


def run(main: Callable[[Options], Awaitable[None]]) -> None:
    """Parse the options and run until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--auth", action="store_true")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--more", action="append", default=[], help="NAME=FD, another listening socket")
    given = parser.parse_args()
    more = {name: Socket(fileno=int(fd)) for name, _, fd in (pair.partition("=") for pair in given.more)}

    async def go() -> None:
        await main(Options(given.state, Socket(fileno=given.fd), given.auth, given.limit, more))

    asyncio.run(go())


async def until_stopped() -> None:
    """Return at SIGTERM, SIGINT, or when the parent is gone (our standard input is a pipe that it holds)."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        loop.add_reader(0, lambda: None if os.read(0, 4096) else stopped.set())
    await stopped.wait()
