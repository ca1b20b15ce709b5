"""What a phone would show of an SMS call, and which numbers the stand-in provider refuses or cannot reach."""

from __future__ import annotations

from typing import Any

from broadcaster.channels.simulation import REFUSED_ENDING, UNREACHABLE_ENDING, Exhibit, Reception


def receive(data: dict[str, Any]) -> Reception:
    """Read the payload of `sms.send`."""
    exhibits, rejected, failing = [], {}, set()
    for row in data["to"]:
        if row["phone"].endswith(REFUSED_ENDING):
            rejected[row["id"]] = "number not in service"
            continue
        if row["phone"].endswith(UNREACHABLE_ENDING):
            failing.add(row["id"])
        text = row.get("text") or data["texts"][row["language"]]
        exhibits.append(Exhibit(row["id"], row["phone"], row["language"], {"text": text}))
    return Reception(tuple(exhibits), rejected, frozenset(failing))
