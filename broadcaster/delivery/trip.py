"""A trip: one claim of a batch, from its first call to its last.

Every call is written down before it is made, and what came of it is recorded in the same transaction that writes down
the next one: a kill leaves in doubt only the call in flight, and no transaction is open during HTTP. Before each call
the gate is asked (pace, circuit breaker) and then the guard; a worker that lost its lease records nothing more. A call
that surely was not seen goes through another provider, or later; one that may have been is repeated or asked about.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.revision import RevisionState
from broadcaster.channels.base import Outcome
from broadcaster.channels.transport import Transport
from broadcaster.delivery import attempt, routing
from broadcaster.delivery.allowance import EVERYBODY, Allowance, Allowed
from broadcaster.delivery.attempt import InDoubt, NotSeen, Settled
from broadcaster.delivery.claiming import Claimed
from broadcaster.delivery.gate import Enter, Gate, Shut
from broadcaster.delivery.guard import Circumstances, Hold, LeaseLost, Moved, Paused, Proceed, Stop, Verdict, judge
from broadcaster.delivery.recording import NOTHING, RecordedBeforeError, Result, Tally, stride, stride_at_once
from broadcaster.delivery.retry import wait
from broadcaster.delivery.run import Step
from broadcaster.planning.broadcast import BroadcastState
from broadcaster.planning.phase import Phase
from broadcaster.storage import batches, broadcasts, calls
from broadcaster.storage.database import Session

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Means:
    """What a worker process carries batches with; `lease` is how long a claim holds."""

    transport: Transport
    gate: Gate
    lease: timedelta


@dataclass(frozen=True, slots=True)
class _Written:
    """What a transaction before a call came to: the call as it is durable now, and whom a quota held back."""

    verdict: Verdict
    step: Step | None = None
    allowed: Allowed = EVERYBODY


@dataclass(slots=True)
class _Later:
    """What this claim leaves for a later one, and when that may come."""

    steps: list[Step] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Seconds of machine time."""
    holds: list[datetime] = field(default_factory=list)
    """Instants of campaign time, for what a quota held back."""
    failed: bool = False
    """Whether some call failed: what only waits for its pace or its provider's circuit is no attempt."""

    def postpone(self, step: Step, seconds: float, *, failed: bool) -> None:
        """Leave a call for a claim that comes `seconds` later."""
        self.steps.append(step)
        self.waits.append(seconds)
        self.failed |= failed

    def hold(self, step: Step, until: datetime) -> None:
        """Leave a call until an instant of campaign time."""
        self.steps.append(step)
        self.holds.append(until)


