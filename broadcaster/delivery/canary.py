"""The canary: a large broadcast sends its first part, and goes on only when that went well. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from broadcaster.site import CanaryConfig


class Stage(StrEnum):
    """Where a broadcast is: it has no canary, waits for what became of it, or goes on."""

    NONE = ""
    SENDING = "sending"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Canary:
    """The rule of a site."""

    rule: CanaryConfig

    def begin(self, recipients: int) -> dict[str, str]:
        """The stage with which a broadcast of this size opens."""
        return {"canary": Stage.SENDING if recipients > self.rule.above else Stage.NONE}

    def size(self, recipients: int) -> int:
        """How many recipients the canary of a broadcast has; batches are not divided, so it may be somewhat more."""
        return max(1, math.ceil(recipients * self.rule.share))

    def verdict(self, told: int, failed: int) -> str | None:
        """Why a broadcast must halt after `told` recipients of whom `failed`; None when it may go on."""
        share = failed / told if told else 0.0
        if share <= self.rule.failures:
            return None
        figures = f"({share:.0%}, allowed {self.rule.failures:.0%})"
        return f"canary: {failed:,} of the first {told:,} recipients failed {figures}"
