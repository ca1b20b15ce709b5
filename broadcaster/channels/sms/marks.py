"""Our mark on a request to a vendor, which it repeats: the broadcast and the call's key."""

from __future__ import annotations

LONGEST = 255


def mark(broadcast: str, key: str) -> str:
    """Our mark."""
    return f"{broadcast}.{key}"


def broadcast_of(found: str) -> str | None:
    """The broadcast in a mark; None when it is none of ours."""
    broadcast, _, key = found.partition(".")
    return broadcast if broadcast and key and len(found) <= LONGEST and "\0" not in found else None
