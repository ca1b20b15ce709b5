"""What a change costs when everybody was told: planning it at the command line, and correcting all of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import announcements
from bench.cost import cpu_seconds
from bench.memory import Watch
from bench.ours import ACTOR, CLOSED, Product, Setup, running
from bench.patience import await_progress
from broadcaster import clock
from broadcaster.errors import StateError
from broadcaster.operations import amending
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.settings import Settings
from broadcaster.stack import environment
from broadcaster.storage import broadcasts

LONGEST = 600.0
"""Seconds that a plan may take before it counts as hanging."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One size. The plan is that of the command line, from start to end; correcting is from opened to closed.

    `row_plan_seconds` is the plan of a change that is news for some of those who were told: each is looked up.
    """

    recipients: int
    row_plan_seconds: float
    plan_seconds: float
    plan_peak_mb: float
    correcting_per_s: float
    cpu_ms_per_1000: Mapping[str, float]
    """Of correcting: part → milliseconds of a core that a thousand recipients take."""


def measure(settings: Settings, slug: str, recipients: int) -> Changed:
    """Move the end of an announcement that everybody in the database was told of."""
    of_row, _, stale = _plan(settings, announcements.for_some(slug))
    if not 0 < stale < recipients:
        raise StateError(f"a row that is for some now would correct {stale} of {recipients}")
    seconds, peak, stale = _plan(settings, announcements.later(slug))
    if stale != recipients:
        raise StateError(f"the plan would correct {stale} of {recipients}")
    with running(settings, Setup()) as product:
        before = cpu_seconds(settings.data)
        rate = _correct(product, slug, recipients)
        spent = {part: after - before.get(part, 0.0) for part, after in cpu_seconds(settings.data).items()}
    cost = {part: round(spent_by * 1e6 / recipients, 2) for part, spent_by in spent.items()}
    return Changed(recipients, round(of_row, 2), round(seconds, 2), round(peak, 1), round(rate, 1), cost)


def _plan(settings: Settings, wanted: Proposal) -> tuple[float, float, int]:
    """Seconds, megabytes, and how many would be corrected by SMS."""
    file = settings.data / "wanted.yaml"
    file.write_text(wanted.to_yaml(), encoding="utf-8")
    program = str(Path(sys.executable).with_name("broadcaster"))
    command = [program, "plan", str(file), "--json"]
    started = time.monotonic()
    with Watch(str(settings.data.resolve())) as watch:
        found = subprocess.run(
            command, env=environment(settings), capture_output=True, text=True, timeout=LONGEST, check=False
        )
    seconds = time.monotonic() - started
    if found.returncode:
        raise StateError(f"the plan went wrong: {found.stderr}")
    stale = {row["channel"]: row["stale"] for row in json.loads(found.stdout)["corrections"]}
    return seconds, watch.peak_sum_mb, int(stale.get("sms", 0))


def _correct(product: Product, slug: str, recipients: int) -> float:
    with product.parts.database.begin() as connection:
        standing, _ = amending.approved_proposal(connection, slug)
        wanted, base = announcements.later(slug), standing.approved_revision
        amending.amend(connection, wanted, base, "", ACTOR, clock.now(), product.parts.reach)

    def closed() -> bool:
        with product.parts.database.begin() as connection:
            rows = [row for row in broadcasts.rows_of(connection, slug) if row.phase == Phase.CHANGED]
        return bool(rows) and rows[0].state == CLOSED

    await_progress(closed, product.sink.recipients, "the end of the correction")
    with product.parts.database.begin() as connection:
        [row] = [row for row in broadcasts.rows_of(connection, slug) if row.phase == Phase.CHANGED]
    if row.accepted != recipients:
        raise StateError(f"{row.accepted} of {recipients} were corrected")
    return recipients / float((row.closed_at - row.opened_at).total_seconds())
