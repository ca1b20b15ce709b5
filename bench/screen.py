"""The results on the terminal, ratios first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.targets import judged
from broadcaster.cli.screen import console, table


def say(what: str) -> None:
    """Tell what is being measured now."""
    console.print(what, style="dim")


def show(data: Mapping[str, Any]) -> None:
    """Targets with what was reached, then the arms and the sizes."""
    targets = table(None, ["", "figure", "reached", "target"], ["reached", "target"])
    for target, value in judged(data):
        sign = "≥" if target.at_least else "≤"
        mark = "ok" if target.met(value) else "MISSED"
        targets.add_row(mark, target.name, f"{value:,.3f}", f"{sign} {target.bound:,g}")
    console.print(targets)
    arms = table(None, ["arm", "recipients/s", "recipients", "cpu ms per 1,000"], ["recipients/s", "recipients"])
    for name, arm in data["arms"].items():
        cpu = ", ".join(f"{part} {value:g}" for part, value in arm.get("cpu_ms_per_1000", {}).items())
        arms.add_row(name, f"{arm['recipients_per_s']:,.0f}", f"{arm['recipients']:,}", cpu)
    console.print(arms)
    sizes = table(None, ["growth", "recipients/s", "sending", "peak MB"], ["growth", "recipients/s", "sending"])
    for row in data["growth"]:
        rates = f"{row['recipients_per_s']:,.0f}", f"{row['sending_per_s']:,.0f}"
        sizes.add_row(f"{row['recipients']:,}", *rates, f"{row['peak_rss_mb']:,.0f}")
    console.print(sizes)
    adapters = table(None, ["adapter", "messages/s", "bare loop", "ratio"], ["messages/s", "bare loop", "ratio"])
    for row in data["adapters"]:
        rates = f"{row['messages_per_s']:,.0f}", f"{row['bare_messages_per_s']:,.0f}"
        adapters.add_row(f"{row['channel']} {row['supplier']}", *rates, f"{row['ratio']:.2f}")
    console.print(adapters)
    parts = table(None, ["a delivery process, for 1,000 recipients", "wall ms", "cpu ms"], ["wall ms", "cpu ms"])
    for part, row in data["profile"].items():
        parts.add_row(part, f"{row['wall_ms']:.2f}", f"{row['cpu_ms']:.2f}")
    console.print(parts)
