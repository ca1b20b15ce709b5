"""The one error tree.

Every error knows what to tell the operator: a message that says what is wrong and where, and a hint that says what to
do. Delivery errors also carry what a retry would mean, so that no caller has to guess it from a status code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an input a problem is: a file, a line (from 1) and a dotted field path; any of them may be unknown."""

    file: str | None = None
    line: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        where = self.file or ""
        if self.line is not None:
            where = f"{where}:{self.line}" if where else f"line {self.line}"
        if self.field:
            where = f"{where} {self.field}" if where else self.field
        return where


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: its place, what is wrong, and what was expected or what to do."""

    message: str
    place: Place = Place()
    hint: str | None = None
    against: Place | None = None
    """Where the other of two things stands that contradict each other."""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if str(self.place) else self.message
        if self.against and str(self.against):
            text = f"{text}: {self.against}"
        return f"{text} ({self.hint})" if self.hint else text


class BroadcasterError(Exception):
    """The root: shown to the operator as `message` and `hint`, never as a traceback."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(BroadcasterError):
    """An input (announcement, policy, template, audience file, setting) is wrong; holds every problem found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def one(cls, message: str, *, place: Place | None = None, hint: str | None = None) -> InputError:
        """An input error with a single problem."""
        return cls([Problem(message, place or Place(), hint)])


class StateError(BroadcasterError):
    """What was asked does not fit the present state (approving a superseded revision, finishing a draft)."""


class UnreachableError(BroadcasterError):
    """Postgres, Redis or another service does not answer; the message names the address, never its password."""


class MissingPartError(BroadcasterError):
    """A program or package that this command needs is not on the machine; the hint says how to get it."""


class DeliveryError(BroadcasterError):
    """A provider call failed as a whole. The subclass says what is known about the public having seen it."""


class TransientError(DeliveryError):
    """Surely not accepted, and worth trying again: refused connection, 429, 503. `retry_after` is in seconds."""

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class PermanentError(DeliveryError):
    """Surely not accepted, and trying again would not help: wrong signature, unknown address, refused content."""


class SpoiltError(PermanentError):
    """Surely not accepted because of one of its members, and the provider does not say which: smaller calls may be."""


class GoneError(PermanentError):
    """Surely not accepted, and it is never to be called again: it answered 410."""


class AmbiguousError(DeliveryError):
    """Perhaps accepted: the request was sent and no readable answer came. Never guessed at."""

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
