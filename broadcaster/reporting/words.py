"""How the report writes numbers, shares and times. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

ABSENT = "–"
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def share_text(part: int, whole: int) -> str:
    """A share in percent that never says all or nothing when it is only nearly so."""
    if not whole:
        return ABSENT
    if part in (0, whole):
        return "100%" if part else "0%"
    percent = 100 * part / whole
    if percent < 0.1:
        return "<0.1%"
    return ">99.9%" if 99.9 < percent < 100 else f"{percent:.1f}%"


def shortened(words: str, room: int) -> str:
    """Words that fit into so many columns, a Chinese character being two wide; `…` at the end of what is cut."""
    if _columns(words) <= room:
        return words
    kept = words
    while kept and _columns(kept) >= room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def _columns(words: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in words)


def compact(number: int) -> str:
    """A number in at most five characters: `9,999`, `12.3k`, `9.88M`."""
    for least, size, unit in ((999_500, 1_000_000, "M"), (10_000, 1_000, "k")):
        if number >= least:
            return f"{number / size:.3g}{unit}"
    return f"{number:,}"


def span(seconds: float) -> str:
    """A length of time in its largest unit, such as `0.5 s`, `2 min` or `1.5 h`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{round(seconds / size, 1):g} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def minutes_text(minutes: float) -> str:
    """Minutes with a decimal while they are few; never none when there was some time."""
    if 0 < minutes < 0.1:
        return "<0.1"
    return f"{minutes:,.1f}" if 0 < minutes < 100 else f"{minutes:,.0f}"


def moment(iso: str) -> str:
    """A local time as it is read: 2022-02-18 10:00, with seconds only where there are some."""
    instant = datetime.fromisoformat(iso)
    return f"{instant:%Y-%m-%d %H:%M:%S}" if instant.second else f"{instant:%Y-%m-%d %H:%M}"


def sent(row: Mapping[str, Any]) -> str:
    """From opened to closed, by the clock; with a date where it is another day than the time before it."""
    day = datetime.fromisoformat(row["due_at"]).date()
    times = []
    for iso in (row["opened_at"], row["closed_at"]):
        instant = datetime.fromisoformat(iso) if iso else None
        if instant is None:
            times.append("")
            continue
        times.append(f"{instant:%H:%M:%S}" if instant.date() == day else f"{instant:%m-%d %H:%M:%S}")
        day = instant.date()
    return ABSENT if times == ["", ""] else f"{times[0]} – {times[1]}".strip()
