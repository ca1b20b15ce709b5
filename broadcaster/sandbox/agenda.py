"""The agenda of a thread of the sandbox: what is to be done when, in order."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar

LOOK_EVERY = 0.05
"""Seconds after which it is seen that something more urgent has come in."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class _Due(Generic[T]):
    """Something to do at `at`, by the monotonic clock; `number` keeps the order of those that are due together."""

    at: float
    number: int
    what: T = field(compare=False)


class Agenda(Generic[T]):
    """Things to do, each at its time; several threads may add to it."""

    def __init__(self) -> None:
        self._queue: queue.PriorityQueue[_Due[T]] = queue.PriorityQueue()
        self._lock = threading.Lock()
        self._number = 0

    def add(self, what: T, delay: float = 0.0) -> None:
        """Do it in so many seconds."""
        with self._lock:
            self._number += 1
            number = self._number
        self._queue.put(_Due(time.monotonic() + delay, number, what))

    @property
    def waiting(self) -> int:
        """How much is not done yet."""
        return self._queue.unfinished_tasks

    def take(self, most: int = 1) -> list[T]:
        """What is due, in order: at least one, which is waited for, and at most so many. `done` follows for each."""
        taken: list[T] = []
        while len(taken) < most and not (taken and self._queue.empty()):
            first = self._queue.get()
            wait = first.at - time.monotonic()
            if wait <= 0:
                taken.append(first.what)
                continue
            self._queue.put(first)
            self._queue.task_done()
            if taken:
                break
            time.sleep(min(wait, LOOK_EVERY))
        return taken

    def done(self, number: int = 1) -> None:
        """So many of those that were taken are done, or have been added once more."""
        for _ in range(number):
            self._queue.task_done()
