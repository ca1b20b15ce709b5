"""Readings: what the metrics say now, asked of the database, the providers' circuits and the broker."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from kombu import Connection as Broker
from kombu.exceptions import ChannelError
from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.channels.base import ChannelKind
from broadcaster.channels.provider import Provider
from broadcaster.delivery import latency
from broadcaster.delivery.breaker import Circuit
from broadcaster.delivery.gate import Gate
from broadcaster.delivery.rounds import TICK
from broadcaster.errors import InputError
from broadcaster.planning.lateness import LABELS
from broadcaster.reporting.surfaces import stale_by_channel
from broadcaster.storage import gauges, heartbeats, operator_events, progress, staleness, tallies
from broadcaster.storage.receipts import ReceiptStatus
from broadcaster.web import exposition as named
from broadcaster.web.exposition import Metric, Values
from broadcaster.wiring import App

QUEUES = ("control", "delivery", "correction")
"""The names that `workers.queues` gives them."""
PEOPLE = "people"
"""The pool that has no name of its own."""
STATES_KEPT_SECONDS = 30.0
BROKER_SECONDS = 1
"""How long the broker may take to answer."""
_STATEMENT_MILLISECONDS = 2_000
"""A scrape that takes longer is given up: it must not hold up what it watches."""

_TALLIED: Mapping[str, Metric] = {
    tallies.OUTCOMES: named.OUTCOMES,
    tallies.RECEIPTS: named.RECEIPTS,
    tallies.PACING_WAITS: named.PACING_WAITS,
    tallies.PACING_WAIT_SECONDS: named.PACING_SECONDS,
    latency.BUCKETS: named.LATENCY,
}

log = structlog.get_logger()


class Readings:
    """Takes readings; one a process, because it keeps what is too slow to be asked every time."""

    def __init__(self, parts: App, providers: Mapping[str, Mapping[str, Provider]]) -> None:
        self._parts = parts
        self._providers = providers
        self._gate = _gate(parts, providers)
        self._states: tuple[float, Values] | None = None

    def take(self) -> dict[Metric, Values]:
        """Every metric's values; raises UnreachableError, or a database error, when the database does not answer."""
        with self._parts.database.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {_STATEMENT_MILLISECONDS}")
            found = {**self._of_plan(connection), **_of_work(connection), **self._of_tallies(connection)}
            found |= self._of_operators(connection) | self._of_beliefs(connection)
        return {**found, named.CIRCUIT: self._circuits(), **_of_broker(self._parts.settings.broker_url)}

    def _of_plan(self, connection: Connection) -> dict[Metric, Values]:
        number, seconds = gauges.overdue(connection, clock.now())
        age = heartbeats.age(connection, TICK)
        return {
            named.SINCE_TICK: {(): math.inf if age is None else age},
            named.BROADCASTS: self._kept_states(connection),
            named.OVERDUE: {(): number},
            named.OVERDUE_SECONDS: {(): seconds},
        }

    def _of_operators(self, connection: Connection) -> dict[Metric, Values]:
        rows = operator_events.waiting(connection)
        waiting = {**dict.fromkeys(self._parts.operators, 0), **Counter(row.operator for row in rows)}
        since = max((clock.now() - row.at).total_seconds() for row in rows) if rows else 0.0
        return {
            named.OPERATOR_EVENTS: _by_name(waiting),
            named.OPERATOR_SECONDS: {(): since},
            named.OVERRUN: {(): gauges.overrun(connection)},
        }

    def _of_beliefs(self, connection: Connection) -> dict[Metric, Values]:
        """Who is left believing what is no longer true: recipients as they were counted last, and screens."""
        none, now = dict.fromkeys(self._parts.channels, 0), clock.now()
        counts = staleness.by_channel(connection)
        surfaces = [slug for slug, row in self._parts.channels.items() if row.kind is ChannelKind.SURFACE]
        screens = dict.fromkeys(surfaces, ()) | stale_by_channel(connection)
        seconds = {slug: max((now - row.since for row in rows), default=timedelta(0)) for slug, rows in screens.items()}
        return {
            named.STALE: _by_name(none | {slug: row.stale for slug, row in counts.items()}),
            named.UNCORRECTED: _by_name(none | {slug: row.uncorrected for slug, row in counts.items()}),
            named.STALE_SCREENS: _by_name({slug: len(rows) for slug, rows in screens.items()}),
            named.STALE_SCREEN_SECONDS: _by_name({slug: longest.total_seconds() for slug, longest in seconds.items()}),
        }

    def _kept_states(self, connection: Connection) -> Values:
        if self._states is None or time.monotonic() - self._states[0] > STATES_KEPT_SECONDS:
            self._states = time.monotonic(), _by_name(gauges.states(connection))
        return self._states[1]

    def _of_tallies(self, connection: Connection) -> dict[Metric, Values]:
        """The running sums, beginning with 0 for what the site has: a rise from nothing is seen as a rise."""
        found: dict[Metric, dict[tuple[str, ...], float]] = {
            named.OUTCOMES: self._zeros(progress.OUTCOMES),
            named.RECEIPTS: self._zeros(tuple(ReceiptStatus)),
            named.PACING_WAITS: dict.fromkeys(self._names(), 0.0),
            named.PACING_SECONDS: dict.fromkeys(self._names(), 0.0),
            named.LATENCY: {(channel, bucket): 0.0 for channel in self._providers for bucket in LABELS},
        }
        for (name, label), value in tallies.read(connection).items():
            if name in _TALLIED:
                found[_TALLIED[name]][tuple(label.split("|"))] = value
            elif name == latency.SECONDS:
                found[named.LATENCY][label, named.SUM] = value
        return dict(found)

    def _zeros(self, last: tuple[str, ...]) -> dict[tuple[str, ...], float]:
        return {(*key, str(word)): 0.0 for key in self._names() for word in last}

    def _names(self) -> list[tuple[str, ...]]:
        return [(channel, name) for channel, of_channel in self._providers.items() for name in of_channel]

    def _circuits(self) -> Values:
        if self._gate is None:
            return {}
        states = {key: self._gate.circuit(*key) for key in self._names()}
        return {(*key, str(one)): float(one is state) for key, state in states.items() for one in Circuit}


