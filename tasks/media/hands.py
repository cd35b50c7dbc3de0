"""All cores at one picture: this thread works too, and hands over what others are free for. Runs in the sandbox's child."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self, TypeVar

CORES = os.cpu_count() or 1
Part = TypeVar("Part")


class Hands:
    """One hand less than there are cores, and at least one. More threads than cores take more of the processor for the same work.

    Leaving the block waits for all that was handed over, and raises the first fault of it.
    """

    def __init__(self, count: int = max(1, CORES - 1)) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(count)
        self._handed: list[Future[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, fault: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown(cancel_futures=fault is not None)
        if fault is None:
            for each in self._handed:
                each.result()

    def do(self, job: Callable[..., object], *arguments: Any) -> None:
        """Have it done beside what comes next, when a hand is free; else do it here and now."""
        if sum(not each.done() for each in self._handed) < self._count:
            self._handed.append(self._pool.submit(job, *arguments))
        else:
            job(*arguments)

    def share(self, job: Callable[[Part], object], parts: Iterable[Part]) -> None:
        """Call `job` for every part, by this thread and all hands that are free or become so; returns when all are done.

        By a single hand nothing is shared: two cores are often the two threads of one, that take more of the processor
        together than one after the other.
        """
        left = iter(list(parts))

        def take() -> None:
            for part in left:
                job(part)

        helpers = [self._pool.submit(take) for _ in range(self._count)] if self._count > 1 else []
        take()
        for each in helpers:
            if not each.cancel():  # one that had not begun has nothing left to do
                each.result()
