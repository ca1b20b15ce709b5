"""Attempts: making a call, or asking about one, and what is known afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.channels.base import Delivery, Idempotency, Outcome, adapter_of, idempotency_of, visible_after_of
from broadcaster.channels.transport import Transport
from broadcaster.delivery.health import Experience
from broadcaster.delivery.recording import Result
from broadcaster.delivery.run import Run, Step
from broadcaster.errors import AmbiguousError, DeliveryError, GoneError, PermanentError, SpoiltError, TransientError


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of every member is known, or known to stay unknown. `ok`: the provider took the call."""

    result: Result
    ok: bool = True
    why: str = ""
    gone: bool = False
    """Whether it asked never to be called again."""


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Surely not seen by anybody: worth trying again, here or elsewhere. `retry_after` is in seconds."""

    why: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Perhaps seen: to be repeated under the same key, or asked about, but never sent elsewhere."""

    why: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Spoilt:
    """Surely not seen by anybody, because of some member among several: to be made again in parts."""

    why: str


Attempt = Settled | NotSeen | InDoubt | Spoilt


def make(run: Run, step: Step, transport: Transport) -> Attempt:
    """Make the call."""
    try:
        deliveries = adapter_of(run.channel, step.provider).send(step.call, step.provider, transport)
    except TransientError as error:
        # Not seen now; whether an earlier attempt was, this answer does not say.
        kind = InDoubt if step.doubt else NotSeen
        return kind(error.message, error.retry_after)
    except PermanentError as error:
        return _refused(step, error)
    except AmbiguousError as error:
        return _ambiguous(run, step, error.message, error.retry_after)
    except Exception as error:
        return _ambiguous(run, step, f"{step.provider.name}: the adapter failed ({type(error).__name__})", None)
    return Settled(Result(_of_all(step, deliveries), step.call.revision, step.provider.name, step.call.key))


def ask(run: Run, step: Step, transport: Transport) -> Attempt:
    """Ask the provider what became of a call in doubt."""
    adapter = adapter_of(run.channel, step.provider)
    try:
        deliveries = adapter.ask(step.call, step.provider, transport)
    except DeliveryError as error:
        return InDoubt(error.message)
    except Exception as error:
        return InDoubt(f"{step.provider.name}: the adapter failed ({type(error).__name__})")
    if deliveries is not None:
        return Settled(Result(_of_all(step, deliveries), step.call.revision, step.provider.name, step.call.key))
    visible_after = visible_after_of(run.channel, step.provider)
    if step.age < visible_after:
        left = (visible_after - step.age).total_seconds()
        return InDoubt(f"{step.provider.name} does not show the call yet", left)
    return NotSeen(f"{step.provider.name} never saw the call")


def experience_of(made: Attempt) -> Experience:
    """What an attempt says of the provider."""
    if isinstance(made, Settled):
        return Experience(made.ok, made.why, made.gone)
    return Experience(ok=False, why=made.why)


def everyone(step: Step, outcome: Outcome, reason: str) -> Result:
    """The same outcome for every member of a call."""
    deliveries = [Delivery(member.id, outcome, reason) for member in step.call.members]
    return Result(deliveries, step.call.revision, step.provider.name, step.call.key)


def _refused(step: Step, error: PermanentError) -> Settled | Spoilt:
    is_spoilt = isinstance(error, SpoiltError)
    if is_spoilt and len(step.call.members) > 1 and not step.doubt:
        return Spoilt(error.message)
    outcome = Outcome.UNKNOWN if step.doubt else Outcome.REJECTED
    # That somebody's number is refused says nothing against the account.
    gone = isinstance(error, GoneError)
    return Settled(everyone(step, outcome, error.message), ok=is_spoilt, why=error.message, gone=gone)


def _of_all(step: Step, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
    """One delivery a member, also when the adapter said nothing of some of them."""
    if len(deliveries) == len(step.call.members):
        return deliveries
    said = {row.recipient_id: row for row in deliveries}
    silent = f"{step.provider.name} said nothing of it"
    return [said.get(member.id) or Delivery(member.id, Outcome.UNKNOWN, silent) for member in step.call.members]


def _ambiguous(run: Run, step: Step, why: str, retry_after: float | None) -> Attempt:
    if idempotency_of(run.channel, step.provider) is Idempotency.NONE:
        return Settled(everyone(step, Outcome.UNKNOWN, why), ok=False)
    return InDoubt(why, retry_after)
