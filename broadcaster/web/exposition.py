"""The metrics by name: what each means, and how readings become what Prometheus reads. `docs/metrics.md` lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family

from broadcaster.planning.lateness import LABELS


class Kind(StrEnum):
    """What Prometheus may do with a metric."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: labels name channels, providers and states, never people."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str


Values = Mapping[tuple[str, ...], float]
"""The values of a metric's labels, in their order → its value. A histogram's last label is the bucket, or `sum`."""
SUM = "sum"

SINCE_TICK = Metric(
    "broadcaster_seconds_since_tick", Kind.GAUGE, (), "Seconds since the scheduler last ran; +Inf when it never did."
)
BROADCASTS = Metric("broadcaster_broadcasts", Kind.GAUGE, ("state",), "Broadcasts, counted twice a minute at most.")
OVERDUE = Metric("broadcaster_broadcasts_overdue", Kind.GAUGE, (), "Broadcasts that are due and not opened.")
OVERDUE_SECONDS = Metric(
    "broadcaster_broadcasts_overdue_seconds", Kind.GAUGE, (), "Since when the first of these is due; 0 without any."
)
BATCHES = Metric("broadcaster_batches", Kind.GAUGE, ("condition",), "Batches that are not done, by what they do.")
ATTEMPTS = Metric(
    "broadcaster_batch_attempts_max", Kind.GAUGE, (), "Failed rounds of the undone batch that has most of them."
)
IN_DOUBT = Metric(
    "broadcaster_in_doubt_recipients", Kind.GAUGE, ("channel", "provider"), "Members of calls without a known answer."
)
HOLDS = Metric("broadcaster_holds", Kind.GAUGE, ("scope", "kind"), "What is paused or halted.")
CIRCUIT = Metric(
    "broadcaster_circuit", Kind.GAUGE, ("channel", "provider", "state"), "1 for the state of a provider's breaker."
)
BROKER_UP = Metric("broadcaster_broker_up", Kind.GAUGE, (), "Whether the broker answers.")
QUEUE = Metric("broadcaster_queue_depth", Kind.GAUGE, ("queue",), "Messages that wait on a queue; none if unknown.")
RECEIPTS_WAITING = Metric(
    "broadcaster_receipts_waiting", Kind.GAUGE, ("waits_for",), "Receipts that are not joined to the ledger yet."
)
SUPPRESSED = Metric("broadcaster_suppressed", Kind.GAUGE, (), "Suppressions; an estimate above 10,000.")
AUDIENCE = Metric("broadcaster_audience_recipients", Kind.GAUGE, ("pool",), "Recipients of a pool's newest version.")
OPERATOR_EVENTS = Metric(
    "broadcaster_operator_events_waiting",
    Kind.GAUGE,
    ("operator",),
    "What an operator was to be told and has not taken.",
)
OPERATOR_SECONDS = Metric(
    "broadcaster_operator_events_waiting_seconds", Kind.GAUGE, (), "Since when the first of these waits; 0 without any."
)
OVERRUN = Metric("broadcaster_announcements_overrun", Kind.GAUGE, (), "Announcements whose planned end has passed.")
STALE = Metric(
    "broadcaster_stale_recipients", Kind.GAUGE, ("channel",), "Recipients who may hold what is no longer true."
)
UNCORRECTED = Metric(
    "broadcaster_uncorrected_recipients",
    Kind.GAUGE,
    ("channel",),
    "Those of them for whom no message with the truth was meant yet.",
)
STALE_SCREENS = Metric(
    "broadcaster_stale_screens", Kind.GAUGE, ("channel",), "Screens that have not fetched the newest change."
)
STALE_SCREEN_SECONDS = Metric(
    "broadcaster_stale_screen_seconds", Kind.GAUGE, ("channel",), "For how long the first of these lacks one; or 0."
)
OUTCOMES = Metric(
    "broadcaster_outcomes_total",
    Kind.COUNTER,
    ("channel", "provider", "outcome"),
    "Recipients, by what became of them.",
)
RECEIPTS = Metric(
    "broadcaster_receipts_total", Kind.COUNTER, ("channel", "provider", "status"), "Receipts joined to the ledger."
)
PACING_WAITS = Metric(
    "broadcaster_pacing_waits_total", Kind.COUNTER, ("channel", "provider"), "How often calls waited for their pace."
)
PACING_SECONDS = Metric(
    "broadcaster_pacing_wait_seconds_total", Kind.COUNTER, ("channel", "provider"), "How long calls waited for it."
)
LATENCY = Metric(
    "broadcaster_due_to_accepted_seconds", Kind.HISTOGRAM, ("channel",), "From due to accepted, for every recipient."
)

METRICS = (
    *(SINCE_TICK, BROADCASTS, OVERDUE, OVERDUE_SECONDS, BATCHES, ATTEMPTS, IN_DOUBT, HOLDS, CIRCUIT, BROKER_UP, QUEUE),
    *(OPERATOR_EVENTS, OPERATOR_SECONDS, OVERRUN, STALE, UNCORRECTED, STALE_SCREENS, STALE_SCREEN_SECONDS),
    *(RECEIPTS_WAITING, SUPPRESSED, AUDIENCE, OUTCOMES, RECEIPTS, PACING_WAITS, PACING_SECONDS, LATENCY),
)


def families(readings: Mapping[Metric, Values]) -> Iterator[Family]:
    """Every metric in the form of Prometheus's client; one without a reading has a name and no value."""
    for metric in METRICS:
        values = readings.get(metric, {})
        yield _histogram(metric, values) if metric.kind is Kind.HISTOGRAM else _plain(metric, values)


def _plain(metric: Metric, values: Values) -> Family:
    family: CounterMetricFamily | GaugeMetricFamily
    if metric.kind is Kind.COUNTER:
        family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    else:
        family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, values: Values) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels in sorted({key[:-1] for key in values}):
        so_far, buckets = 0.0, []
        for label in LABELS:
            so_far += values.get((*labels, label), 0.0)
            buckets.append((label, so_far))
        family.add_metric(labels, buckets, values.get((*labels, SUM), 0.0))
    return family
