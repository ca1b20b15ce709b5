"""One campaign: a notice to everybody of the example, with everything that goes wrong meanwhile, and its verdict."""

from __future__ import annotations

import subprocess
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from broadcaster import clock
from broadcaster.channels.base import Idempotency
from broadcaster.errors import BroadcasterError
from broadcaster.rehearsal import witness
from broadcaster.reporting.report import accounts
from broadcaster.sandbox.partners import PARTNERS
from broadcaster.storage import batches, broadcasts, receipts
from broadcaster.storage.tables import deliveries
from broadcaster.wiring import App
from tests.chaos.crew import CALLERS
from tests.chaos.grounds import Grounds
from tests.chaos.stage import ALL, Wish, asked, stage
from tests.chaos.strikes import ORDERED, Scene, Strike, carry_out
from tests.chaos.verdict import Evidence, Limits, Verdict, judge
from tests.support.examples import SLUG
from tests.support.launcher import PROGRAM

LOOK_EVERY = 0.1
BETWEEN_STRIKES = 0.3
"""Seconds."""
QUIET_LOOKS = 10
"""How often in a row all must be quiet: a frozen worker that goes on again gets a moment to do its worst."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a campaign."""

    wish: Wish
    verdict: Verdict
    kills: int
    faults: Mapping[str, int]
    repeats: int
    """Calls that came again under a key that had been used: what deduping is for."""
    seconds: float

    @property
    def data(self) -> dict[str, object]:
        """As it stands in the report."""
        return {
            "classes": [str(kind) for kind in self.wish.classes],
            "supplier": self.wish.spoken.name,
            "recipients": self.wish.people,
            "kills": self.kills,
            "seconds": round(self.seconds, 1),
            "seed": self.wish.seed,
            **self.verdict.data,
            "repeats": self.repeats,
            "faults": dict(sorted(self.faults.items())),
        }


def play(folder: Path, grounds: Grounds, wish: Wish, say: Callable[[str], None]) -> Outcome:
    """Play a campaign to its end, or until its time is over; everything that was started for it is ended."""
    started = time.monotonic()
    with stage(folder, grounds, wish, say) as (parts, scene):
        finished = _go_through(parts, scene, wish, started + wish.seconds)
        scene.put_right(everything=True)
        scene.crew.stop()
        scene.done["export_to_a_full_disk"] += 1
        evidence = _evidence(parts, scene, wish, finished=finished)
        faults = {**_struck(scene), **asked(f"{scene.sandbox_url}/faults")}
        repeats = asked(f"{scene.sandbox_url}/api/totals")["repeats"]
    verdict = judge(evidence, Limits(wish.spoken.call, CALLERS, scene.kills))
    return Outcome(wish, verdict, scene.kills, faults, repeats, time.monotonic() - started)


def _struck(scene: Scene) -> Mapping[str, int]:
    """What the driver did itself; what it ordered, the sandbox counts when it is carried out."""
    return {name: number for name, number in scene.done.items() if not name.startswith(ORDERED)}


def _go_through(parts: App, scene: Scene, wish: Wish, deadline: float) -> bool:
    """Strike at random points of the progress, put things right, until all is quiet; False when time is over."""
    points = sorted(scene.chance.uniform(0, wish.last_strike * wish.people) for _ in wish.strikes)
    waiting: deque[tuple[float, Strike]] = deque(zip(points, wish.strikes, strict=True))
    struck_at, quiet = 0.0, 0
    while time.monotonic() < deadline:
        scene.crew.note()
        scene.crew.revive()
        scene.put_right()
        totals = asked(f"{scene.sandbox_url}/api/totals")
        if totals["duplicates"] and wish.until_somebody_is_told_twice:
            return True
        due = waiting and waiting[0][0] <= totals["received"] and time.monotonic() - struck_at > BETWEEN_STRIKES
        if due and carry_out(scene, waiting[0][1]):
            waiting.popleft()
            struck_at = time.monotonic()
        nothing_to_come = not waiting and not scene.later and not totals["waiting"]
        quiet = quiet + 1 if nothing_to_come and _is_quiet(parts) else 0
        if quiet > QUIET_LOOKS:
            return True
        time.sleep(LOOK_EVERY)
    return False


def _is_quiet(parts: App) -> bool:
    """Whether everything that is due is done, and every receipt is joined."""
    now = clock.now()
    try:
        with parts.database.begin() as connection:
            busy = broadcasts.any_due(connection, now) or batches.in_flight(connection, now)
            return not busy and not receipts.unsettled(connection)
    except (BroadcasterError, SQLAlchemyError):
        return False  # Postgres is just being restarted


def _evidence(parts: App, scene: Scene, wish: Wish, *, finished: bool) -> Evidence:
    parts.database.close()  # connections of before a restart
    shown = witness.shown(parts, scene.sandbox_url)
    with parts.database.begin() as connection:
        return Evidence(
            accounts=accounts(connection, SLUG, clock.now()),
            shown=shown,
            unknown=_unknown(connection, wish),
            receipts_missing=_receipts_missing(connection),
            finished=finished,
            full_disk_told=_full_disk_is_told(scene),
        )


def _full_disk_is_told(scene: Scene) -> bool:
    """Whether an export that finds no room says so, without a traceback."""
    command: list[str | Path] = [PROGRAM, "export", SLUG, "--out", "/dev/full"]
    wide = {**scene.crew.variables, "COLUMNS": "200"}
    ran = subprocess.run(command, env=wide, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode == 1 and "No space left" in ran.stderr and "Traceback" not in ran.stderr


def _unknown(connection: Connection, wish: Wish) -> Mapping[Idempotency, int]:
    """How many are unknown at providers of each class: those for SMS are called by their class, all others dedupe."""
    of_provider = select(deliveries.c.provider, func.count()).where(deliveries.c.outcome == "unknown")
    found: Counter[Idempotency] = Counter(dict.fromkeys(wish.classes, 0))
    for provider, number in connection.execute(of_provider.group_by(deliveries.c.provider)):
        found[Idempotency(provider) if provider in ALL else Idempotency.IDEMPOTENT] += number
    return found


def _receipts_missing(connection: Connection) -> int:
    """How many accepted recipients have none; partners acknowledge, and send no receipts."""
    told = (deliveries.c.outcome == "accepted") & deliveries.c.provider.not_in(PARTNERS)
    accepted = select(func.count()).select_from(deliveries).where(told)
    return int(connection.execute(accepted.where(deliveries.c.receipt == "")).scalar_one())
