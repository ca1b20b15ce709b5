"""The courier: carries one batch to its providers, call by call.

Every call is written down before it is made, and what came of it is recorded in the same transaction that writes down
the next one: a kill leaves in doubt only the call in flight, and no transaction is open during HTTP. Before each call
the guard is asked; a worker that lost its lease records nothing more. A call that fails is left for later, and the
others go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from broadcaster import clock
from broadcaster.announcement.lifecycle import State
from broadcaster.channels.base import Channel, Delivery, Idempotency, Outcome
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import CONNECT_TIMEOUT, Transport
from broadcaster.delivery.doubts import left_open
from broadcaster.delivery.guard import Circumstances, Hold, LeaseLost, Moved, Paused, Proceed, Stop, Verdict, judge
from broadcaster.delivery.messages import Press
from broadcaster.delivery.retry import wait
from broadcaster.delivery.routing import Run, Step, route
from broadcaster.errors import AmbiguousError, BroadcasterError, InputError, PermanentError, StateError, TransientError
from broadcaster.planning.phase import Phase
from broadcaster.storage import batches, broadcasts, ledger, recipients
from broadcaster.storage.database import Database

log = structlog.get_logger()

SPARE_SECONDS = 5.0
"""What rendering and recording may take beside the call itself."""

Providers = Mapping[str, Mapping[str, Provider]]
"""Channel → provider name → provider."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What is known but not yet recorded: outcomes of a revision's text, and the call that they settle, if any."""

    deliveries: Sequence[Delivery] = ()
    revision: int = 0
    key: str | None = None


@dataclass(frozen=True, slots=True)
class _Failure:
    """A call to be made again: the step as it stands now, when, and whether its provider takes no call at all."""

    step: Step
    seconds: float
    provider_away: bool


