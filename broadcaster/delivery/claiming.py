"""Claiming: taking a batch and working out its calls, those that an earlier claim left open first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from broadcaster import clock
from broadcaster.announcement.model import Announcement
from broadcaster.channels.base import Channel, Delivery, Member, Outcome, RecipientKind
from broadcaster.delivery import doubts, posts, recording, routing
from broadcaster.delivery.directory import Directory
from broadcaster.delivery.messages import Edition, Press
from broadcaster.delivery.recording import Result
from broadcaster.delivery.retry import wait
from broadcaster.delivery.run import Run, Step
from broadcaster.errors import BroadcasterError, InputError, StateError
from broadcaster.planning.angle import WHOLE, Angle, divides, rows_for
from broadcaster.planning.phase import Phase
from broadcaster.planning.tellings import Kind, told_by, untrue
from broadcaster.storage import audiences, batches, broadcasts, calls, recipients, superseding, tellings
from broadcaster.storage.recipients import Scope, Sealed
from broadcaster.storage.scopes import scope_of
from broadcaster.vault import Vault

log = structlog.get_logger()

SUPERSEDED = "superseded by a newer event"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run with its calls: `questions` are about calls in doubt; `result` is known already, but not recorded."""

    run: Run
    questions: Sequence[Step]
    steps: Sequence[Step]
    result: Result


