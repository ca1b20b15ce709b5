"""The results as one JSON document; `docs/performance.md` says how to read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.adapters import Adapted
from bench.audience import Imported
from bench.change import Changed
from bench.growth import Grown
from bench.late import Late
from bench.ours import Sent
from bench.pacing import Paced
from bench.profile import Profile
from bench.schedule import Scheduled

RATIOS = {
    "personalised_vs_per_recipient": ("personalised", "per_recipient"),
    "personalised_vs_floor": ("personalised", "floor"),
    "same_text_vs_personalised": ("same_text", "personalised"),
    "receipts_on_vs_floor": ("receipts_on", "floor"),
}
"""Ratio → the arm above and the arm below the line."""
_MILLION = 1_000_000


@dataclass(slots=True)
class Arm:
    """The runs of one arm: recipients a second, and for the product where the processor time went."""

    recipients: int
    runs: list[float] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median."""
        return median(self.runs)

    def data(self) -> dict[str, Any]:
        """Its part of the document."""
        found: dict[str, Any] = {
            "recipients_per_s": round(self.rate, 1),
            "recipients": self.recipients,
            "runs": [round(run, 1) for run in self.runs],
        }
        if self.sent:
            found["cpu_ms_per_1000"] = self.sent[-1].cpu_ms_per_1000
            found["peaks_mb"] = {part: round(size, 1) for part, size in self.sent[-1].peaks_mb.items()}
        return found


@dataclass(slots=True)
class Results:
    """What was measured; what was left out stays empty."""

    machine: Mapping[str, object] = field(default_factory=dict)
    arms: dict[str, Arm] = field(default_factory=dict)
    growth: list[Grown] = field(default_factory=list)
    changes: list[Changed] = field(default_factory=list)
    schedule: Scheduled | None = None
    imports: list[Imported] = field(default_factory=list)
    receipts_per_s: float | None = None
    late: Late | None = None
    adapters: list[Adapted] = field(default_factory=list)
    profile: Profile = field(default_factory=dict)
    pacing: Paced | None = None

    def ratios(self) -> dict[str, float]:
        """Every ratio whose two arms were measured."""
        return {
            name: round(self.arms[above].rate / self.arms[below].rate, 3)
            for name, (above, below) in RATIOS.items()
            if above in self.arms and below in self.arms
        }

    @property
    def imported(self) -> Imported:
        """The largest import of up to a million rows."""
        return max((row for row in self.imports if row.rows <= _MILLION), key=lambda row: row.rows)

    def data(self) -> dict[str, Any]:
        """The document."""
        return {
            "ratios": self.ratios(),
            "arms": {name: arm.data() for name, arm in self.arms.items()},
            "growth": [asdict(row) for row in self.growth],
            "changes": [asdict(row) for row in self.changes],
            "schedule": asdict(self.schedule) if self.schedule else None,
            "import": asdict(self.imported) if self.imports else None,
            "imports": [asdict(row) for row in self.imports],
            "adapters": [asdict(row) for row in self.adapters],
            "late": asdict(self.late) if self.late else None,
            "receipts_per_s": self.receipts_per_s,
            "pacing_overshoot": self.pacing.overshoot if self.pacing else None,
            "pacing": asdict(self.pacing) if self.pacing else None,
            "profile": self.profile,
            "machine": dict(self.machine),
        }

    def write(self, path: Path) -> None:
        """Write the document."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.data(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
