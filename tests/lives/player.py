"""The player: plays a life in the world, step by step, and has the judge look at everything."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

from broadcaster import clock
from broadcaster.delivery.courier import Courier
from broadcaster.storage import receipts
from broadcaster.storage.receipts import Receipt, ReceiptStatus
from tests.lives.books import Books
from tests.lives.judge import Judge
from tests.lives.life import (
    HOUR,
    Import,
    Life,
    OptOut,
    Quiet,
    Receive,
    Step,
    TwoOperators,
    Wait,
    Work,
)
from tests.lives.operators import Operators, day, first_story
from tests.lives.provider import StandIn
from tests.lives.truth import Story
from tests.lives.world import BASE, World, phone

RECEIPTS_COME_WITHIN = timedelta(days=14)
"""What a provider says, or what is joined, of an announcement that has been over for longer: nobody counts again."""
ROUNDS = 25
"""After so many rounds everything has come to rest."""


def play(world: World, life: Life) -> None:
    """Play a life to its end; raises AssertionError that says which rule was broken."""
    Player(world, life).play()


@dataclass(slots=True)
class Player:
    """One life in the world."""

    world: World
    life: Life
    books: Books = field(default_factory=Books)
    story: Story = field(default_factory=first_story)
    operators: Operators = field(init=False)
    judge: Judge = field(init=False)
    stand_in: StandIn = field(init=False)
    opted_out: set[int] = field(default_factory=set)
    audience: frozenset[int] = BASE
    _meanwhile: Step | None = None

    def __post_init__(self) -> None:
        self.judge = Judge(self.books, self.story)
        self.stand_in = StandIn(self.books, self.judge.before, self.judge.object_to, self._interrupt)

    def play(self) -> None:
        """Begin, take every step, and let it come to rest."""
        world = self.world
        world.renew()
        self.operators = Operators(world.parts, world.slug, self.story, self.life.quiet_hours, self.judge.object_to)
        world.at(day(self.life.published) + 10 * HOUR)
        self.operators.publish()
        courier = world.courier(self.stand_in, self.life.classes)
        for step in (*self.life.steps, Quiet()):
            if isinstance(step, Work):
                self._work(step, courier)
            elif isinstance(step, Quiet):
                self._quiet(courier)
            else:
                self._take(step)
            self.judge.verdict(f"after {step}")

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
                self.operators.compete(first, second)
            case _:
                self.operators.act(step)

    def _wait(self, hours: int) -> None:
        """A long time is long for the machine too, and for what providers remember."""
        if hours * HOUR >= RECEIPTS_COME_WITHIN:
            self.world.follow_up()
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
            if address not in entry.receipts and clock.now() - entry.at < RECEIPTS_COME_WITHIN
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
