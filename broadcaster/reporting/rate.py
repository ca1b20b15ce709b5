"""How fast broadcasts go, seen from outside: by looking at what is accounted for, again and again. Does no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

WINDOW_SECONDS = 15.0
"""How far back a rate looks: long enough to be calm, short enough to show a stall."""


class Rates:
    """Remembers the last looks at some numbers that only rise."""

    def __init__(self, window: float = WINDOW_SECONDS) -> None:
        self._window = window
        self._looks: deque[tuple[float, dict[str, int]]] = deque()

    def look(self, at: float, numbers: Mapping[str, int]) -> None:
        """Take note of the numbers at an instant, in seconds of a clock that never goes back."""
        self._looks.append((at, dict(numbers)))
        while len(self._looks) > 2 and at - self._looks[1][0] >= self._window:
            self._looks.popleft()

    def per_second(self, name: str) -> float | None:
        """How much a number rose a second; None until it was seen twice."""
        seen = [(at, numbers[name]) for at, numbers in self._looks if name in numbers]
        if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
            return None
        return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])

    def seconds_left(self, name: str, left: int) -> float | None:
        """How long the rest takes at this rate; None when nobody can say, or nothing moves."""
        rate = self.per_second(name)
        return left / rate if rate else None
