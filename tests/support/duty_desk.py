"""An operator's webhook that is a real server, and the product's asking, done by the test at the times that it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select, update

from broadcaster import clock
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.delivery.messenger import Messenger
from broadcaster.operations import advance, asking, revise
from broadcaster.planning.proposal import Proposal, read
from broadcaster.storage.database import Database
from broadcaster.storage.tables import operator_events
from tests.channels.http_server import LocalServer, local_server
from tests.support.examples import REACH, SLUG, Edit, edited, example, local

SECRET = "whsec_" + "c" * 32
NAME = "duty-desk"


@dataclass(slots=True)
class DutyDesk:
    """A site with one operator, and the announcement of the example."""

    database: Database
    server: LocalServer
    folder: Path
    operators: list[str] = field(default_factory=lambda: [NAME])
    transport: Transport = field(default_factory=lambda: Transport(allow_private=True))

    @property
    def offset_file(self) -> Path:
        """Where campaign time is moved."""
        return self.folder / "clock-offset"

    def at(self, instant: str) -> None:
        """Let it be `instant`, let the clock do its part, and tell operators what they are to be told then."""
        clock.move_to(local(instant), self.offset_file)
        with self.database.begin() as connection:
            advance.advance(connection, clock.now(), REACH)
        self.messenger().tell_all()

    def messenger(self) -> Messenger:
        """A process of the product that tells operators."""
        return Messenger(
            self.database,
            self.transport,
            self.resolve,
            lambda connection, now: asking.keep_asking(connection, self.operators, now),
        )

    def resolve(self, name: str) -> Provider:
        """Every operator of this site is at the same server, under their own name."""
        return Provider(name, f"{self.server.url}/{name}", SECRET, timeout=5)

    def approve(self, proposal: Proposal) -> None:
        """Propose it and approve it, now."""
        with self.database.begin() as connection:
            number = revise.propose(connection, proposal, "test", clock.now())
            assert number
            revise.approve(connection, SLUG, number, "test", clock.now(), REACH)

    def revise(self, *edits: Edit) -> None:
        """Approve the example with edits, now."""
        self.approve(read(edited(self.folder / "revised.yaml", *edits), CHANNELS))

    def heard(self, kind: str = "") -> list[dict[str, Any]]:
        """The data of the events that came in, repeats included; of one kind, or all."""
        events = [json.loads(request.body) for request in self.server.received]
        return [event["data"] for event in events if not kind or event["type"] == kind]

    def leads(self) -> list[tuple[str, str]]:
        """The planned end and the lead of each question that came in."""
        return [(f"{one['planned_end'][5:16]}", one["lead"]) for one in self.heard("owner.asked")]

    def rows(self) -> Sequence[Row[Any]]:
        """What is written down, oldest first."""
        with self.database.begin() as connection:
            return connection.execute(select(operator_events).order_by(operator_events.c.id)).all()

    def end_waits(self) -> None:
        """Let the machine time of every lease and every back-off be over."""
        with self.database.begin() as connection:
            connection.execute(update(operator_events).values(next_attempt_at=operator_events.c.at))


@contextmanager
def duty_desk(database: Database, folder: Path) -> Iterator[DutyDesk]:
    """The example, approved on 18 February 2022, 10:00; nobody was asked anything yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with local_server() as server:
        found = DutyDesk(database, server, folder)
        clock.move_to(local("2022-02-18 10:00"), found.offset_file)
        with clock.following(found.offset_file):
            found.approve(example())
            yield found
