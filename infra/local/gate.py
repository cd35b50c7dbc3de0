"""How many functions run at once: calls beyond the limit wait their turn instead of being throttled."""

from __future__ import annotations

import asyncio
import time
from collections import deque

# These decode or encode media and keep a core busy; the others mostly wait for AWS.
HEAVY = ("ValidateMedia", "ConvertImage", "DrawWaveform", "TranscodeSegment", "JoinVideo", "MakeThumbnails")


def is_heavy(function: str) -> bool:
    """Whether a function (`<prefix>-<Name>`) keeps a core busy."""
    return function.rsplit("-", 1)[-1] in HEAVY


class Gate:
    """First come, first served, in two lanes: `heavy` calls take at most `heavy_limit` of the `limit` places.

    No function waits for another one here, so a place is always given back and nobody waits for ever.
    """

    def __init__(self, limit: int, heavy_limit: int) -> None:
        self.limit, self.heavy_limit = limit, min(heavy_limit, limit)
        self.running = self.running_heavy = 0
        self._waiting: dict[bool, deque[tuple[int, asyncio.Future[None]]]] = {True: deque(), False: deque()}
        self._ticket = 0
        self._left = time.monotonic()

    @property
    def waiting(self) -> int:
        return sum(len(lane) for lane in self._waiting.values())

    async def enter(self, heavy: bool) -> None:
        """Wait for a place; every `enter` needs a `leave`."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ticket += 1
        self._waiting[heavy].append((self._ticket, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(heavy)
            raise

    def leave(self, heavy: bool) -> None:
        self._left = time.monotonic()
        self.running -= 1
        self.running_heavy -= heavy
        self._admit()

    async def quiet(self, seconds: float) -> None:
        """Wait until nothing has run, or waited to run, for `seconds`."""
        while (left := seconds - self._idle_seconds()) > 0:
            await asyncio.sleep(left)

    def _idle_seconds(self) -> float:
        return 0.0 if self.running or self.waiting else time.monotonic() - self._left

    def _admit(self) -> None:
        while self.running < self.limit:
            lanes = [heavy for heavy in (True, False) if self._waiting[heavy] and not (heavy and self._heavy_full)]
            if not lanes:
                return
            heavy = min(lanes, key=lambda lane: self._waiting[lane][0][0])
            _, turn = self._waiting[heavy].popleft()
            if not turn.done():
                self.running += 1
                self.running_heavy += heavy
                turn.set_result(None)

    @property
    def _heavy_full(self) -> bool:
        return self.running_heavy >= self.heavy_limit
