"""What a transaction before a call came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.delivery.allowance import EVERYBODY, Allowed
from broadcaster.delivery.guard import Verdict
from broadcaster.delivery.run import Step


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction before a call came to: the call as it is durable now, whom a quota held back, and the calls
    that are written down now and not made."""

    verdict: Verdict
    step: Step | None = None
    allowed: Allowed = EVERYBODY
    standing: Sequence[Step] = ()
    too_early: bool = False
    """Whether the batch is to be left, and what is under way must be learned of before."""
