"""Faults on purpose: real campaigns that are struck while they run; and that the driver would see it if we failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from broadcaster.channels.base import Idempotency
from tests.chaos.campaign import play
from tests.chaos.grounds import grounds
from tests.chaos.stage import Wish
from tests.chaos.strikes import Strike, freeze_worker_until_its_work_is_taken
from tests.support.cli import LONGEST
from tests.support.examples import ROOT
from tests.support.polling import eventually
from tests.support.processes import working_on

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]

KILLS = 5
SEED = os.environ.get("CHAOS_SEED", "20220226")
FREEZE = Strike("freeze_worker", freeze_worker_until_its_work_is_taken)
"""In the middle of its first batches."""


def test_whatever_goes_wrong_nobody_is_lost_and_nobody_is_told_twice(data: Path) -> None:
    """Five kills and one of every other fault, with providers of all three classes at once; no process stays."""
    variables = {**os.environ, "CHAOS_KILLS": str(KILLS), "CHAOS_SEED": SEED}
    command = [sys.executable, "-m", "tests.chaos", str(data)]
    ran = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads((data / "report.json").read_text(encoding="utf-8"))
    assert (report["kills"], report["lost"], report["duplicated"], report["broken"]) == (KILLS, 0, 0, [])
    assert {kind for row in report["rows"] for kind in row["classes"]} == set(Idempotency)
    assert {"restart_postgres", "kill_redis", "two_beats", "kill_beat", "freeze_caller"} <= report["faults"].keys()
    assert f"CHAOS_SEED={SEED}" in ran.stdout
    eventually(lambda: not any(working_on(folder) for folder in (data, *data.glob("campaign-*"))), "no process is left")


def test_a_worker_without_its_fence_is_found_out(data: Path) -> None:
    """With the check of the lease taken away, a worker that was frozen goes on with its batch: people read it twice.

    Not where the provider dedupes: there both workers make the same calls, which are written down already.
    """
    wish = Wish(
        classes=(Idempotency.NONE,),
        people=8000,
        strikes=(FREEZE,),
        seed=3,
        seconds=150.0,
        last_strike=0.1,
        until_somebody_is_told_twice=True,
        module="tests.chaos.launcher",
    )
    with grounds(data) as found:
        outcome = play(data / "campaign", found, wish, lambda _: None)
    assert outcome.verdict.duplicated > 0
    assert any("saw it twice" in text for text in outcome.verdict.broken)
