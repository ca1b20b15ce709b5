"""How `status` shows surfaces: screens that lack the newest change, and what was read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from broadcaster.cli.screen import minute
from broadcaster.storage.readbacks import Result

_LOUD = "bold black on yellow"
_NAMED = 8
"""Screens that a line names; of more it says how many they are."""


def lines(surfaces: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    """A line on each surface that is well, and a loud one on each thing that is not."""
    for row in surfaces:
        stale = [screen for screen in row["screens"] if screen["stale_since"]]
        looked = [screen for screen in stale if screen["fetched_at"]]
        silent = [screen for screen in stale if not screen["fetched_at"]]
        wrong = [one for one in row["read"] if one["result"] not in ("", Result.CONFIRMED)]
        yield Text(f"{row['channel']}: {_summary(row, stale)}", style="dim")
        if looked:
            words = f" {row['channel']}: {_names(looked)} not seen the change of {minute(looked[0]['stale_since'])} "
            yield Text(words, style=_LOUD)
        if silent:
            words = f" {row['channel']}: {_names(silent)} never said who {_they_are(silent)} (`?screen=`) "
            yield Text(words, style=_LOUD)
        yield from (Text(f" {row['channel']}: {_reading(one)} ", style=_LOUD) for one in wrong)


def of_stale(rows: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    """A loud line on each surface with screens that lack a change of any announcement."""
    for row in rows:
        names = row["names"][:_NAMED]
        more = len(row["names"]) - len(names)
        words = f"{', '.join(names)}{f' and {more} more' if more else ''}"
        yield Text(f" {row['channel']}: not seen the newest change since {minute(row['since'])}: {words} ", style=_LOUD)


def _summary(row: Mapping[str, Any], stale: Sequence[object]) -> str:
    fresh = len(row["screens"]) - len(stale)
    confirmed = [one for one in row["read"] if one["result"] == Result.CONFIRMED]
    waiting = [one for one in row["read"] if not one["result"]]
    words = [f"{fresh} of {len(row['screens'])} screens have the newest change"]
    words += [f"{_name(one)} confirmed {minute(one['at'])}" for one in confirmed]
    words += [f"{_name(one)} not read back yet" for one in waiting]
    return ", ".join(words)


def _reading(one: Mapping[str, Any]) -> str:
    return f"{_name(one)} {one['result']}: {'; '.join(one['differences'])} ({minute(one['at'])})"


def _name(one: Mapping[str, Any]) -> str:
    return one["endpoint"] or "the public address"


def _names(screens: Sequence[Mapping[str, Any]]) -> str:
    names = [_since(screen) for screen in screens[:_NAMED]]
    more = len(screens) - len(names)
    have = "has" if len(screens) == 1 else "have"
    return f"{', '.join(names)}{f' and {more} more' if more else ''} {have}"


def _they_are(screens: Sequence[object]) -> str:
    return "it is" if len(screens) == 1 else "they are"


def _since(screen: Mapping[str, Any]) -> str:
    looked = screen["fetched_at"]
    return f"{screen['name']} (looked {minute(looked)})" if looked else str(screen["name"])
