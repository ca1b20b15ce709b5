"""What followers would see of a call in our own format, and whom the stand-in refuses or cannot reach."""

from __future__ import annotations

from typing import Any

from broadcaster.channels.simulation import REFUSED_ENDING, UNREACHABLE_ENDING, Exhibit, Reception


def receive(data: dict[str, Any]) -> Reception:
    """Read the payload of `followers.send`."""
    refused = {row["id"]: "does not follow the account" for row in data["to"] if row["openid"].endswith(REFUSED_ENDING)}
    told = [row for row in data["to"] if row["id"] not in refused]
    exhibits = (
        Exhibit(row["id"], row["openid"], row["language"], {"text": data["texts"][row["language"]]}) for row in told
    )
    failing = frozenset(row["id"] for row in told if row["openid"].endswith(UNREACHABLE_ENDING))
    return Reception(tuple(exhibits), refused, failing)
