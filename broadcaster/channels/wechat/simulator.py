"""What an official account's followers would see of a post."""

from __future__ import annotations

from typing import Any

from broadcaster.channels.base import Action, Fate
from broadcaster.channels.simulation import Exhibit, Reception

TAKEN_DOWN_BY = frozenset({"restored", "cancelled"})
"""Phases after which an earlier article is of no use; before, it leads its readers to the newer one."""


def receive(data: dict[str, Any]) -> Reception:
    """Read the payload of `wechat.post`."""
    row = data["to"][0]
    action = Action.DELETED if data["phase"] in TAKEN_DOWN_BY else Action.LINKED
    return Reception(
        (Exhibit(row["id"], data["account"], row["language"], dict(data["article"]), posted=True),),
        replaced=tuple(Fate(post["broadcast"], action) for post in data["replaces"]),
    )
