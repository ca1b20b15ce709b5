"""How `status` shows an announcement's times, and what operators were told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.text import Text

from broadcaster.announcement.lifecycle import State
from broadcaster.reporting.asked import in_vain, newest, sentence
from broadcaster.reporting.times import lines

_LOUD = "bold black on yellow"
_UNDER_WAY = frozenset({State.IN_PROGRESS, State.OVERRUN})


def of_one(data: Mapping[str, Any]) -> Iterator[Text]:
    """The planned, revised and actual times of an announcement; who was asked last, and who could not be."""
    for line in lines(data["times"]):
        note = f" · {line['note']}" if line["note"] else ""
        yield Text(f"{line['what']:<8} {line['start']} – {line['end']}{note}", style="dim")
    for row in newest(data["asked"]):
        yield Text(f"{'asked':<8} {sentence(row)}", style="dim")
    if not data["operators"] and data["announcement"]["state"] in _UNDER_WAY:
        yield Text(" nobody is asked whether the planned end holds: the site has no operators ", style=_LOUD)
    yield from of_trouble(data["asked"])


def of_trouble(rows: Iterable[Mapping[str, Any]]) -> Iterator[Text]:
    """What operators could not be told yet, and why."""
    for row in in_vain(rows):
        tried = f"tried {row['attempts']:,} times" if row["attempts"] > 1 else "tried once"
        words = f" NOT TOLD {row['operator']}: {row['type']} of {row['announcement']}: {row['trouble']}; {tried} "
        yield Text(words, style=_LOUD)
