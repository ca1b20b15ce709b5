"""Adapters of channels, for tests that reach for one or put another in its place."""

from __future__ import annotations

from dataclasses import replace

from broadcaster.channels.base import Adapter, Channel
from broadcaster.channels.supplier import WEBHOOK


def adapter_of(channel: Channel) -> Adapter:
    """The adapter of our own format."""
    return channel.suppliers[WEBHOOK].adapter


def with_adapter(channel: Channel, adapter: Adapter) -> Channel:
    """The channel, with another adapter for our own format."""
    supplier = replace(channel.suppliers[WEBHOOK], adapter=adapter)
    return replace(channel, suppliers={**channel.suppliers, WEBHOOK: supplier})