def _of_work(connection: Connection) -> dict[Metric, Values]:
    doubts: Values = {(row.channel, row.provider): row.number for row in progress.in_doubt(connection)}
    held = gauges.held(connection).items()
    pools = {pool or PEOPLE: number for pool, number in gauges.audience(connection).items()}
    return {
        named.BATCHES: _by_name(progress.conditions(connection, clock.now())),
        named.ATTEMPTS: {(): progress.most_attempts(connection)},
        named.IN_DOUBT: doubts,
        named.HOLDS: {(scope, "halted" if halted else "paused"): number for (scope, halted), number in held},
        named.RECEIPTS_WAITING: {
            ("merge",): gauges.receipts_unmerged(connection),
            ("delivery",): gauges.receipts_without_delivery(connection),
        },
        named.SUPPRESSED: {(): gauges.suppressed(connection)},
        named.AUDIENCE: _by_name(pools),
    }


def _by_name(numbers: Mapping[str, float]) -> Values:
    """The values of a metric with one label."""
    return {(name,): number for name, number in numbers.items()}


def _of_broker(url: str | None) -> dict[Metric, Values]:
    """Whether the broker answers, and how many messages wait; nothing is said of a broker that nobody named."""
    if not url:
        return {}
    limits = {"socket_connect_timeout": BROKER_SECONDS, "socket_timeout": BROKER_SECONDS, "max_retries": 0}
    try:
        with Broker(url, connect_timeout=BROKER_SECONDS, transport_options=limits) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
            depths = _by_name({queue: _depth(broker, queue) for queue in QUEUES})
    except Exception as error:  # each transport has errors of its own
        log.warning("broker_away", why=type(error).__name__)
        return {named.BROKER_UP: {(): 0.0}}
    return {named.BROKER_UP: {(): 1.0}, named.QUEUE: depths}


def _depth(broker: Broker, queue: str) -> float:
    channel: Any = broker.default_channel
    try:
        return float(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:
        return 0.0


def _gate(parts: App, providers: Mapping[str, Mapping[str, Provider]]) -> Gate | None:
    """For its circuits; None where there is no Redis."""
    try:
        return Gate(parts.settings.redis_url, providers)
    except InputError:
        return None
