"""`python -m bench` leaves the document that `docs/performance.md` explains, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.results import RATIOS
from tests.support.examples import ROOT
from tests.support.processes import working_on

RECIPIENTS = 1_000
LONGEST = 500.0
"""Seconds; a loaded machine is slow, not wrong."""

pytestmark = pytest.mark.timeout(LONGEST + 60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a small run wrote its results."""
    found = tmp_path_factory.mktemp("bench")
    command = [sys.executable, "-m", "bench", "--recipients", str(RECIPIENTS), "--repeats", "1", "--folder", str(found)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert ran.returncode == 0, ran.stderr
    return found


@pytest.fixture
def results(folder: Path) -> dict[str, Any]:
    """The document."""
    found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return found


def test_every_arm_has_a_rate(results: dict[str, Any]) -> None:
    """Five ways of sending, in recipients a second, and the ratios between them."""
    arms = results["arms"]
    assert set(arms) == {"per_recipient", "floor", "personalised", "same_text", "receipts_on"}
    assert all(arm["recipients_per_s"] > 0 for arm in arms.values())
    for name, (above, below) in RATIOS.items():
        wanted = arms[above]["recipients_per_s"] / arms[below]["recipients_per_s"]
        assert results["ratios"][name] == pytest.approx(wanted, rel=0.01, abs=0.002)


def test_growth_has_a_rate_and_memory_for_each_size(results: dict[str, Any]) -> None:
    """Every size that was asked for; a small run has one."""
    assert [row["recipients"] for row in results["growth"]] == [RECIPIENTS]
    assert all(row["recipients_per_s"] > 0 and row["peak_rss_mb"] > 0 for row in results["growth"])


def test_the_other_figures_are_there(results: dict[str, Any]) -> None:
    """Schedule, import, receipts and pacing."""
    assert results["schedule"]["rows"] == RECIPIENTS
    assert results["schedule"]["idle_tick_ms"] > 0
    assert results["schedule"]["lateness_p99_s"] > 0
    assert results["import"]["rows"] == RECIPIENTS
    assert results["import"]["seconds"] > 0
    assert results["import"]["peak_rss_mb"] > 0
    assert results["receipts_per_s"] > 0
    assert "transactions" in results["profile"]
    assert results["pacing_overshoot"] >= 0
    assert results["late"]["changes"] == 1


def test_every_adapter_has_a_rate_beside_the_bare_loop(results: dict[str, Any]) -> None:
    """Each on its own format."""
    rows = {(row["channel"], row["supplier"]): row for row in results["adapters"]}
    assert {
        ("sms", "aliyun"),
        ("sms", "tencent"),
        ("sms", "kannel"),
        ("wechat", "publish"),
        ("followers", "official"),
        ("webhook", "webhook"),
    } < set(rows)
    assert all(row["messages_per_s"] > 0 and row["bare_messages_per_s"] > 0 for row in rows.values())


def test_nothing_is_left_behind(folder: Path) -> None:
    """No process, no database, no file but the document."""
    assert [path.name for path in folder.iterdir()] == ["results.json"]
    assert working_on(folder / "ground") == {}
