"""The player: plays a life in the world, step by step, and has the judge look at everything."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.delivery.courier import Courier
from broadcaster.errors import BroadcasterError, StateError
from broadcaster.operations import advance, amending, conclude, revise
from broadcaster.operations.amending import Times
from broadcaster.operations.preview import Preview, hold_to, preview
from broadcaster.planning.proposal import Proposal
from broadcaster.storage import receipts
from broadcaster.storage.receipts import Receipt, ReceiptStatus
from tests.lives.books import Books
from tests.lives.judge import Judge
from tests.lives.life import (
    HOUR,
    Cancel,
    Counters,
    Extend,
    Finish,
    Import,
    Life,
    OptOut,
    Quiet,
    Receive,
    Reinstate,
    Reschedule,
    Step,
    TwoOperators,
    Wait,
    Work,
)
from tests.lives.provider import StandIn
from tests.lives.truth import Plan, Status, Story
from tests.lives.words import ZONE
from tests.lives.world import BASE, World, phone, proposal

FIRST_DAY = datetime(2030, 5, 1, tzinfo=ZONE)
OPERATOR = "operator"
ROUNDS = 25
"""After so many rounds everything has come to rest."""


def day(number: int) -> datetime:
    """The beginning of a day of the life, counted from its first one."""
    return FIRST_DAY + timedelta(days=number)


def play(world: World, life: Life) -> None:
    """Play a life to its end; raises AssertionError that says which rule was broken."""
    Player(world, life).play()


@dataclass(slots=True)
class Player:
    """One life in the world."""

    world: World
    life: Life
    books: Books = field(default_factory=Books)
    story: Story = field(init=False)
    judge: Judge = field(init=False)
    stand_in: StandIn = field(init=False)
    opted_out: set[int] = field(default_factory=set)
    audience: frozenset[int] = BASE
    _meanwhile: Step | None = None

    def __post_init__(self) -> None:
        self.story = Story(Plan(day(10), day(20), day(10)))
        self.judge = Judge(self.books, self.story)
        self.stand_in = StandIn(self.books, self.judge.before, self.judge.object_to, self._interrupt)

    def play(self) -> None:
        """Begin, take every step, and let it come to rest."""
        world = self.world
        world.renew()
        world.at(day(self.life.published) + 10 * HOUR)
        self._publish()
        courier = world.courier(self.stand_in, self.life.classes)
        for step in (*self.life.steps, Quiet()):
            if isinstance(step, Work):
                self._work(step, courier)
            elif isinstance(step, Quiet):
                self._quiet(courier)
            else:
                self._take(step)
            self.judge.verdict(f"after {step}")

    def _publish(self) -> None:
        wanted = proposal(self.world.slug, self.story.plan, quiet_hours=self.life.quiet_hours)
        now, reach = clock.now(), self.world.parts.reach
        with self.world.transaction() as connection:
            number = revise.propose(connection, wanted, OPERATOR, now)
            assert number
            revise.approve(connection, self.world.slug, number, OPERATOR, now, reach)

    def _take(self, step: Step) -> None:
        """A step of people, time or operators."""
        match step:
            case Wait(hours):
                self._wait(hours)
            case Import(people):
                self.audience = people
                self.world.gather(people)
            case OptOut(person):
                self._opt_out(person)
            case Receive(which, arrived):
                self._receive(which, arrived=arrived)
            case TwoOperators(first, second):
                self._two_operators(first, second)
            case _:
                self._operate(step)

    def _wait(self, hours: int) -> None:
        """A long time is long for the machine too, and for what providers remember."""
        self.world.at(clock.now() + hours * HOUR)
        self.world.end_waits(hours * HOUR)
        if hours * HOUR > self.stand_in.dedupes_for:
            self.stand_in.forgotten |= self.books.entries.keys()

    def _opt_out(self, person: int) -> None:
        if person in self.opted_out:
            self.opted_out.remove(person)
            self.world.unsuppress(person)
        else:
            self.opted_out.add(person)
            self.world.suppress(person)
            self.judge.silenced.add(phone(person))

    def _receive(self, which: int, *, arrived: bool) -> None:
        shown = [
            (entry, address)
            for entry in self.books.entries.values()
            for address in sorted(entry.shown)
            if address not in entry.receipts
        ]
        if not shown:
            return
        entry, address = shown[which % len(shown)]
        entry.receipts[address] = arrived
        status = ReceiptStatus.DELIVERED if arrived else ReceiptStatus.FAILED
        with self.world.transaction() as connection:
            row = Receipt(entry.broadcast, entry.ids[address], status, clock.now())
            receipts.append(connection, entry.channel, entry.provider, [row])

    def _interrupt(self) -> None:
        step, self._meanwhile = self._meanwhile, None
        if step is not None:
            self._take(step)

    def _work(self, step: Work, courier: Courier) -> None:
        self.world.end_waits()
        self.stand_in.fates, self._meanwhile = deque(step.fates), step.meanwhile
        self.world.look_around()
        self.world.deliver(courier, self.books)
        self.stand_in.fates, self._meanwhile = deque(), None
        self.world.follow_up()

    def _quiet(self, courier: Courier) -> None:
        for number in range(ROUNDS):
            self.world.end_waits()
            if number == 0:
                self.world.replan()
            self.world.look_around()
            carried = self.world.deliver(courier, self.books)
            self.world.follow_up()
            if not carried and self._at_rest():
                break
        else:
            self.judge.object_to("it never comes to rest")
        self.judge.at_rest(self.world)

    def _at_rest(self) -> bool:
        return not self.world.rows(
            "SELECT 1 FROM broadcasts b WHERE b.state = 'planned' AND b.due_at <= :now"
            " OR b.state = 'open' AND NOT EXISTS (SELECT 1 FROM batches x WHERE x.broadcast_id = b.id"
            " AND NOT x.done AND x.hold_until > :now)",
            now=clock.now(),
        )

    def _operate(self, step: Step) -> None:
        """What an operator does: it is done and true from then on, or it is refused and nothing has changed."""
        now = clock.now()
        with self.world.transaction() as connection:
            advance.advance(connection, now, self.world.parts.reach)
        before = self.world.state()
        try:
            with self.world.transaction() as connection:
                self._do(connection, step, now)
        except BroadcasterError as error:
            if self._is_possible(step, now):
                self.judge.object_to(f"{step} was refused: {error.message}")
            if self.world.state() != before:
                self.judge.object_to(f"{step} was refused, and something has changed")
            return
        if not self._is_possible(step, now):
            self.judge.object_to(f"{step} was not refused")
        self._believe(step, now)

    def _do(self, connection: Connection, step: Step, now: datetime) -> None:
        slug, reach = self.world.slug, self.world.parts.reach
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
        return proposal(self.world.slug, plan, quiet_hours=self.life.quiet_hours)

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

    def _two_operators(self, first: int, second: int) -> None:
        """Both look, then both act on what they saw: the first one wins, the other is told, nothing is half done."""
        one, other = Extend(first), Extend(second)
        now = clock.now()
        if not self._is_possible(one, now) or self._planned(one) == self._planned(other):
            return
        seen: dict[Step, tuple[Preview, Proposal]] = {}
        for step in (one, other):
            wanted = self._proposal(self._planned(step))
            with self.world.transaction() as connection:
                found = preview(connection, wanted, now, self.world.parts.reach)
            seen[step] = found, wanted
        try:
            self._carry_out(*seen[one])
        except StateError as error:
            self.judge.object_to(f"the first operator was refused: {error.message}")
            return
        self._believe(one, now)
        before = self.world.state()
        try:
            self._carry_out(*seen[other])
        except StateError:
            if self.world.state() != before:
                self.judge.object_to("the second operator was told, and something has changed")
        else:
            self.judge.object_to("the second operator was not told that somebody was first")

    def _carry_out(self, shown: Preview, wanted: Proposal) -> None:
        now, reach = clock.now(), self.world.parts.reach
        with self.world.transaction() as connection:
            found = preview(connection, wanted, now, reach, counted=False)
            hold_to(found, shown.mark)
            amending.amend(connection, wanted, found.base, "", OPERATOR, now, reach)


def _ago(now: datetime, hours: int) -> datetime:
    """As an operator would say it: by the minute."""
    return now.replace(second=0, microsecond=0) - hours * HOUR
