"""The courier: carries one batch to its providers, call by call.

Every call is written down before it is made, and what came of it is recorded in the same transaction that writes down
the next one: a kill leaves in doubt only the call in flight, and no transaction is open during HTTP. Before each call
the guard is asked; a worker that lost its lease records nothing more.
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
from broadcaster.delivery.guard import Circumstances, Hold, LeaseLost, Paused, Proceed, Stop, Verdict, judge
from broadcaster.delivery.messages import Press
from broadcaster.delivery.retry import wait
from broadcaster.delivery.routing import Run, Step, repeat, route
from broadcaster.errors import AmbiguousError, InputError, TransientError
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
    """What is known but not yet recorded: outcomes, and the call that they settle (None for those without a call)."""

    deliveries: Sequence[Delivery]
    key: str | None = None


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
        for number, step in enumerate(steps):
            verdict = self._advance(run, result, steps[number:])
            if not isinstance(verdict, Proceed):
                log.info("batch_left", batch=batch_id, broadcast=run.batch.broadcast_id, verdict=repr(verdict))
                return
            sent = self._send(run, step)
            if sent is None:
                return
            result = sent
        self._finish(run, result)

    def _claim(self, batch_id: int) -> tuple[Run, list[Step], _Result] | None:
        """Take the batch and work out its calls: those that an earlier claim left open first, then new ones."""
        with self._database.begin() as connection:
            batch = batches.claim(connection, batch_id, clock.now(), self._lease)
            if batch is None:
                return None
            try:
                run = self._run(connection, batch)
            except InputError as error:
                self._leave_unrendered(connection, batch, error)
                return None
            repeats, doubtful = self._left_open(connection, run)
            taken = {member.id for step in repeats for member in step.call.members}
            taken |= {delivery.recipient_id for delivery in doubtful}
            listed = recipients.unsettled(connection, run.channel.reaches, run.channel.pool, batch)
        steps, skipped = route(run, [row for row in listed if row.id not in taken])
        return run, [*repeats, *steps], _Result([*doubtful, *skipped])

    def _run(self, connection: Connection, batch: Row[Any]) -> Run:
        channel = self._channels[batch.channel]
        edition = self._press.edition(connection, batch.slug, batch.revision, channel, Phase(batch.phase))
        document = f"{self._public_url}/surfaces/{channel.slug}.json"
        return Run(batch, channel, edition, self._providers.get(channel.slug, {}), document)

    def _leave_unrendered(self, connection: Connection, batch: Row[Any], error: InputError) -> None:
        """A template that broke after approval: wait for it to be mended, but not beyond the broadcast's time."""
        log.error("cannot_render", broadcast=batch.broadcast_id, problems=[str(problem) for problem in error.problems])
        if batch.expires_at > clock.now():
            batches.retry_later(connection, batch.id, batch.token, wait(batch.attempts))
            return
        channel = self._channels[batch.channel]
        rows = recipients.unsettled(connection, channel.reaches, channel.pool, batch)
        reason = "expired while its template was broken"
        self._record(connection, batch, _Result([Delivery(row.id, Outcome.SKIPPED, reason) for row in rows]))
        self._close(connection, batch)

    def _left_open(self, connection: Connection, run: Run) -> tuple[list[Step], list[Delivery]]:
        """Calls of an earlier claim: to be repeated where that is safe or they surely were not seen; else unknown."""
        repeats: list[Step] = []
        doubtful: list[Delivery] = []
        for row in batches.unsettled_calls(connection, run.batch.id):
            known = row.provider in run.providers
            safe = run.channel.adapter.idempotency is Idempotency.IDEMPOTENT or not row.in_doubt
            if known and safe:
                repeats.append(repeat(run, row, recipients.by_ids(connection, row.members)))
            else:
                reason = "a worker stopped during the call" if known else "its provider is no longer configured"
                doubtful += [Delivery(id_, Outcome.UNKNOWN, reason) for id_ in row.members]
                batches.settle_call(connection, row.key)
        return repeats, doubtful

    def _advance(self, run: Run, result: _Result, rest: Sequence[Step]) -> Verdict:
        """In one transaction: ask the guard, record the last result, write down the next call or why there is none."""
        batch = run.batch
        with self._database.begin() as connection:
            verdict = self._judge(connection, run)
            if isinstance(verdict, LeaseLost):
                return verdict
            self._record(connection, batch, result)
            if isinstance(verdict, Proceed):
                self._write_ahead(connection, run, rest[0])
            elif isinstance(verdict, Paused):
                batches.release(connection, batch.id, batch.token)
            elif isinstance(verdict, Hold):
                batches.hold(connection, batch.id, batch.token, verdict.until)
            else:
                self._give_up(connection, run, rest, verdict)
            return verdict

    def _judge(self, connection: Connection, run: Run) -> Verdict:
        state = batches.guard_state(connection, run.batch.id, run.batch.token, self._lease)
        proposal = run.edition.proposal
        circumstances = Circumstances(
            lease_held=state.lease_held,
            paused=state.paused,
            broadcast_open=state.open,
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
            "provider": step.provider.name,
            "members": [member.id for member in step.call.members],
            "prepared_at": step.call.prepared_at,
            "attempts": 1,
        }
        batches.write_ahead(connection, values)

    def _send(self, run: Run, step: Step) -> _Result | None:
        """Make the call; None when the batch was given back to be tried again later."""
        adapter = run.channel.adapter
        try:
            return _Result(adapter.send(step.call, step.provider, self._transport), step.call.key)
        except TransientError as error:
            self._postpone(run, step, error.message, error.retry_after)
        except AmbiguousError as error:
            if adapter.idempotency is not Idempotency.IDEMPOTENT:
                return _unknown(step, error.message)
            self._postpone(run, replace(step, doubt=True), error.message, error.retry_after)
        return None

    def _postpone(self, run: Run, step: Step, why: str, retry_after: float | None) -> None:
        seconds = wait(run.batch.attempts, retry_after)
        with self._database.begin() as connection:
            if batches.retry_later(connection, run.batch.id, run.batch.token, seconds):
                batches.mark_call(connection, step.call.key, in_doubt=step.doubt)
        log.warning("call_postponed", broadcast=run.batch.broadcast_id, batch=run.batch.id, why=why, seconds=seconds)

    def _give_up(self, connection: Connection, run: Run, rest: Sequence[Step], stop: Stop) -> None:
        for step in rest:
            outcome = Outcome.UNKNOWN if step.doubt else Outcome.SKIPPED
            reason = f"in doubt when stopped: {stop.reason}" if step.doubt else stop.reason
            deliveries = [Delivery(member.id, outcome, reason) for member in step.call.members]
            self._record(connection, run.batch, _Result(deliveries, step.call.key if step.written else None))
        self._close(connection, run.batch)

    def _finish(self, run: Run, result: _Result) -> None:
        with self._database.begin() as connection:
            if not isinstance(self._judge(connection, run), LeaseLost):
                self._record(connection, run.batch, result)
                self._close(connection, run.batch)

    def _record(self, connection: Connection, batch: Row[Any], result: _Result) -> None:
        ledger.record(connection, batch.broadcast_id, result.deliveries, clock.now())
        if result.key:
            batches.settle_call(connection, result.key)

    def _close(self, connection: Connection, batch: Row[Any]) -> None:
        batches.finish(connection, batch.id, batch.token)
        broadcasts.close_if_finished(connection, batch.broadcast_id, clock.now())


def _lease(providers: Providers) -> timedelta:
    """How long a claim holds: longer than the slowest call can take, because every call renews it."""
    slowest = max((row.timeout for of_channel in providers.values() for row in of_channel.values()), default=0.0)
    return timedelta(seconds=CONNECT_TIMEOUT + slowest + SPARE_SECONDS)


def _unknown(step: Step, reason: str) -> _Result:
    return _Result([Delivery(member.id, Outcome.UNKNOWN, reason) for member in step.call.members], step.call.key)