class Trip:
    """Carries one claimed batch. What it knows changes only once a transaction is committed, which may be retried."""

    def __init__(self, session: Session, means: Means, claimed: Claimed) -> None:
        run = claimed.run
        self._session = session
        self._means = means
        self._run = run
        self._questions = claimed.questions
        self._to_do = deque(claimed.steps)
        self._result = claimed.result
        self._later = _Later()
        self._away: dict[str, float] = {}
        self._seen: tuple[Any, Circumstances | None] = None, None
        self._tally = Tally(run.channel.slug, run.batch.due_at)
        self._allowance = Allowance(run.channel.slug, run.edition.proposal.announcement.zone_info)

    def go(self) -> None:
        """Ask what must be asked, make the calls, and leave the batch closed or as a row that says when to go on."""
        if self._result.deliveries and not self._transaction(self._store):
            return
        for step in self._questions:
            if not self._question(step):
                return
        while self._to_do:
            step = self._to_do.popleft()
            if not self._enter(step):
                continue
            written_at = clock.machine_now()
            if self._advance_at_once(step):
                self._call(step, written_at)
                continue
            written = self._transaction(partial(self._advance, step=step))
            if written.step is None:
                self._means.gate.leave(self._run.channel.slug, step.provider)
            if not isinstance(written.verdict, Proceed):
                log.info("batch_left", verdict=repr(written.verdict))
                return
            self._hold_back(step, written.allowed)
            if written.step:
                self._call(written.step, written_at)
        self._transaction(self._end)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        """Do the work in a transaction that survives a lost connection; its result is recorded once."""
        try:
            done = self._session.attempt(work)
        except RecordedBeforeError:
            self._result = NOTHING
            return self._session.attempt(work)
        self._result = NOTHING
        return done

    def _know(self, result: Result) -> None:
        """Keep a result for the next transaction."""
        self._result = result
        self._tally.note(result, clock.now())

    def _question(self, step: Step) -> bool:
        """Ask about a call in doubt; False when the lease was lost meanwhile."""
        made = attempt.ask(self._run, step, self._means.transport)
        if isinstance(made, InDoubt):
            log.warning("still_in_doubt", provider=step.provider.name, why=made.why)
            self._later.postpone(step, wait(self._run.batch.attempts, made.retry_after), failed=True)
            return True
        if isinstance(made, Settled):
            self._know(made.result)
        else:
            # Its row goes; its members are read anew by the next claim, without those who have opted out since.
            self._know(Result(key=step.call.key))
            self._later.postpone(routing.with_members(self._run, step, step.call.members), 0.0, failed=False)
        return self._transaction(self._store)

    def _enter(self, step: Step) -> bool:
        """Whether the provider's pace and circuit let the call through; otherwise it goes elsewhere, or later."""
        name = step.provider.name
        if name in self._away:
            return self._go_elsewhere(step, self._away[name])
        entry = self._means.gate.enter(self._run.channel.slug, step.provider, len(step.call.members))
        if isinstance(entry, Enter):
            return True
        if isinstance(entry, Shut):
            self._away[name] = entry.seconds
            return self._go_elsewhere(step, entry.seconds)
        # Others wait for the same pace: coming back at different times, they do not all find it taken again.
        spread = 1 + random.random()  # noqa: S311 - spreads load, keeps no secret
        self._later.postpone(step, entry.seconds * spread, failed=False)
        return False

    def _go_elsewhere(self, step: Step, seconds: float) -> bool:
        """Route the members of a call that nobody saw through other providers, or leave it for later. Gives False."""
        if step.doubt or not routing.others(self._run, self._away):
            self._later.postpone(step, seconds, failed=self._later.failed)
            return False
        steps, _ = routing.route(self._run, step.call.members, self._away, step.call.changes)
        self._to_do.extendleft(reversed(steps))
        return False

    def _advance_at_once(self, step: Step) -> bool:
        """What `_advance` does when nothing has changed since the guard was last asked: then it need not be told."""
        seen, circumstances = self._seen
        if circumstances is None or step.doubt or not self._allowance.is_unlimited(step):
            return False
        now = clock.now()
        if not isinstance(judge(circumstances, now), Proceed):
            return False
        batch, lease, result = self._run.batch, self._means.lease, self._result
        done = self._session.attempt_once(
            lambda connection: stride_at_once(connection, batch, lease, result, step, seen)
        )
        if done:
            self._result = NOTHING
        return bool(done)

    def _advance(self, connection: Connection, step: Step) -> _Written:
        """Ask the guard, record the last result, write down the next call or why there is none."""
        at_once = not step.doubt and self._allowance.is_unlimited(step)
        verdict = self._judge(connection, step if at_once else None)
        if isinstance(verdict, LeaseLost):
            return _Written(verdict)
        if isinstance(verdict, Proceed):
            return _Written(verdict, step) if at_once else self._write_ahead(connection, step)
        if at_once:
            calls.settle(connection, step.call.key)
        batch = self._run.batch
        if isinstance(verdict, (Paused, Moved)):
            batches.release(connection, batch.id, batch.token)
        elif isinstance(verdict, Hold):
            batches.hold(connection, batch.id, batch.token, verdict.until)
        else:
            self._give_up(connection, [step, *self._to_do, *self._later.steps], verdict)
        self._tally.store(connection)
        return _Written(verdict)

    def _judge(self, connection: Connection, following: Step | None = None) -> Verdict:
        """Record the last result, write down the following call, and ask the guard."""
        run = self._run
        state = stride(connection, run.batch, self._means.lease, self._result, following)
        if state is None:
            return LeaseLost()
        proposal = run.edition.proposal
        circumstances = Circumstances(
            paused=state.held,
            broadcast_open=state.state == BroadcastState.OPEN,
            moved=state.revision != run.batch.revision or state.suppressions != run.batch.suppressions,
            revision_approved=state.revision_state == RevisionState.APPROVED,
            announcement_state=State(state.announcement_state),
            phase=Phase(state.phase),
            expires_at=state.expires_at,
            quiet_hours=proposal.quiet_hours(run.channel.slug, Phase(state.phase)),
            zone=proposal.announcement.zone_info,
        )
        self._seen = state, circumstances
        return judge(circumstances, clock.now())

    def _write_ahead(self, connection: Connection, step: Step) -> _Written:
        """Make the call durable, without those whom a quota holds back."""
        if step.doubt:
            calls.make_again(connection, step.call.key)
            return _Written(Proceed(), step)
        allowed = self._allowance.take(connection, step)
        if allowed.held:
            kept = [member for member in step.call.members if member.id not in allowed.held]
            if not kept:
                return _Written(Proceed(), None, allowed)
            step = routing.with_members(self._run, step, kept, key=step.call.key)
        calls.write_ahead(connection, self._run.batch, step.call, step.provider.name)
        return _Written(Proceed(), step, allowed)

    def _hold_back(self, step: Step, allowed: Allowed) -> None:
        if allowed.until:
            members = [member for member in step.call.members if member.id in allowed.held]
            self._later.hold(routing.with_members(self._run, step, members), allowed.until)

    def _call(self, step: Step, written_at: datetime) -> None:
        """Make the call, and keep what is known of it for the next transaction.

        It is dated when it was written down: what a worker sends that was frozen in between is too old to be accepted.
        """
        run, provider = self._run, step.provider
        made = attempt.make(run, step, self._means.transport.dated(written_at))
        if isinstance(made, Settled):
            self._means.gate.report(run.channel.slug, provider, ok=made.ok)
            self._know(made.result)
            return
        log.warning("call_postponed", provider=provider.name, why=made.why)
        self._means.gate.report(run.channel.slug, provider, ok=False, retry_after=made.retry_after)
        seconds = wait(run.batch.attempts, made.retry_after)
        if isinstance(made, NotSeen):
            # Its row goes with the next transaction; its members are called under another key.
            self._know(Result(key=step.call.key))
            self._allowance.give_back(step)
            self._away[provider.name] = seconds
            self._later.failed = True
            self._go_elsewhere(step, seconds)
            return
        self._later.postpone(replace(step, doubt=True), seconds, failed=True)

    def _store(self, connection: Connection) -> bool:
        return stride(connection, self._run.batch, self._means.lease, self._result) is not None

    def _give_up(self, connection: Connection, left: Iterable[Step], stop: Stop) -> None:
        """Nobody else is told: whoever is left is skipped, and what may have been seen stays unknown."""
        batch, now = self._run.batch, clock.now()
        for step in left:
            if step.doubt:
                result = attempt.everyone(step, Outcome.UNKNOWN, f"in doubt when stopped: {stop.reason}")
            else:
                result = replace(attempt.everyone(step, Outcome.SKIPPED, stop.reason), key=None)
            stride(connection, batch, self._means.lease, result)
            self._tally.note(result, now)
        self._close(connection)

    def _end(self, connection: Connection) -> None:
        """Record the last result; close the batch, or give it back when calls are left to be made later."""
        batch = self._run.batch
        verdict = self._judge(connection)
        if isinstance(verdict, LeaseLost):
            return
        self._allowance.settle(connection)
        later = self._later
        if not later.steps:
            self._close(connection)
        elif isinstance(verdict, Stop):
            self._give_up(connection, later.steps, verdict)
        elif later.waits:
            until_expiry = max(0.0, (batch.expires_at - clock.now()).total_seconds())
            seconds = min(*later.waits, until_expiry)
            batches.retry_later(connection, batch.id, batch.token, seconds, failed=later.failed)
        else:
            batches.hold(connection, batch.id, batch.token, min(*later.holds, batch.expires_at))
        self._tally.add(self._means.gate.drain_waits())
        self._tally.store(connection)

    def _close(self, connection: Connection) -> None:
        batch = self._run.batch
        batches.finish(connection, batch.id, batch.token)
        broadcasts.close_if_finished(connection, batch.broadcast_id, clock.now())
