"""Abreast: calls to different endpoints that are under way at the same time, so that nobody waits for one that hangs.

Only the request itself is made beside the trip. Whether it may be made is asked before it begins, and what came of it
is learned, by the trip alone.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from types import TracebackType

from broadcaster.channels.base import Channel
from broadcaster.delivery.attempt import Attempt
from broadcaster.delivery.run import Step

MOST_ENDPOINTS = 16
"""How many of the registry's endpoints one batch calls at a time."""


class Abreast:
    """The calls of a trip that are under way; whoever leaves the block waits for all of them.

    Those to partners' endpoints go side by side. Those to a provider, which has its pace, go one after the other: each
    is over when it has begun, and no thread is needed.
    """

    def __init__(self, channel: Channel) -> None:
        self._most = MOST_ENDPOINTS if channel.registered else 1
        self._threads = ThreadPoolExecutor(self._most, "call")
        self._under_way: dict[Future[Attempt], Step] = {}

    def __enter__(self) -> None:
        """Nothing is begun by it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what is under way."""
        self._threads.shutdown()

    def __len__(self) -> int:
        """How many are under way, or over and not learned of yet."""
        return len(self._under_way)

    @property
    def is_full(self) -> bool:
        """Whether none may begin before one is over."""
        return len(self._under_way) >= self._most

    def begin(self, step: Step, make: Callable[[], Attempt]) -> None:
        """Make a call, at once: there is a thread for it as long as not `is_full`."""
        if self._most > 1:
            begun = self._threads.submit(copy_context().run, make)
        else:
            begun = Future()
            begun.set_result(make())
        self._under_way[begun] = step

    def over(self, *, waiting: bool) -> list[tuple[Step, Attempt]]:
        """What came of those that are over now, or when one is."""
        done = [begun for begun in self._under_way if begun.done()]
        if waiting and not done:
            done = list(wait(self._under_way, return_when=FIRST_COMPLETED).done)
        return [(self._under_way.pop(begun), begun.result()) for begun in done]
