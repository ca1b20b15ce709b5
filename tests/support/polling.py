"""Waiting for a condition instead of for a time."""

from __future__ import annotations

from collections.abc import Callable

from broadcaster.embedded.processes import wait_until

PATIENCE = 120.0
"""Seconds until a condition counts as never coming true: a loaded machine is slow, not wrong."""


def eventually(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait until `condition` holds; fails with `what` when it never does."""
    assert wait_until(condition, seconds), f"never came true: {what}"
