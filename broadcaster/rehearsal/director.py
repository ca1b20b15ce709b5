"""The director: moves campaign time from one due instant to the next, and only while nothing is in flight."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import requests
from celery import Celery
from sqlalchemy import Connection, text

from broadcaster import clock
from broadcaster.errors import StateError
from broadcaster.operations import amending, asking, conclude, correcting
from broadcaster.operations.amending import Times
from broadcaster.operations.reach import Reach
from broadcaster.planning.proposal import Proposal
from broadcaster.rehearsal.onlookers import Onlookers
from broadcaster.rehearsal.script import Act, Verb
from broadcaster.stack import Stack
from broadcaster.storage import announcements, batches, broadcasts, ledger, receipts
from broadcaster.wiring import App

ACTOR = "rehearsal"
LOOK_EVERY = 0.05
"""Seconds between two looks at whether all is quiet."""
NUDGE_EVERY = 0.2
"""Seconds between two requests for what beat asks for once a second."""
PATIENCE = 180.0
"""Seconds without any progress after which a rehearsal gives up."""
AFTER_THE_LAST_ACT = timedelta(days=3)

Watch = Callable[[], None]
"""Called at every look, to draw progress."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a rehearsal plays: its parts and processes, its offset file, and where its sandbox and broker are."""

    parts: App
    stack: Stack
    offset_file: Path
    sandbox_url: str
    celery: Celery


def _finish(connection: Connection, slug: str, act: Act, _reach: Mapping[str, Reach]) -> None:
    conclude.finish(connection, slug, act.at, ACTOR, act.at)


def _cancel(connection: Connection, slug: str, act: Act, _reach: Mapping[str, Reach]) -> None:
    conclude.cancel(connection, slug, act.reason, ACTOR, act.at)


def _move(connection: Connection, slug: str, act: Act, reach: Mapping[str, Reach]) -> None:
    standing, proposal = amending.approved_proposal(connection, slug)
    wanted = amending.amended(proposal, Times(act.start, act.until, act.resume))
    amending.amend(connection, wanted, standing.approved_revision, act.reason, ACTOR, act.at, reach)


def _reinstate(connection: Connection, slug: str, act: Act, reach: Mapping[str, Reach]) -> None:
    amending.reinstate(connection, slug, Times(act.start, act.until), act.reason, ACTOR, act.at, reach)


_DEEDS: Mapping[Verb, Callable[[Connection, str, Act, Mapping[str, Reach]], None]] = {
    Verb.FINISH: _finish,
    Verb.CANCEL: _cancel,
    Verb.EXTEND: _move,
    Verb.RESCHEDULE: _move,
    Verb.REINSTATE: _reinstate,
}


class Director:
    """Plays one announcement's life."""

    def __init__(self, stage: Stage, proposal: Proposal, acts: Sequence[Act], watch: Watch) -> None:
        self._stage = stage
        self._slug = proposal.announcement.slug
        self._acts = list(acts)
        self._watch = watch
        self._nudged_at = -NUDGE_EVERY
        self._onlookers = Onlookers()
        window = proposal.announcement.window
        ends = [instant for act in acts for instant in (act.at, act.until) if instant]
        last = max([window.end or window.start + timedelta(days=35), *ends])
        self._curtain = last + AFTER_THE_LAST_ACT

    def play(self) -> None:
        """Go through every instant at which something is due, until nothing more is or the curtain falls."""
        self._settle()
        while (instant := self._next_instant()) is not None and instant <= self._curtain:
            # An act at an instant comes before what the clock does at it.
            while self._acts and self._acts[0].at <= instant:
                self._perform(self._acts.pop(0))
            clock.move_to(max(instant, clock.now()), self._stage.offset_file)
            self._settle()

    def _next_instant(self) -> datetime | None:
        with self._stage.parts.database.begin() as connection:
            found = [broadcasts.next_due(connection), announcements.next_boundary(connection, clock.now())]
            found.append(asking.next_due(connection, self._stage.parts.operators, clock.now()))
        acts = [act.at for act in self._acts[:1]]
        return min((instant for instant in [*found, *acts] if instant), default=None)

    def _perform(self, act: Act) -> None:
        if act.do is Verb.CALM:
            requests.delete(f"{self._stage.sandbox_url}/faults", timeout=10).raise_for_status()
            return
        with self._stage.parts.database.begin() as connection:
            _DEEDS[act.do](connection, self._slug, act, self._stage.parts.reach)

    def _settle(self) -> None:
        """Wait until all that is due now is done: sent, recorded, and its receipts joined."""
        self._nudge()
        last_sign, signs = time.monotonic(), None
        while not self._is_quiet():
            self._watch()
            self._stage.stack.revive()
            self._nudge()
            seen = self._signs_of_life()
            if seen != signs:
                last_sign, signs = time.monotonic(), seen
            elif time.monotonic() - last_sign > PATIENCE:
                raise StateError(f"nothing moved for {PATIENCE:.0f} seconds", hint="the logs beside the report say why")
            time.sleep(LOOK_EVERY)
        self._watch()

    def _nudge(self) -> None:
        """Ask for a tick and the other rounds at once instead of at beat's next second; two schedulers do no harm."""
        if time.monotonic() - self._nudged_at < NUDGE_EVERY:
            return
        for task in ("control.tick", "control.merge_receipts", "control.ask"):
            # What is not taken soon is not wanted any more: a worker that begins late must not find a heap of them.
            self._stage.celery.send_task(task, queue="control", expires=1)
        self._nudged_at = time.monotonic()

    def _is_quiet(self) -> bool:
        """In the order in which one leads to the other: messages are sent, their receipts come, and are joined."""
        now, database = clock.now(), self._stage.parts.database
        if self._is_busy(now) or self._sandbox_waiting():
            return False
        with database.begin() as connection:
            if receipts.unsettled(connection) or self._onlookers.lack_something(connection):
                return False
        correcting.correct(database, now, self._stage.parts.reach)
        return not self._is_busy(now)

    def _is_busy(self, now: datetime) -> bool:
        with self._stage.parts.database.begin() as connection:
            # One look: a broadcast that gets its batches between two would be seen by neither.
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            return (
                bool(announcements.overdue(connection, now))
                or broadcasts.any_due(connection, now)
                or batches.in_flight(connection, now) > 0
                or asking.is_unsettled(connection, self._stage.parts.operators, now)
            )

    def _signs_of_life(self) -> tuple[int, int]:
        with self._stage.parts.database.begin() as connection:
            return ledger.size(connection), receipts.unsettled(connection)

    def _sandbox_waiting(self) -> int:
        answer = requests.get(f"{self._stage.sandbox_url}/api/totals", timeout=10)
        return int(answer.json()["waiting"])
