"""The driver: campaigns until there were as many kills as asked for, and a report."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from broadcaster.channels.base import Idempotency
from tests.chaos.campaign import Outcome, play
from tests.chaos.crew import CALLERS
from tests.chaos.grounds import grounds
from tests.chaos.stage import ALL, Wish
from tests.chaos.strikes import chances, planned
from tests.chaos.suppliers import ALIYUN, CALL, GATEWAY, KANNEL, Spoken

KILLS_A_CAMPAIGN = 20
PEOPLE_A_KILL = 1000
FEWEST_PEOPLE = 9_000
"""So that there is time for everything that is not a kill."""
SECONDS_A_CAMPAIGN = 150.0
SECONDS_A_KILL = 3.0
SECONDS_AT_LEAST = 200.0
SECONDS_IN_ALL = 9.0
"""For each kill: after that no campaign is begun, and the one under way is ended."""

_CASTS: tuple[tuple[Spoken, tuple[Idempotency, ...]], ...] = (
    (GATEWAY, ALL),
    (ALIYUN, (Idempotency.QUERYABLE,)),
    (KANNEL, (Idempotency.NONE,)),
    (GATEWAY, (Idempotency.IDEMPOTENT,)),
)
"""All classes at once, then each by itself, in turn: where a supplier has the class, on its own format."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of all campaigns."""

    seed: int
    outcomes: Sequence[Outcome]
    seconds: float
    left: int = 0
    """Campaigns for which there was no time."""

    @property
    def broken(self) -> list[str]:
        """Every bound that was broken, with its campaign's number."""
        late = [f"there was no time for {self.left} campaigns"] if self.left else []
        return late + [f"campaign {n}: {text}" for n, row in enumerate(self.outcomes, 1) for text in row.verdict.broken]

    @property
    def data(self) -> dict[str, object]:
        """What is written to `report.json`."""
        faults: Counter[str] = Counter()
        for outcome in self.outcomes:
            faults.update(outcome.faults)
        return {
            "campaigns": len(self.outcomes),
            "kills": sum(row.kills for row in self.outcomes),
            "sent": sum(row.verdict.sent for row in self.outcomes),
            "lost": sum(row.verdict.lost for row in self.outcomes),
            "duplicated": sum(row.verdict.duplicated for row in self.outcomes),
            "unknown": sum(row.verdict.unknown for row in self.outcomes),
            "repeats": sum(row.repeats for row in self.outcomes),
            "faults": dict(sorted(faults.items())),
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "broken": self.broken,
            "rows": [row.data for row in self.outcomes],
        }


def run(data: Path, kills: int, seed: int, say: Callable[[str], None]) -> Report:
    """Play campaigns in the folder `data`, and write its `report.json`."""
    data.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    deadline = started + max(SECONDS_AT_LEAST, SECONDS_IN_ALL * kills)
    outcomes: list[Outcome] = []
    wanted = deque(wishes(kills, seed))
    with grounds(data) as found:
        while wanted and (left := deadline - time.monotonic()) > 0:
            wish = wanted.popleft()
            number = len(outcomes) + 1
            cast = f"{', '.join(wish.classes)} ({wish.spoken.name})"
            say(f"campaign {number}: {cast}, {wish.people:,} people, seed {wish.seed}")
            in_time = replace(wish, seconds=min(wish.seconds, left))
            outcomes.append(play(data / f"campaign-{number}", found, in_time, _with_time(say)))
            say(_line(outcomes[-1]))
    report = Report(seed, outcomes, time.monotonic() - started, len(wanted))
    (data / "report.json").write_text(json.dumps(report.data, indent=2) + "\n", encoding="utf-8")
    return report


def _with_time(say: Callable[[str], None]) -> Callable[[str], None]:
    """Say things with the seconds since now before them."""
    began = time.monotonic()
    return lambda text: say(f"  {time.monotonic() - began:5.1f} s  {text}")


def wishes(kills: int, seed: int) -> Iterator[Wish]:
    """The campaigns for so many kills, each with a seed of its own."""
    chance = chances(seed)
    parts = _parts(kills)
    for number, part in enumerate(parts):
        spoken, classes = _CASTS[number % len(_CASTS)]
        exact = Idempotency.NONE in classes
        # What a provider that can neither dedupe nor answer leaves in doubt stays unknown: no more than is allowed.
        most = CALLERS * part if exact else 1_000_000
        own = chance.randrange(1_000_000)
        people = int(max(FEWEST_PEOPLE, part * PEOPLE_A_KILL) * spoken.people) // CALL * CALL
        strikes = tuple(planned(part, most, chances(own)))
        seconds = SECONDS_A_CAMPAIGN + SECONDS_A_KILL * part
        yield Wish(classes, people, strikes, own, seconds, noise=not exact, spoken=spoken)


def _parts(kills: int) -> list[int]:
    """The kills of each campaign: as even as can be."""
    campaigns = max(1, -(-kills // KILLS_A_CAMPAIGN))
    return [kills // campaigns + (number < kills % campaigns) for number in range(campaigns)]


def _line(outcome: Outcome) -> str:
    verdict = outcome.verdict
    figures = f"sent {verdict.sent:,}, lost {verdict.lost}, duplicated {verdict.duplicated}, unknown {verdict.unknown}"
    broken = "".join(f"\n  BROKEN: {text}" for text in verdict.broken)
    return f"  {figures}; {outcome.kills} kills, {sum(outcome.faults.values())} faults, {outcome.seconds:.0f} s{broken}"
