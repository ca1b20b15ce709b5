"""How `status` says who holds something untrue: loudly where somebody must act, in a quiet word where nobody does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from broadcaster.reporting.staleness import COUNTED_AGAIN, LEFT_OUT, NO_CORRECTION, UNDER_WAY
from broadcaster.reporting.words import span

Row = Mapping[str, Any]

_LOUD, _WARNING, _PLAIN = "bold white on red", "bold black on yellow", "bold"


def stale_lines(rows: Sequence[Row], now: datetime) -> Iterator[Text]:
    """A line for each channel on which somebody is stale; one quiet word when all who were stale are corrected.

    `now` is machine time, as `counted_at` is. Nothing where nothing that was told ever became untrue.
    """
    stale = [row for row in rows if row["stale"]]
    if rows and not stale:
        yield Text(f"nobody holds anything untrue · {_counted(rows, now)}", style="dim")
    for row in sorted(stale, key=lambda row: -row["stale"]):
        verb = "HOLDS" if row["stale"] == 1 else "HOLD"
        line = Text(f" {row['stale']:,} {verb} SOMETHING UNTRUE on {row['channel']} ", style=style(row))
        yield line.append(f" {_why(row)} · {_counted([row], now)}", style="not bold default on default")


def stale_cell(number: int | None) -> str:
    """How many are stale, with a mark when anybody is; empty where nothing that was told ever became untrue."""
    if number is None:
        return ""
    return f"{number:,} !" if number else "0"


def style(row: Row) -> str:
    """Red where nothing will correct them, yellow where they wait or were missed; plain where no more can be done."""
    if NO_CORRECTION in row["why"]:
        return _LOUD
    calm = all(words in {UNDER_WAY, COUNTED_AGAIN} or words.startswith(LEFT_OUT) for words in row["why"])
    return _PLAIN if calm else _WARNING


def _why(row: Row) -> str:
    """The reasons, the most frequent first; a single one needs no number."""
    reasons = sorted(row["why"].items(), key=lambda pair: -pair[1])
    if len(reasons) == 1:
        return str(reasons[0][0])
    return ", ".join(f"{number:,} {words}" for words, number in reasons)


def _counted(rows: Sequence[Row], now: datetime) -> str:
    """How old the oldest of the counts is."""
    oldest = min(datetime.fromisoformat(row["counted_at"]) for row in rows)
    return f"counted {span(max(0, round((now - oldest).total_seconds())))} ago"
