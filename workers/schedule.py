"""What beat asks for, and how often (seconds). An answer that comes too late is not wanted: each message expires."""

from __future__ import annotations

from typing import Any

from celery import Celery

TICK = 1.0
SWEEP = 5.0
ASK = 5.0
REPLAN = 60.0
CORRECT = 5.0
READ_BACK = 2.0

_TICK_TASK = "control.tick"


def _every(seconds: float, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, 2.0)}}


def ask_for_tick(app: Celery) -> None:
    """Have a tick between two others, when there is something to do for it."""
    app.send_task(_TICK_TASK, expires=TICK)


SCHEDULE = {
    "tick": _every(TICK, _TICK_TASK),
    "merge-receipts": _every(TICK, "control.merge_receipts"),
    "sweep": _every(SWEEP, "control.sweep"),
    "ask": _every(ASK, "control.ask"),
    "replan": _every(REPLAN, "control.replan"),
    "correct": _every(CORRECT, "correction.correct"),
    "read-back": _every(READ_BACK, "control.read_back"),
}
