"""The courier: carries one batch to its providers, call by call.

Every call is written down before it is made, and what came of it is recorded in the same transaction that writes down
the next one: a kill leaves in doubt only the call in flight, and no transaction is open during HTTP. Before each call
the guard is asked; a worker that lost its lease records nothing more.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from broadcaster import clock
from broadcaster.announcement.lifecycle import State
from broadcaster.channels.base import Call, Channel, Delivery, Idempotency, Member, Outcome, RecipientKind
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import CONNECT_TIMEOUT, Transport
from broadcaster.delivery.guard import Circumstances, Hold, LeaseLost, Proceed, Stop, Verdict, judge
from broadcaster.delivery.messages import Edition, Press
from broadcaster.delivery.retry import wait
from broadcaster.errors import AmbiguousError, TransientError
from broadcaster.planning.phase import Phase
from broadcaster.storage import batches, broadcasts, ledger, recipients
from broadcaster.storage.database import Database

log = structlog.get_logger()

SPARE_SECONDS = 5.0
"""What rendering and recording may take beside the call itself."""

Providers = Mapping[str, Mapping[str, Provider]]
"""Channel → provider name → provider."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A call to make. `written` when it is durable already; `doubt` when an earlier attempt may have been seen."""

    call: Call
    provider: Provider
    written: bool = False
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class _Result:
    """What is known but not yet recorded: outcomes, and the call that they settle (None for those without a call)."""

    deliveries: Sequence[Delivery]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """A claimed batch with all that stays the same while it is carried."""

    batch: Row[Any]
    channel: Channel
    edition: Edition


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

    def _claim(self, batch_id: int) -> tuple[_Run, list[_Step], _Result] | None:
        """Take the batch and work out its calls: those that an earlier claim left open first, then new ones."""
        with self._database.begin() as connection:
            batch = batches.claim(connection, batch_id, clock.now(), self._lease)
            if batch is None:
                return None
            channel = self._channels[batch.channel]
            edition = self._press.edition(connection, batch.slug, batch.revision, channel, Phase(batch.phase))
            run = _Run(batch, channel, edition)
            repeats, settled = self._left_open(connection, run)
            taken = {member.id for step in repeats for member in step.call.members}
            taken |= {delivery.recipient_id for delivery in settled}
            waiting = [
                row
                for row in recipients.unsettled(connection, channel.reaches, channel.pool, batch)
                if row.id not in taken
            ]
        gone = [Delivery(row.id, Outcome.SKIPPED, "no longer listed") for row in waiting if not row.listed]
        members = [self._member(run, row) for row in waiting if row.listed]
        steps, unroutable = self._route(run, members)
        return run, [*repeats, *steps], _Result([*settled, *gone, *unroutable])

    def _left_open(self, connection: Connection, run: _Run) -> tuple[list[_Step], list[Delivery]]:
        """Calls of an earlier claim: to be repeated where that is safe or they surely were not seen; else unknown."""
        repeats: list[_Step] = []
        settled: list[Delivery] = []
        for row in batches.unsettled_calls(connection, run.batch.id):
            provider = self._providers[run.channel.slug].get(row.provider)
            safe = run.channel.adapter.idempotency is Idempotency.IDEMPOTENT or not row.in_doubt
            if provider and safe:
                members = [self._member(run, found) for found in recipients.by_ids(connection, row.members)]
                call = self._call(run, members, key=row.key, prepared_at=row.prepared_at)
                repeats.append(_Step(call, provider, written=True, doubt=row.in_doubt))
            else:
                reason = "a worker stopped during the call" if provider else "its provider is no longer configured"
                settled += [Delivery(id_, Outcome.UNKNOWN, reason) for id_ in row.members]
                batches.settle_call(connection, row.key)
        return repeats, settled

    def _route(self, run: _Run, members: list[Member]) -> tuple[list[_Step], list[Delivery]]:
        """Which provider each member goes to, in calls of the adapter's size."""
        providers = self._providers.get(run.channel.slug, {})
        if run.channel.reaches is RecipientKind.PERSON:
            if not providers:
                return [], [_no_provider(member) for member in members]
            return list(self._steps(run, members, next(iter(providers.values())))), []
        steps = [
            step
            for member in members
            if member.address in providers
            for step in self._steps(run, [member], providers[member.address])
        ]
        return steps, [_no_provider(member) for member in members if member.address not in providers]

    def _steps(self, run: _Run, members: list[Member], provider: Provider) -> Iterator[_Step]:
        size = run.channel.adapter.members_per_call
        for start in range(0, len(members), size):
            yield _Step(self._call(run, members[start : start + size]), provider)

    def _call(self, run: _Run, members: Sequence[Member], key: str | None = None, prepared_at: Any = None) -> Call:
        announcement = run.edition.proposal.announcement
        languages = {member.language for member in members}
        return Call(
            key=key or uuid.uuid4().hex,
            channel=run.channel.slug,
            broadcast=run.batch.broadcast_id,
            announcement=run.batch.slug,
            revision=run.batch.revision,
            phase=Phase(run.batch.phase),
            severity=str(announcement.severity),
            link=announcement.links[0].url if announcement.links else None,
            prepared_at=prepared_at or clock.now(),
            expires_at=run.batch.expires_at,
            members=tuple(members),
            messages={name: text for name, text in run.edition.messages.items() if name in languages},
            document=f"{self._public_url}/surfaces/{run.channel.slug}.json",
        )

    def _member(self, run: _Run, row: recipients.Recipient) -> Member:
        return Member(row.id, row.address, run.edition.language_for(row.language))

    def _advance(self, run: _Run, result: _Result, rest: Sequence[_Step]) -> Verdict:
        """In one transaction: ask the guard, record the last result, write down the next call or why there is none."""
        with self._database.begin() as connection:
            verdict = self._judge(connection, run)
            if isinstance(verdict, LeaseLost):
                return verdict
            self._record(connection, run, result)
            if isinstance(verdict, Proceed):
                self._write_ahead(connection, run, rest[0])
            elif isinstance(verdict, Hold):
                batches.hold(connection, run.batch.id, run.batch.token, verdict.until)
            else:
                self._give_up(connection, run, rest, verdict)
            return verdict

    def _judge(self, connection: Connection, run: _Run) -> Verdict:
        state = batches.guard_state(connection, run.batch.id, run.batch.token, self._lease)
        proposal = run.edition.proposal
        circumstances = Circumstances(
            lease_held=state.lease_held,
            broadcast_open=state.open,
            revision_approved=state.revision_approved,
            announcement_state=State(state.announcement_state),
            phase=Phase(state.phase),
            expires_at=state.expires_at,
            quiet_hours=proposal.policy.quiet_hours.get(state.channel),
            zone=proposal.announcement.zone_info,
        )
        return judge(circumstances, clock.now())

    def _write_ahead(self, connection: Connection, run: _Run, step: _Step) -> None:
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

    def _send(self, run: _Run, step: _Step) -> _Result | None:
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

    def _postpone(self, run: _Run, step: _Step, why: str, retry_after: float | None) -> None:
        seconds = wait(run.batch.attempts, retry_after)
        with self._database.begin() as connection:
            batches.mark_call(connection, step.call.key, in_doubt=step.doubt)
            batches.retry_later(connection, run.batch.id, run.batch.token, seconds)
        log.warning("call_postponed", broadcast=run.batch.broadcast_id, batch=run.batch.id, why=why, seconds=seconds)

    def _give_up(self, connection: Connection, run: _Run, rest: Sequence[_Step], stop: Stop) -> None:
        for step in rest:
            outcome = Outcome.UNKNOWN if step.doubt else Outcome.SKIPPED
            reason = f"in doubt when stopped: {stop.reason}" if step.doubt else stop.reason
            deliveries = [Delivery(member.id, outcome, reason) for member in step.call.members]
            self._record(connection, run, _Result(deliveries, step.call.key if step.written else None))
        self._close(connection, run)

    def _finish(self, run: _Run, result: _Result) -> None:
        with self._database.begin() as connection:
            if not isinstance(self._judge(connection, run), LeaseLost):
                self._record(connection, run, result)
                self._close(connection, run)

    def _record(self, connection: Connection, run: _Run, result: _Result) -> None:
        ledger.record(connection, run.batch.broadcast_id, result.deliveries, clock.now())
        if result.key:
            batches.settle_call(connection, result.key)

    def _close(self, connection: Connection, run: _Run) -> None:
        batches.finish(connection, run.batch.id, run.batch.token)
        broadcasts.close_if_finished(connection, run.batch.broadcast_id, clock.now())


def _lease(providers: Providers) -> timedelta:
    """How long a claim holds: longer than the slowest call can take, because every call renews it."""
    slowest = max((row.timeout for of_channel in providers.values() for row in of_channel.values()), default=0.0)
    return timedelta(seconds=CONNECT_TIMEOUT + slowest + SPARE_SECONDS)


def _unknown(step: _Step, reason: str) -> _Result:
    return _Result([Delivery(member.id, Outcome.UNKNOWN, reason) for member in step.call.members], step.call.key)


def _no_provider(member: Member) -> Delivery:
    return Delivery(member.id, Outcome.SKIPPED, "no provider is configured for it")