class Claims:
    """Takes batches for one worker process."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        directory: Directory,
        press: Press,
        vault: Vault,
        public_url: str,
        lease: timedelta,
    ) -> None:
        self._channels = channels
        self._directory = directory
        self._press = press
        self._vault = vault
        self._public_url = public_url
        self._lease = lease

    def claim(self, connection: Connection, batch_id: int) -> Claimed | None:
        """Take the batch, in the caller's transaction; None when it is not free, or cannot be carried now."""
        batch = batches.claim(connection, batch_id, clock.now(), self._lease)
        if batch is None:
            return None
        channel = self._channels[batch.channel]
        scope = scope_of(connection, channel.pool, batch)
        try:
            edition = self._press.edition(connection, batch.slug, batch.revision, channel, Phase(batch.phase))
            document = f"{self._public_url}/surfaces/{channel.slug}.json"
            listed = self._directory.of(connection, channel)
            told = superseding.told(connection, batch, channel.pool) if channel.registered else frozenset()
            before = posts.earlier(connection, batch, channel)
            run = Run(batch, channel, scope, edition, listed.providers, document, listed.absent, told, posts=before)
            return self._calls(connection, run)
        except (InputError, StateError) as error:
            self._leave_unrendered(connection, batch, scope, error)
            return None

    def _calls(self, connection: Connection, run: Run) -> Claimed:
        batch = run.batch
        left_open = calls.left_open(connection, batch.id) if batch.left_open else []
        superseded = (
            superseding.covered(connection, batch, run.channel.pool) if run.channel.latest_only else frozenset()
        )
        found = doubts.sort_out(run, left_open, _outdated(connection, batch, left_open), superseded)
        for result in found.unknown:
            _record_now(connection, batch, result, self._lease)
        questions = [doubts.question(self._again(connection, run, row), row) for row in found.questions]
        repeats = [self._again(connection, run, row) for row in found.repeats]
        taken = found.members
        fresh = not taken and batch.settled == 0
        rows = recipients.in_range(
            connection, run.scope, batch.broadcast_id, batch.first_id, batch.last_id, batch.channel, fresh=fresh
        )
        if batch.retries or batch.among:
            # Whom it is for follows from the ledger: a receipt may have said something of somebody since it was cut.
            settled = batch.settled + sum(len(result.deliveries) for result in found.unknown)
            batches.resize(connection, batch, settled + len(rows))
        waiting = [row for row in rows if row.id not in taken] if taken else rows
        left_out = [Delivery(row.id, Outcome.SKIPPED, SUPERSEDED) for row in waiting if row.id in superseded]
        waiting = [row for row in waiting if row.id not in superseded]
        members, unwritten = routing.opened(self._vault, run.edition, waiting)
        left_out += unwritten
        run, alike = self._angled(connection, run, waiting, members)
        steps = repeats
        for angle, some in alike.items():
            more, lost = routing.route(run, some, angle=angle)
            steps, left_out = [*steps, *more], [*left_out, *lost]
        return Claimed(run, questions, steps, Result(left_out, batch.revision))

    def _angled(
        self, connection: Connection, run: Run, rows: Sequence[Sealed], members: Sequence[Member]
    ) -> tuple[Run, Mapping[Angle, Sequence[Member]]]:
        """Members by the angle from which they are told, and the run with the words for each of these."""
        changes = run.scope.beliefs.changes if run.scope.beliefs and run.batch.phase == Phase.CHANGED else None
        announcement = run.edition.proposal.announcement
        divided = run.channel.reaches is RecipientKind.PERSON and divides(announcement)
        if changes is None and not divided:
            return run, {WHOLE: members} if members else {}
        concerned = self._concerns(connection, announcement, rows) if divided else {}
        sides = {row.id: (row.held, concerned.get((row.language, row.tag_set), ())) for row in rows}
        # Few sides, many people: each angle is worked out once.
        distinct = dict.fromkeys(sides.values())
        of_side = {(held, of): Angle(changes(held) if changes else (), of) for held, of in distinct}
        angles: dict[Angle, list[Member]] = {}
        gathered = {side: angles.setdefault(angle, []) for side, angle in of_side.items()}
        for member in members:
            gathered[sides[member.id]].append(member)
        alike = {angle: some for angle, some in angles.items() if some}
        editions = {angle: self._edition(connection, run, run.batch.revision, angle) for angle in alike}
        return replace(run, editions=editions), alike

    @staticmethod
    def _concerns(
        connection: Connection, announcement: Announcement, rows: Sequence[Sealed]
    ) -> dict[tuple[str, int], tuple[str, ...]]:
        """(language, tag set) → the impact rows that concern such people."""
        kinds = {(row.language, row.tag_set) for row in rows}
        tags = audiences.tags_of(connection, {tag_set for _, tag_set in kinds})
        return {
            (language, tag_set): rows_for(announcement, Kind(language, tags[tag_set])) for language, tag_set in kinds
        }

    def _again(self, connection: Connection, run: Run, row: Row[Any]) -> Step:
        # The same key must carry the same words, although the broadcast may have moved on to a newer revision.
        edition = self._edition(connection, run, row.revision, routing.angle_of(row))
        sealed = recipients.by_ids(connection, run.scope, row.members)
        members, _ = routing.opened(self._vault, edition, sealed)
        return routing.repeat(run, edition, row, members)

    def _edition(self, connection: Connection, run: Run, revision: int, angle: Angle) -> Edition:
        batch = run.batch
        return self._press.edition(connection, batch.slug, revision, run.channel, Phase(batch.phase), angle)

    def _leave_unrendered(self, connection: Connection, batch: Row[Any], scope: Scope, error: BroadcasterError) -> None:
        """What broke after the approval (template, revision, keys): wait until it is mended, or expired."""
        log.error("cannot_render", broadcast=batch.broadcast_id, why=error.message)
        if batch.expires_at > clock.now():
            batches.retry_later(connection, batch.id, batch.token, wait(batch.attempts), batch.attempts + 1)
            return
        doubtful = {id_ for row in calls.left_open(connection, batch.id) for id_ in row.members}
        rows = recipients.in_range(
            connection, scope, batch.broadcast_id, batch.first_id, batch.last_id, batch.channel, fresh=False
        )
        if batch.retries or batch.among:
            batches.resize(connection, batch, batch.settled + len(rows))
        reason = "expired while it could not be rendered"
        deliveries = [
            Delivery(row.id, Outcome.UNKNOWN if row.id in doubtful else Outcome.SKIPPED, reason) for row in rows
        ]
        _record_now(connection, batch, Result(deliveries, batch.revision), self._lease)
        for row in calls.left_open(connection, batch.id):
            calls.settle(connection, row.key)
        batches.finish(connection, batch.id, batch.token)
        broadcasts.close_if_finished(connection, batch.broadcast_id, clock.now())


def _outdated(connection: Connection, batch: Row[Any], rows: Sequence[Row[Any]]) -> Set[int]:
    """The revisions of open calls in whose words the batch's broadcast would tell what is no longer true."""
    earlier = {row.revision for row in rows} - {batch.revision}
    if not earlier:
        return frozenset()
    planned, phase = tellings.facts_of(connection, batch.slug), Phase(batch.phase)
    true = told_by(phase, planned[batch.revision], None)
    return {number for number in earlier if untrue(told_by(phase, planned[number], None), true)}


def _record_now(connection: Connection, batch: Row[Any], result: Result, lease: timedelta) -> None:
    """Record in the transaction of the claim itself, which holds the lease."""
    recording.stride(connection, batch, lease, [result])
