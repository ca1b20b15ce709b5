"""A trip: one claim of a batch, from its first call to its last.

Every call is written down before it is made, and what came of it is recorded in a transaction that follows: no
transaction is open during HTTP, and a kill leaves in doubt only what is written down. Where the provider dedupes, one
stride writes down several calls; else each has its own. Before each call the gate is asked (pace, circuit breaker) and
then the guard; a worker that lost its lease records nothing more. A call that surely was not seen goes through another
provider, or later, or in halves; one that may have been is repeated or asked about.
Calls to partners' endpoints are under way side by side.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.delivery import attempt, closing, routing, striding
from broadcaster.delivery.abreast import Abreast
from broadcaster.delivery.allowance import Allowance, Allowed
from broadcaster.delivery.attempt import Attempt, InDoubt, NotSeen, Settled, Spoilt
from broadcaster.delivery.book import Book
from broadcaster.delivery.claiming import Claimed
from broadcaster.delivery.gate import Enter, Shut
from broadcaster.delivery.guard import Hold, LeaseLost, Moved, Paused, Proceed, Stop
from broadcaster.delivery.health import Experience
from broadcaster.delivery.later import Later
from broadcaster.delivery.means import Means
from broadcaster.delivery.recording import Result
from broadcaster.delivery.retry import wait
from broadcaster.delivery.run import Step
from broadcaster.delivery.written import Written
from broadcaster.storage import batches, broadcasts, calls
from broadcaster.storage.database import Session

log = structlog.get_logger()

T = TypeVar("T")


class Trip:
    """Carries one claimed batch. What it knows changes only once a transaction is committed, which may be retried."""

    def __init__(self, session: Session, means: Means, claimed: Claimed) -> None:
        run = claimed.run
        self._means = means
        self._run = run
        self._questions = claimed.questions
        self._to_do = deque(claimed.steps)
        self._later = Later()
        self._away: dict[str, float] = {}
        self._calls = Abreast(run.channel)
        self._book = Book(session, run, means.lease, claimed.result)
        self.experiences: dict[str, Experience] = {}
        """How the last call to each provider went."""
        self._allowance = Allowance(run.channel.slug, run.edition.proposal.announcement.zone_info)

    def begin(self, connection: Connection) -> None:
        """Write down the first calls in the transaction of the claim, if they can wait for the gate."""
        if self._to_do and not self._questions and striding.strides(self._run, self._to_do[0]):
            first, *rest = self._to_do
            self._book.write_down_first(connection, striding.calls_of(self._run, first, rest))

    def go(self) -> bool:
        """Ask what must be asked, make the calls, and leave the batch closed or as a row that says when to go on.

        Gives whether the broadcast waits for its next batches to be cut."""
        for step in self._questions:
            if not self._question(step):
                return False
        with self._calls:
            if not self._make_all():
                return False
        finished = self._end_at_once()
        if finished is None:
            self._book.transaction(self._end)
            return False
        return not finished.cut and not finished.left

    def _make_all(self) -> bool:
        """Make the calls, also those that come of others; False when the batch is left."""
        while self._to_do or self._calls:
            if self._calls.is_full or not self._to_do:
                self._learn(waiting=True)
                continue
            step = self._to_do.popleft()
            if not self._enter(step):
                continue
            if self._book.is_still_good(step) or self._advance_at_once(step):
                self._call(step)
            elif not self._advance_and_call(step):
                return False
        return True

    def _advance_and_call(self, step: Step) -> bool:
        """Ask the guard in a transaction, and make the call if it may be made; False when the batch is left."""
        written_at = clock.machine_now()
        written = self._book.transaction(partial(self._advance, step=step))
        if written.too_early:
            self._book.standing.clear()
            while self._calls:
                self._learn(waiting=True)
            written = self._book.transaction(partial(self._advance, step=step))
        self._book.strode(written.standing, written_at)
        if written.step is None:
            self._means.gate.leave(self._run.channel.slug, step.provider)
        if not isinstance(written.verdict, Proceed):
            log.info("batch_left", verdict=repr(written.verdict))
            return False
        self._hold_back(step, written.allowed)
        if written.step:
            self._call(written.step)
        return True

    def _question(self, step: Step) -> bool:
        """Ask about a call in doubt; False when the lease was lost meanwhile."""
        made = attempt.ask(self._run, step, self._means.transport)
        if isinstance(made, InDoubt):
            log.warning("still_in_doubt", provider=step.provider.name, why=made.why)
            self._later.postpone(step, wait(self._failures, made.retry_after), failed=True)
        elif isinstance(made, Settled):
            self._book.know(made.result)
        else:
            # Its row goes; its members are read anew by the next claim, without those who have opted out since.
            self._book.know(Result(key=step.call.key))
            self._allowance.give_back(step)
            self._later.postpone(routing.with_members(self._run, step, step.call.members), 0.0, failed=False)
        return self._book.transaction(self._store)

    def _enter(self, step: Step) -> bool:
        """Whether the provider's pace and circuit let the call through; otherwise it goes elsewhere, or later."""
        name = step.provider.name
        if name in self._away:
            return self._go_elsewhere(step, self._away[name])
        ahead = len(self._book.standing) - 1
        entry = self._means.gate.enter(self._run.channel.slug, step.provider, len(step.call.members), max(0, ahead))
        if isinstance(entry, Enter):
            return True
        if isinstance(entry, Shut):
            self._away[name] = entry.seconds
            return self._go_elsewhere(step, entry.seconds)
        # Others wait for the same pace: coming back at different times, they do not all find it taken again.
        spread = 1 + random.random()  # noqa: S311 - spreads load, keeps no secret
        self._book.drop(step)
        self._later.postpone(step, entry.seconds * spread, failed=False)
        return False

    def _go_elsewhere(self, step: Step, seconds: float) -> bool:
        """Route the members of a call that nobody saw through other providers, or leave it for later. Gives False."""
        self._book.drop(step)
        if step.doubt or not routing.others(self._run, self._away):
            self._later.postpone(step, seconds, failed=self._later.failed)
            return False
        steps, _ = routing.route(self._run, step.call.members, self._away, step.angle)
        self._to_do.extendleft(reversed(steps))
        return False

    def _advance_at_once(self, step: Step) -> bool:
        """What `_advance` does when nothing has changed since the guard was last asked: then it need not be told."""
        if step.doubt or not striding.is_unlimited(step):
            return False
        return self._book.stride_at_once(self._together(step))

    def _together(self, first: Step) -> list[Step]:
        """What is to be written down with a call, as far as it does not stand already."""
        return self._book.without_standing(striding.calls_of(self._run, first, self._to_do))

    def _advance(self, connection: Connection, step: Step) -> Written:
        """Ask the guard, record the last results, write down the next calls or why there are none."""
        at_once = not step.doubt and striding.is_unlimited(step)
        together = self._together(step) if at_once else []
        verdict = self._book.stride(connection, together)
        if isinstance(verdict, LeaseLost):
            return Written(verdict)
        if isinstance(verdict, Proceed):
            return Written(verdict, step, standing=together) if at_once else self._write_ahead(connection, step)
        for key in {*self._book.standing, *(one.call.key for one in together)}:
            calls.settle(connection, key)
        if self._calls:
            return Written(verdict, too_early=True)
        self._allowance.settle(connection)
        batch = self._run.batch
        if isinstance(verdict, (Paused, Moved)):
            batches.release(connection, batch.id, batch.token)
        elif isinstance(verdict, Hold):
            batches.hold(connection, batch.id, batch.token, verdict.until)
        else:
            left = [step, *self._to_do, *self._later.steps]
            closing.give_up(connection, batch, self._means.lease, left, verdict, self._book.tally)
        self._book.tally.store(connection)
        return Written(verdict)

    def _write_ahead(self, connection: Connection, step: Step) -> Written:
        """Make the call durable, without those whom a quota holds back."""
        if step.doubt:
            calls.make_again(connection, step.call.key)
            return Written(Proceed(), step)
        allowed = self._allowance.take(connection, step)
        if allowed.held:
            kept = [member for member in step.call.members if member.id not in allowed.held]
            if not kept:
                return Written(Proceed(), None, allowed)
            step = routing.with_members(self._run, step, kept, key=step.call.key)
        calls.write_ahead(connection, self._run.batch, step.call, step.provider.name)
        return Written(Proceed(), step, allowed)

    def _hold_back(self, step: Step, allowed: Allowed) -> None:
        if allowed.until:
            members = [member for member in step.call.members if member.id in allowed.held]
            self._later.hold(routing.with_members(self._run, step, members), allowed.until)

    def _call(self, step: Step) -> None:
        """Begin the call, and learn of those that are over.

        It is dated when it was written down: what a worker sends late that was frozen is too old to be accepted."""
        self._book.standing.discard(step.call.key)
        transport = self._means.transport.dated(self._book.written_at)
        self._calls.begin(step, partial(attempt.make, self._run, step, transport))
        self._learn(waiting=self._calls.is_full)

    def _learn(self, *, waiting: bool) -> None:
        for step, made in self._calls.over(waiting=waiting):
            self._keep(step, made)

    def _keep(self, step: Step, made: Attempt) -> None:
        """Keep what is known of a call for the next transaction."""
        run, provider = self._run, step.provider
        self.experiences[provider.name] = attempt.experience_of(made)
        if isinstance(made, Settled):
            self._means.gate.report(run.channel.slug, provider, ok=made.ok)
            self._book.know(made.result)
            return
        if isinstance(made, Spoilt):
            self._make_in_parts(step, made)
            return
        log.warning("call_postponed", provider=provider.name, why=made.why)
        self._means.gate.report(run.channel.slug, provider, ok=False, retry_after=made.retry_after)
        seconds = wait(self._failures, made.retry_after)
        if isinstance(made, NotSeen):
            # Its row goes with the next transaction; its members are called under another key.
            self._book.know(Result(key=step.call.key))
            self._allowance.give_back(step)
            self._away[provider.name] = seconds
            self._later.failed = True
            self._go_elsewhere(step, seconds)
            return
        self._later.postpone(replace(step, doubt=True), seconds, failed=True)

    def _make_in_parts(self, step: Step, made: Spoilt) -> None:
        """Halve a call until whoever spoils it is alone: a bad number is an outcome, not a failure of everybody."""
        log.info("call_halved", provider=step.provider.name, why=made.why)
        self._means.gate.report(self._run.channel.slug, step.provider, ok=True)
        self._book.know(Result(key=step.call.key))
        self._allowance.give_back(step)
        self._to_do.extendleft(reversed(routing.halves(self._run, step)))

    def _store(self, connection: Connection) -> bool:
        return not isinstance(self._book.stride(connection), LeaseLost)

    def _end_at_once(self) -> Any | None:
        """What `_end` does when nothing is left to be made: then it need not ask the guard. None: it is to be done."""
        if self._later.steps or not self._allowance.is_settled:
            return None
        self._book.tally.add(self._means.gate.drain_waits())
        finished = self._book.finish_at_once()
        if finished and finished.cut and not finished.left:
            close = partial(broadcasts.close_if_finished, broadcast_id=self._run.batch.broadcast_id, at=clock.now())
            self._book.transaction(close)
        return finished

    def _end(self, connection: Connection) -> None:
        """Record the last result; close the batch, or give it back when calls are left to be made later."""
        batch = self._run.batch
        verdict = self._book.stride(connection)
        if isinstance(verdict, LeaseLost):
            return
        self._allowance.settle(connection)
        later = self._later
        if not later.steps:
            closing.close(connection, batch)
        elif isinstance(verdict, Stop):
            closing.give_up(connection, batch, self._means.lease, later.steps, verdict, self._book.tally)
        elif later.waits:
            until_expiry = max(0.0, (batch.expires_at - clock.now()).total_seconds())
            seconds = min(*later.waits, until_expiry)
            failures = self._failures + int(later.failed)
            batches.retry_later(connection, batch.id, batch.token, seconds, failures)
        else:
            batches.hold(connection, batch.id, batch.token, min(*later.holds, batch.expires_at))
        self._book.tally.add(self._means.gate.drain_waits())
        self._book.tally.store(connection)

    @property
    def _failures(self) -> int:
        """Trips in a row that came to nothing: the wait of one who failed once is not that of all before them."""
        return 0 if self._book.has_settled else int(self._run.batch.attempts)
