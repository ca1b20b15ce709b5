"""The stand-ins, found by their names.

`channels/<slug>/simulator.py` reads a channel's payload in our own format; `channels/<slug>/<supplier>/simulator.py`
stands in for a supplier with a format of its own. A supplier that is called as its channel is shares the channel's
folder: the channel then has no format of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.simulation import Reception, Simulator, Stage
from broadcaster.channels.supplier import WEBHOOK

Receive = Callable[[dict[str, Any]], Reception]
Create = Callable[[Stage], Simulator]


def simulators() -> dict[str, Receive]:
    """Channel slug → how its stand-in reads a payload, for the channels that speak our own format."""
    ours = [slug for slug, channel in CHANNELS.items() if WEBHOOK in channel.suppliers]
    return {slug: cast("Receive", import_module(f"broadcaster.channels.{slug}.simulator").receive) for slug in ours}


def stand_in(slug: str, supplier: str) -> Create:
    """How the stand-in of a supplier with a format of its own is made."""
    folder = slug if supplier == slug else f"{slug}.{supplier}"
    return cast("Create", import_module(f"broadcaster.channels.{folder}.simulator").create)
