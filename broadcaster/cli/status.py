"""`status`: how every announcement stands, or every broadcast of one; once, or until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from rich.console import RenderableType
from rich.live import Live

from broadcaster import clock
from broadcaster.cli import status_view as view
from broadcaster.cli.screen import console, print_json
from broadcaster.cli.session import session
from broadcaster.delivery.gate import Gate
from broadcaster.delivery.rounds import TICK
from broadcaster.operations.revise import required
from broadcaster.reporting.overview import overview
from broadcaster.reporting.rate import Rates
from broadcaster.reporting.report import standing
from broadcaster.reporting.waiting import confirmations, with_waits
from broadcaster.storage import heartbeats
from broadcaster.wiring import App

LOOK_EVERY = 1.0
"""Seconds between two looks of `--watch`."""

Look = Callable[[], dict[str, Any]]


def status(slug: str | None, *, watch: bool, as_json: bool) -> None:
    """Print the table, once or until Ctrl-C."""
    with session() as parts:
        gate = Gate(parts.settings.redis_url, {})

        def look() -> dict[str, Any]:
            return _read(parts, gate, slug)

        data = look()
        if as_json:
            print_json(data)
        elif watch:
            _watch(look, data)
        else:
            console.print(_drawn(data))


def _watch(look: Look, data: dict[str, Any]) -> None:
    """Draw it again and again in one place; where that is no terminal, one below the other."""
    rates = Rates()
    with Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext() as live:
        while True:
            rates.look(time.monotonic(), {row["id"]: row["accounted"] for row in data.get("broadcasts", ())})
            shown = _drawn(data, rates)
            if live:
                live.update(shown, refresh=True)
            else:
                console.print(shown)
            time.sleep(LOOK_EVERY)
            data = look()


def _read(parts: App, gate: Gate, slug: str | None) -> dict[str, Any]:
    now = clock.now()
    with parts.database.begin() as connection:
        if slug:
            required(connection, slug, lock=False)
        found = standing(connection, slug, now) if slug else overview(connection, now)
        age = heartbeats.age(connection, TICK)
    if "posts" in found:
        found["posts"] = with_waits(found["posts"], confirmations(parts.site), now)
    operators = list(parts.operators)
    return {**found, "circuits": _circuits(parts, gate), "operators": operators, "seconds_since_tick": age}


def _circuits(parts: App, gate: Gate) -> list[dict[str, str]]:
    """The state of each provider's circuit breaker."""
    names = [(slug, config.name) for slug in parts.channels for config in parts.site.providers(slug)]
    return [{"channel": slug, "provider": name, "state": str(gate.circuit(slug, name))} for slug, name in names]


def _drawn(data: dict[str, Any], rates: Rates | None = None) -> RenderableType:
    if "announcements" in data:
        return view.of_all(data)
    return view.of_one(data) if rates is None else view.of_one_live(data, rates, console.width, console.height)
