"""The book of a trip: what it knows and the database does not yet, and which of its calls are written down there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.delivery import recording, striding
from broadcaster.delivery.circumstances import circumstances
from broadcaster.delivery.guard import Circumstances, LeaseLost, Proceed, Verdict, judge
from broadcaster.delivery.recording import RecordedBeforeError, Result, Tally
from broadcaster.delivery.run import Run, Step
from broadcaster.storage import strides
from broadcaster.storage.database import Session

T = TypeVar("T")


class Book:
    """Changes only once a transaction is committed, which may be retried."""

    def __init__(self, session: Session, run: Run, lease: timedelta, result: Result) -> None:
        """`result` is known already, but not recorded."""
        self._session = session
        self._run = run
        self._lease = lease
        self._results = [result] if result.deliveries else []
        self._seen: tuple[Any, Circumstances] = run.batch, circumstances(run, run.batch)
        self._strode_at = time.monotonic()
        self.written_at = clock.machine_now()
        """When the last stride began: whatever stands was written down by then."""
        self.standing: set[str] = set()
        """Keys of the calls that are written down, and not made yet."""
        self.has_settled = False
        """Whether this trip got to know what became of anybody."""
        self.tally = Tally(run.channel.slug, run.batch.due_at)

    def know(self, result: Result) -> None:
        """Keep a result for the next transaction."""
        self._results.append(result)
        self.has_settled |= bool(result.deliveries)
        self.tally.note(result, clock.now())

    def drop(self, step: Step) -> None:
        """A call that was written down is not made after all: its row goes with the next transaction."""
        if step.call.key in self.standing:
            self.standing.remove(step.call.key)
            self._results.append(Result(key=step.call.key))

    def without_standing(self, steps: Iterable[Step]) -> list[Step]:
        """Those of the calls that are not written down yet."""
        return [step for step in steps if step.call.key not in self.standing]

    def write_down_first(self, connection: Connection, steps: Sequence[Step]) -> None:
        """Write down calls in the transaction of the claim, if the guard lets them be made."""
        if self._may_proceed():
            recording.write_down(connection, self._run.batch, steps)
            self.standing.update(step.call.key for step in steps)

    def transaction(self, work: Callable[[Connection], T]) -> T:
        """Do the work in a transaction that survives a lost connection; the results are recorded once."""
        try:
            done = self._session.attempt(work)
        except RecordedBeforeError:
            self._results = []
            return self._session.attempt(work)
        self._results = []
        return done

    def strode(self, steps: Iterable[Step], at: datetime) -> None:
        """A stride was committed that began at `at`, machine time, and wrote these calls down."""
        self.standing.update(step.call.key for step in steps)
        self.written_at, self._strode_at = at, time.monotonic()

    def is_still_good(self, step: Step) -> bool:
        """Whether the call is written down, and nothing that the guard would ask about has changed since."""
        if step.call.key not in self.standing or time.monotonic() - self._strode_at > striding.LONGEST:
            return False
        if not self._may_proceed():
            return False
        look = partial(strides.is_as_seen, batch=self._run.batch, seen=self._seen[0])
        return bool(self._session.attempt_once(look))

    def stride_at_once(self, steps: Sequence[Step]) -> bool:
        """Record the results and write the calls down, if nothing has changed since the guard was last asked.

        Then it need not be told. False: nothing was changed, or nobody knows.
        """
        if not recording.alike(self._results) or not self._may_proceed():
            return False
        at, batch, lease, results, seen = (
            clock.machine_now(),
            self._run.batch,
            self._lease,
            self._results,
            self._seen[0],
        )
        done = self._session.attempt_once(
            lambda connection: recording.stride_at_once(connection, batch, lease, results, steps, seen)
        )
        if done:
            self._results = []
            self.strode(steps, at)
        return bool(done)

    def stride(self, connection: Connection, steps: Sequence[Step] = ()) -> Verdict:
        """Record the results, write the calls down, and ask the guard."""
        state = recording.stride(connection, self._run.batch, self._lease, self._results, steps)
        if state is None:
            return LeaseLost()
        self._seen = state, circumstances(self._run, state)
        return judge(self._seen[1], clock.now())

    def finish_at_once(self) -> Any | None:
        """Record the results and close the batch; what `strides.finish_at_once` gives, None: nothing was changed."""
        if not recording.alike(self._results):
            return None
        batch, lease, results, tally = self._run.batch, self._lease, self._results, self.tally
        return self._session.attempt_once(
            lambda connection: recording.finish_at_once(connection, batch, lease, results, tally)
        )

    def _may_proceed(self) -> bool:
        return isinstance(judge(self._seen[1], clock.now()), Proceed)
