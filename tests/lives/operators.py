"""Operators: what they do to an announcement, whether that is possible, and what is true from then on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from broadcaster import clock
from broadcaster.errors import BroadcasterError, StateError
from broadcaster.operations import advance, amending, conclude, revise
from broadcaster.operations.amending import Times
from broadcaster.operations.preview import Preview, hold_to, preview
from broadcaster.planning.proposal import Proposal
from broadcaster.wiring import App
from tests.lives.life import HOUR, Cancel, Counters, Extend, Finish, Reinstate, Reschedule, Step
from tests.lives.truth import Plan, Status, Story
from tests.lives.words import ZONE
from tests.lives.world import proposal

FIRST_DAY = datetime(2030, 5, 1, tzinfo=ZONE)
OPERATOR = "operator"


def day(number: int) -> datetime:
    """The beginning of a day of the life, counted from its first one."""
    return FIRST_DAY + timedelta(days=number)


def first_story() -> Story:
    """What is told in the beginning."""
    return Story(Plan(day(10), day(20), day(10)))


@dataclass(frozen=True, slots=True)
class Operators:
    """Those of one announcement; `object_to` takes what the product does that it should not."""

    parts: App
    slug: str
    story: Story
    quiet_hours: bool
    object_to: Callable[[str], None]
    alone: bool = True
    """Whether nobody else changes anything meanwhile, such as a scheduler."""

    def publish(self) -> None:
        """Propose and approve it."""
        now = clock.now()
        with self.parts.database.begin() as connection:
            number = revise.propose(connection, self._proposal(self.story.plan), OPERATOR, now)
            assert number
            revise.approve(connection, self.slug, number, OPERATOR, now, self.parts.reach)

    def _state(self) -> Sequence[object]:
        """What an operator can change, to see that nothing was."""
        with self.parts.database.begin() as connection:
            return [tuple(row) for row in connection.execute(_STATE, {"slug": self.slug})]

    def act(self, step: Step) -> None:
        """What an operator does: it is done and true from then on, or it is refused and nothing has changed."""
        now = clock.now()
        with self.parts.database.begin() as connection:
            advance.advance(connection, now, self.parts.reach)
        before = self._state()
        try:
            with self.parts.database.begin() as connection:
                self._do(connection, step, now)
        except BroadcasterError as error:
            if self._is_possible(step, now):
                self.object_to(f"{step} was refused: {error.message}")
            if self.alone and self._state() != before:
                self.object_to(f"{step} was refused, and something has changed")
            return
        if not self._is_possible(step, now):
            self.object_to(f"{step} was not refused")
        self._believe(step, now)

    def _do(self, connection: Connection, step: Step, now: datetime) -> None:
        slug, reach = self.slug, self.parts.reach
        match step:
            case Extend(end):
                standing, found = amending.approved_proposal(connection, slug)
                wanted = amending.amended(found, Times(end=day(end)))
                amending.amend(connection, wanted, standing.approved_revision, "", OPERATOR, now, reach)
            case Reschedule() | Counters():
                standing, _ = amending.approved_proposal(connection, slug)
                wanted = self._proposal(self._planned(step))
                amending.amend(connection, wanted, standing.approved_revision, "", OPERATOR, now, reach)
            case Cancel():
                conclude.cancel(connection, slug, "not needed", OPERATOR, now)
            case Reinstate(end):
                times = Times() if end is None else Times(end=day(end))
                amending.reinstate(connection, slug, times, "needed after all", OPERATOR, now, reach)
            case Finish(hours_ago):
                conclude.finish(connection, slug, _ago(now, hours_ago), OPERATOR, now)

    def _proposal(self, plan: Plan) -> Proposal:
        return proposal(self.slug, plan, quiet_hours=self.quiet_hours)

    def _planned(self, step: Step) -> Plan:
        """The plan as it is after a step."""
        plan = self.story.plan
        match step:
            case Extend(end):
                return replace(plan, end=day(end))
            case Reinstate(end) if end is not None:
                return replace(plan, end=day(end))
            case Reschedule(start):
                return replace(plan, start=day(start), counters=day(start))
            case Counters(hours):
                return replace(plan, counters=plan.start - hours * HOUR)
            case _:
                return plan

    def _is_possible(self, step: Step, now: datetime) -> bool:
        story, plan = self.story, self._planned(step)
        match step:
            case Extend() | Counters():
                return not story.over and plan != story.plan and plan.end > now and plan.start < plan.end
            case Reschedule():
                moves = plan != story.plan and plan.end > now and not story.over
                return moves and not (story.started(now) and plan.start > now)
            case Cancel():
                return not story.over
            case Reinstate():
                return story.status(now) is Status.CANCELLED and plan.end > now
            case Finish(hours_ago):
                return not story.over and story.started(_ago(now, hours_ago))
            case _:
                return False

    def _believe(self, step: Step, now: datetime) -> None:
        self.story.plan = self._planned(step)
        match step:
            case Cancel():
                self.story.cancelled = True
            case Reinstate():
                self.story.cancelled = False
            case Finish(hours_ago):
                self.story.finished_at = _ago(now, hours_ago)
            case _:
                pass

    def compete(self, first: int, second: int) -> None:
        """Both look, then both act on what they saw: the first one wins, the other is told, nothing is half done."""
        one, other = Extend(first), Extend(second)
        now = clock.now()
        if not self._is_possible(one, now) or self._planned(one) == self._planned(other):
            return
        seen: dict[Step, tuple[Preview, Proposal]] = {}
        for step in (one, other):
            wanted = self._proposal(self._planned(step))
            with self.parts.database.begin() as connection:
                found = preview(connection, wanted, now, self.parts.reach)
            seen[step] = found, wanted
        try:
            self._carry_out(*seen[one])
        except StateError as error:
            self.object_to(f"the first operator was refused: {error.message}")
            return
        self._believe(one, now)
        before = self._state()
        try:
            self._carry_out(*seen[other])
        except StateError:
            if self._state() != before:
                self.object_to("the second operator was told, and something has changed")
        else:
            self.object_to("the second operator was not told that somebody was first")

    def _carry_out(self, shown: Preview, wanted: Proposal) -> None:
        now, reach = clock.now(), self.parts.reach
        with self.parts.database.begin() as connection:
            found = preview(connection, wanted, now, reach, counted=False)
            hold_to(found, shown.mark)
            amending.amend(connection, wanted, found.base, "", OPERATOR, now, reach)


def _ago(now: datetime, hours: int) -> datetime:
    """As an operator would say it: by the minute."""
    return now.replace(second=0, microsecond=0) - hours * HOUR


_STATE = text(
    """
    SELECT a.state, a.approved_revision, a.ends_at, a.starts_at, a.cancelled_at, a.finished_at,
           (SELECT count(*) FROM revisions r WHERE r.slug = a.slug),
           (SELECT string_agg(b.id || b.state || b.revision || b.due_at, ' ' ORDER BY b.id) FROM broadcasts b
            WHERE b.slug = a.slug)
    FROM announcements a WHERE a.slug = :slug
    """
)
