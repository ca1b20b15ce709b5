"""A run: one claim of a batch, with all that stays the same while it is carried, and the calls it consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from broadcaster.channels.base import Call, Channel
from broadcaster.channels.provider import Provider
from broadcaster.delivery.messages import Edition
from broadcaster.storage.recipients import Scope


@dataclass(frozen=True, slots=True)
class Run:
    """A claimed batch; `providers` are the channel's, by name, `document` is where its surface document is served."""

    batch: Row[Any]
    channel: Channel
    scope: Scope
    edition: Edition
    providers: Mapping[str, Provider]
    document: str


@dataclass(frozen=True, slots=True)
class Step:
    """A call to make. In doubt when it was written down before and may have been seen; `age` is how long ago."""

    call: Call
    provider: Provider
    doubt: bool = False
    age: timedelta = timedelta(0)
