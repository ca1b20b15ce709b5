"""The stand-in of each channel, found by its slug: `channels/<slug>/simulator.py`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.simulation import Reception

Receive = Callable[[dict[str, Any]], Reception]


def simulators() -> dict[str, Receive]:
    """Channel slug → how its stand-in reads a payload."""
    return {slug: cast("Receive", import_module(f"broadcaster.channels.{slug}.simulator").receive) for slug in CHANNELS}
