"""What the product is held to, and whether a document of results reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """One figure: where it stands in the document, which side of the bound is good, and the bound."""

    name: str
    find: Callable[[Mapping[str, Any]], float | None]
    bound: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether a value is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound


def _at(*path: str) -> Callable[[Mapping[str, Any]], float | None]:
    def find(data: Mapping[str, Any]) -> float | None:
        found: Any = data
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return float(found) if isinstance(found, int | float) else None

    return find


def _growth(data: Mapping[str, Any]) -> float | None:
    """How much longer the largest audience takes a recipient than the fastest of the smaller ones."""
    rates = [row["sending_per_s"] for row in data["growth"]]
    return max(rates[:-1]) / rates[-1] - 1 if len(rates) > 1 else None


def _memory(data: Mapping[str, Any]) -> float | None:
    return max((row["peak_rss_mb"] for row in data["growth"]), default=None)


def _adapters(data: Mapping[str, Any]) -> float | None:
    return min((row["ratio"] for row in data.get("adapters", ())), default=None)


def _of_largest(name: str) -> Callable[[Mapping[str, Any]], float | None]:
    def find(data: Mapping[str, Any]) -> float | None:
        rows = data.get("changes") or [{}]
        found = max(rows, key=lambda row: row.get("recipients", 0)).get(name)
        return None if found is None else float(found)

    return find


def _correcting(data: Mapping[str, Any]) -> float | None:
    """At the largest size, the rate of the correction over that of the plain send."""
    rate = _of_largest("correcting_per_s")(data)
    plain = max(data.get("growth") or [{}], key=lambda row: row.get("recipients", 0)).get("sending_per_s")
    return rate / float(plain) if rate and plain else None


TARGETS = (
    Target("ratios.personalised_vs_per_recipient", _at("ratios", "personalised_vs_per_recipient"), 80, at_least=True),
    Target("ratios.personalised_vs_floor", _at("ratios", "personalised_vs_floor"), 0.7, at_least=True),
    Target("ratios.same_text_vs_personalised", _at("ratios", "same_text_vs_personalised"), 2, at_least=True),
    Target("ratios.receipts_on_vs_floor", _at("ratios", "receipts_on_vs_floor"), 0.4, at_least=True),
    Target("growth: longer for each recipient", _growth, 0.15),
    Target("growth: most memory of one process, MB", _memory, 250),
    Target("changes: planning the largest, seconds", _of_largest("plan_seconds"), 15),
    Target("changes: planning the largest, news for some, seconds", _of_largest("row_plan_seconds"), 15),
    Target("changes: correcting the largest, of the plain rate", _correcting, 0.85, at_least=True),
    Target("changes: planning the largest, MB", _of_largest("plan_peak_mb"), 300),
    Target("schedule.idle_tick_ms", _at("schedule", "idle_tick_ms"), 20),
    Target("schedule.lateness_p99_s", _at("schedule", "lateness_p99_s"), 1.5),
    Target("import.seconds", _at("import", "seconds"), 30),
    Target("import.peak_rss_mb", _at("import", "peak_rss_mb"), 300),
    Target("receipts_per_s", _at("receipts_per_s"), 20_000, at_least=True),
    Target("adapters: the least of the bare loop's rate", _adapters, 0.8, at_least=True),
    Target("late.last_old_call_s", _at("late", "last_old_call_s"), 1.0),
    Target("pacing_overshoot", _at("pacing_overshoot"), 0.01),
)


def judged(data: Mapping[str, Any]) -> Iterator[tuple[Target, float]]:
    """Every target whose figure was measured, with the figure."""
    for target in TARGETS:
        value = target.find(data)
        if value is not None:
            yield target, value
