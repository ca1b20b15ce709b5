"""What a partner's system would show of an event."""

from __future__ import annotations

from typing import Any

from broadcaster.channels.simulation import Exhibit, Reception


def receive(data: dict[str, Any]) -> Reception:
    """Read the data of an outage's event."""
    row = data["to"][0]
    text = data["texts"][row["language"]]
    return Reception((Exhibit(row["id"], row["endpoint"], row["language"], {"text": text}, posted=True),))