class Courier:
    """Delivers batches; one a worker process, because it keeps connections and rendered messages."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        providers: Providers,
        press: Press,
        transport: Transport,
        public_url: str,
    ) -> None:
        self._database = database
        self._channels = channels
        self._providers = providers
        self._press = press
        self._transport = transport
        self._public_url = public_url
        self._lease = _lease(providers)

    def deliver(self, batch_id: int) -> None:
        """Carry the batch as far as it goes now; what is left is a row that says when to go on."""
        claimed = self._claim(batch_id)
        if claimed is None:
            return
        run, steps, result = claimed
        left = list(steps)
        waits: list[float] = []
        away: set[str] = set()
        for step in steps:
            if step.provider.name in away:
                continue
            verdict = self._advance(run, result, step, left)
            if not isinstance(verdict, Proceed):
                log.info("batch_left", batch=batch_id, broadcast=run.batch.broadcast_id, verdict=repr(verdict))
                return
            made = self._send(run, step)
            if isinstance(made, _Failure):
                result = _Result()
                left[left.index(step)] = made.step
                waits.append(made.seconds)
                away |= {step.provider.name} if made.provider_away else set()
                self._mark(run, made.step)
            else:
                result = made
                left.remove(step)
        self._end_round(run, result, waits if left else [])

    def _claim(self, batch_id: int) -> tuple[Run, list[Step], _Result] | None:
        """Take the batch and work out its calls: those that an earlier claim left open first, then new ones."""
        with self._database.begin() as connection:
            batch = batches.claim(connection, batch_id, clock.now(), self._lease)
            if batch is None:
                return None
            channel = self._channels[batch.channel]
            try:
                run = self._run(connection, batch, channel)
            except (InputError, StateError) as error:
                self._leave_unrendered(connection, batch, channel, error)
                return None
            repeats, doubtful = left_open(connection, run, self._press)
            self._record(connection, batch, _Result(doubtful, batch.revision))
            taken = {member.id for step in repeats for member in step.call.members}
            listed = recipients.unsettled(connection, channel.reaches, channel.pool, batch)
        steps, skipped = route(run, [row for row in listed if row.id not in taken])
        return run, [*repeats, *steps], _Result(skipped, batch.revision)

    def _run(self, connection: Connection, batch: Row[Any], channel: Channel) -> Run:
        edition = self._press.edition(connection, batch.slug, batch.revision, channel, Phase(batch.phase))
        document = f"{self._public_url}/surfaces/{channel.slug}.json"
        return Run(batch, channel, edition, self._providers.get(channel.slug, {}), document)

    def _leave_unrendered(
        self, connection: Connection, batch: Row[Any], channel: Channel, error: BroadcasterError
    ) -> None:
        """A template or revision that broke after approval: wait until it is mended, but not beyond its expiry."""
        log.error("cannot_render", broadcast=batch.broadcast_id, why=error.message)
        if batch.expires_at > clock.now():
            batches.retry_later(connection, batch.id, batch.token, wait(batch.attempts))
            return
        doubtful = {id_ for row in batches.unsettled_calls(connection, batch.id) if row.in_doubt for id_ in row.members}
        rows = recipients.unsettled(connection, channel.reaches, channel.pool, batch)
        reason = "expired while it could not be rendered"
        deliveries = [
            Delivery(row.id, Outcome.UNKNOWN if row.id in doubtful else Outcome.SKIPPED, reason) for row in rows
        ]
        self._record(connection, batch, _Result(deliveries, batch.revision))
        self._close(connection, batch)

    def _advance(self, run: Run, result: _Result, step: Step, left: Sequence[Step]) -> Verdict:
        """In one transaction: ask the guard, record the last result, write down the next call or why there is none."""
        batch = run.batch
        with self._database.begin() as connection:
            verdict = self._judge(connection, run)
            if isinstance(verdict, LeaseLost):
                return verdict
            self._record(connection, batch, result)
            if isinstance(verdict, Proceed):
                self._write_ahead(connection, run, step)
            elif isinstance(verdict, (Paused, Moved)):
                batches.release(connection, batch.id, batch.token)
            elif isinstance(verdict, Hold):
                batches.hold(connection, batch.id, batch.token, verdict.until)
            else:
                self._give_up(connection, run, left, verdict)
            return verdict

    def _judge(self, connection: Connection, run: Run) -> Verdict:
        state = batches.guard_state(connection, run.batch.id, run.batch.token, self._lease)
        proposal = run.edition.proposal
        circumstances = Circumstances(
            lease_held=state.lease_held,
            paused=state.paused,
            broadcast_open=state.open,
            moved=state.revision != run.batch.revision,
            revision_approved=state.revision_approved,
            announcement_state=State(state.announcement_state),
            phase=Phase(state.phase),
            expires_at=state.expires_at,
            quiet_hours=proposal.policy.quiet_hours.get(state.channel),
            zone=proposal.announcement.zone_info,
        )
        return judge(circumstances, clock.now())

    def _write_ahead(self, connection: Connection, run: Run, step: Step) -> None:
        if step.written:
            batches.mark_call(connection, step.call.key, in_doubt=True)
            return
        values = {
            "key": step.call.key,
            "batch_id": run.batch.id,
            "broadcast_id": run.batch.broadcast_id,
            "revision": step.call.revision,
            "provider": step.provider.name,
            "members": [member.id for member in step.call.members],
            "prepared_at": step.call.prepared_at,
            "attempts": 1,
        }
        batches.write_ahead(connection, values)

    def _send(self, run: Run, step: Step) -> _Result | _Failure:
        """Make the call, and say what is known of it afterwards."""
        adapter = run.channel.adapter
        try:
            deliveries = adapter.send(step.call, step.provider, self._transport)
            return _Result(deliveries, step.call.revision, step.call.key)
        except TransientError as error:
            return self._failure(run, step, error.message, error.retry_after, provider_away=True)
        except PermanentError as error:
            # Refused now; whether an earlier attempt was accepted, this answer does not say.
            return _all(step, Outcome.UNKNOWN if step.doubt else Outcome.REJECTED, error.message)
        except AmbiguousError as error:
            why, retry_after = error.message, error.retry_after
        except Exception as error:
            why, retry_after = f"{step.provider.name}: the adapter failed ({type(error).__name__})", None
        if adapter.idempotency is not Idempotency.IDEMPOTENT:
            return _all(step, Outcome.UNKNOWN, why)
        return self._failure(run, replace(step, doubt=True), why, retry_after, provider_away=False)

    def _failure(self, run: Run, step: Step, why: str, retry_after: float | None, *, provider_away: bool) -> _Failure:
        seconds = wait(run.batch.attempts, retry_after)
        log.warning("call_postponed", broadcast=run.batch.broadcast_id, batch=run.batch.id, why=why, seconds=seconds)
        return _Failure(replace(step, written=True), seconds, provider_away)

    def _mark(self, run: Run, step: Step) -> None:
        with self._database.begin() as connection:
            if batches.is_held(connection, run.batch.id, run.batch.token):
                batches.mark_call(connection, step.call.key, in_doubt=step.doubt)

    def _give_up(self, connection: Connection, run: Run, left: Sequence[Step], stop: Stop) -> None:
        for step in left:
            if step.doubt:
                result = _all(step, Outcome.UNKNOWN, f"in doubt when stopped: {stop.reason}")
            else:
                result = _all(step, Outcome.SKIPPED, stop.reason)
            self._record(connection, run.batch, result)
        self._close(connection, run.batch)

    def _end_round(self, run: Run, result: _Result, waits: Sequence[float]) -> None:
        """Record the last result; close the batch, or give it back when calls are left to be made again."""
        batch = run.batch
        with self._database.begin() as connection:
            if isinstance(self._judge(connection, run), LeaseLost):
                return
            self._record(connection, batch, result)
            if not waits:
                self._close(connection, batch)
                return
            until_expiry = (batch.expires_at - clock.now()).total_seconds()
            batches.retry_later(connection, batch.id, batch.token, max(0.0, min(max(waits), until_expiry)))

    def _record(self, connection: Connection, batch: Row[Any], result: _Result) -> None:
        ledger.record(connection, batch.broadcast_id, result.revision, result.deliveries, clock.now())
        if result.key:
            batches.settle_call(connection, result.key)

    def _close(self, connection: Connection, batch: Row[Any]) -> None:
        batches.finish(connection, batch.id, batch.token)
        broadcasts.close_if_finished(connection, batch.broadcast_id, clock.now())


def _lease(providers: Providers) -> timedelta:
    """How long a claim holds: longer than the slowest call can take, because every call renews it.

    A call may wait for its answer's first byte, and then once more for its last one.
    """
    slowest = max((row.timeout for of_channel in providers.values() for row in of_channel.values()), default=0.0)
    return timedelta(seconds=CONNECT_TIMEOUT + 2 * slowest + SPARE_SECONDS)


def _all(step: Step, outcome: Outcome, reason: str) -> _Result:
    """The same outcome for every member of a call."""
    deliveries = [Delivery(member.id, outcome, reason) for member in step.call.members]
    return _Result(deliveries, step.call.revision, step.call.key)
