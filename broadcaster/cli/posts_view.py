"""How `status` shows posts: those whose facts are superseded and that are still out, and those that may not be out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.text import Text

from broadcaster.channels.base import Action
from broadcaster.cli.screen import minute

_LOUD = "bold black on yellow"
_SEEN_TO = frozenset({Action.DELETED, Action.LINKED})
_NAMED = 3
"""Posts of an account that a line names."""


def lines(posts: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    """A loud line on each account that still has out what is no longer true; a line on each post that waits."""
    left = [row for row in posts if row["superseded"] and row["action"] not in _SEEN_TO]
    for (channel, account), rows in groupby(sorted(left, key=_account), key=_account):
        found = list(rows)
        words = ", ".join(_post(row) for row in found[:_NAMED])
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        yield Text(f" {channel}: {account} still has out what is superseded: {words}{more} ", style=_LOUD)
    yield from (_waiting(row, row["waits_for"]) for row in posts if row.get("waits_for"))


def _waiting(row: Mapping[str, Any], wait: Mapping[str, Any]) -> Text:
    """Quiet while there is time; loud when nobody said that it is out although there is none left."""
    words = f"{row['channel']}: {row['account']} has not said that {row['phase']} of revision {row['revision']} is out"
    if wait["overdue"]:
        return Text(f" {words}; that was to be known by {minute(wait['until'])}: {wait['by']} ", style=_LOUD)
    return Text(f" {words}: {wait['by']}, until {minute(wait['until'])} ")


def _account(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["channel"], row["account"]


def _post(row: Mapping[str, Any]) -> str:
    why = f"left: {row['reason'] or 'no reason was given'}" if row["action"] else "no successor yet"
    return f"{row['phase']} of revision {row['revision']} ({why})"
