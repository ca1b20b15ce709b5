"""The product as an operator runs it: its own processes, a real announcement, measured from due to closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import Celery
from sqlalchemy import Row

from bench import announcements
from bench.cost import cpu_seconds
from bench.load import Load, load
from bench.memory import Watch
from bench.patience import await_, await_progress
from bench.site import FAR_ABOVE, PROVIDER, write_site
from broadcaster import clock
from broadcaster.errors import StateError
from broadcaster.operations import revise
from broadcaster.settings import Settings
from broadcaster.stack import DELIVERY_PROCESSES, HOST, Stack, environment, free_port, programs
from broadcaster.storage import broadcasts, heartbeats
from broadcaster.wiring import App, open_app

ACTOR = "bench"
CLOSED = "closed"
READY = 60.0
_YOUNG = 3.0
"""Seconds: a tick that ran so lately was one of these processes'."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How the site's provider wants its calls, and whether receipts come back."""

    members_per_call: int = 100
    personal: bool = True
    receipts: bool = False
    calls_per_second: float = FAR_ABOVE
    workers: int = DELIVERY_PROCESSES


@dataclass(frozen=True, slots=True)
class Sent:
    """What a broadcast took. `sending` leaves out the wait for the tick that opens it; `cpu` is by part, in seconds."""

    recipients: int
    seconds: float
    sending: float
    peaks_mb: Mapping[str, float] = field(default_factory=dict)
    cpu: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Recipients a second, from due to closed."""
        return self.recipients / self.seconds

    @property
    def cpu_ms_per_1000(self) -> dict[str, float]:
        """Part → milliseconds of a core that a thousand recipients take."""
        return {part: round(seconds * 1e6 / self.recipients, 2) for part, seconds in self.cpu.items()}


@dataclass(frozen=True, slots=True)
class Product:
    """The running product and its load."""

    parts: App
    sink: Load

    def announce(self, slug: str) -> None:
        """Propose and approve: the notice is due now."""
        now = clock.now()
        with self.parts.database.begin() as connection:
            revise.propose(connection, announcements.at_once(slug), ACTOR, now)
            revise.approve(connection, slug, 1, ACTOR, now, self.parts.reach)

    def notice(self, slug: str) -> Row[Any]:
        """The row of the announcement's only broadcast."""
        with self.parts.database.begin() as connection:
            return broadcasts.rows_of(connection, slug)[0]

    def await_closed(self, slug: str) -> None:
        """Wait until the announcement's broadcast is closed."""
        await_progress(lambda: self.notice(slug).state == CLOSED, self.sink.recipients, "the end of the broadcast")


def send(settings: Settings, setup: Setup, slug: str, recipients: int) -> Sent:
    """Tell everybody in the database; raises StateError when not everybody was told exactly once."""
    with running(settings, setup) as product, Watch(str(settings.data.resolve())) as watch:
        before = cpu_seconds(settings.data)
        product.announce(slug)
        product.await_closed(slug)
        row = product.notice(slug)
        end = row.closed_at
        if setup.receipts:
            end = max(end, _merged_at(product, slug, recipients))
        cpu = {part: seconds - before.get(part, 0.0) for part, seconds in cpu_seconds(settings.data).items()}
        product.sink.require(recipients)
    if row.accepted != recipients:
        raise StateError(f"{row.accepted} of {recipients} recipients were accepted")
    times = (end - row.due_at).total_seconds(), (end - row.opened_at).total_seconds()
    return Sent(recipients, *times, peaks_mb=dict(watch.peaks_mb), cpu=cpu)


@contextmanager
def running(settings: Settings, setup: Setup, offset_file: Path | None = None) -> Iterator[Product]:
    """Both workers and beat with a sink as their provider, ready to work; web only where receipts come back."""
    web_port, logs = free_port(), settings.data / "logs"
    web_url = f"http://{HOST}:{web_port}"
    callback = f"{web_url}/callbacks/sms/{PROVIDER}" if setup.receipts else ""
    with load(logs, callback) as sink:
        write_site(
            settings.data,
            sink.url,
            web_url,
            members_per_call=setup.members_per_call,
            calls_per_second=setup.calls_per_second,
            personal=setup.personal,
        )
        parts, stack = open_app(settings), Stack(logs, environment(settings, offset_file))
        try:
            wanted = programs(settings, web_port=web_port, sandbox_port=None, concurrency=setup.workers)
            stack.start(row for row in wanted if setup.receipts or row.name != "web")
            await_ready(parts)
            yield Product(parts, sink)
        finally:
            stack.stop()
            parts.database.close()


def await_ready(parts: App) -> None:
    """Wait until both workers answer and a tick of theirs has run."""
    celery = Celery(broker=parts.settings.broker_url)
    await_(lambda: len(celery.control.ping(timeout=0.3) or ()) >= 2, "an answer of both workers", READY)
    celery.close()
    await_(lambda: _ticked(parts), "a tick", READY)


def _ticked(parts: App) -> bool:
    with parts.database.begin() as connection:
        age = heartbeats.age(connection, "tick")
    return age is not None and age < _YOUNG


def _merged_at(product: Product, slug: str, recipients: int) -> datetime:
    """When the last receipt was in the ledger."""

    def delivered() -> int:
        return int(product.notice(slug).delivered)

    await_progress(lambda: delivered() >= recipients, delivered, "the last receipt", every=0.05)
    return clock.now()
