"""Faults on order: the sandbox misbehaves as told, a given number of times."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    """How a call goes wrong."""

    SLOW = "slow"
    """Answered after `seconds`."""
    STATUS = "status"
    """Answered with `status`, not accepted; with `retry_after` when given."""
    DROP_BEFORE = "drop_before"
    """The connection breaks, and the call was not accepted."""
    DROP_AFTER = "drop_after"
    """The connection breaks, and the call was accepted."""


class Fault(BaseModel):
    """An order: this kind of fault, for the next `times` calls of a channel."""

    model_config = ConfigDict(extra="forbid")
    channel: str
    kind: FaultKind
    times: Annotated[int, Field(ge=1, le=100_000)] = 1
    status: Annotated[int, Field(ge=400, le=599)] = 503
    retry_after: Annotated[int, Field(ge=0, le=60)] | None = None
    seconds: Annotated[float, Field(ge=0, le=60)] = 1.0


class FaultBook:
    """The orders that stand."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._lock = threading.Lock()

    def order(self, fault: Fault) -> None:
        """Add an order."""
        with self._lock:
            self._orders.append(fault)

    def next_for(self, channel: str) -> Fault | None:
        """The fault of this call, used up by asking; None when it goes well."""
        with self._lock:
            for number, fault in enumerate(self._orders):
                if fault.channel == channel:
                    if fault.times == 1:
                        del self._orders[number]
                    else:
                        self._orders[number] = fault.model_copy(update={"times": fault.times - 1})
                    return fault
        return None
