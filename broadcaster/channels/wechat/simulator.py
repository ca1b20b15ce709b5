"""What an official account's followers would see of a post."""

from __future__ import annotations

from typing import Any

from broadcaster.channels.simulation import Exhibit, Reception


def receive(data: dict[str, Any]) -> Reception:
    """Read the payload of `wechat.post`."""
    row = data["to"][0]
    return Reception((Exhibit(row["id"], data["account"], row["language"], dict(data["article"]), posted=True),))
