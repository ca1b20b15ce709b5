"""One run of the benchmark: its parts in order, on one ground."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from bench import (
    adapters,
    change,
    floor,
    growth,
    late,
    machine,
    ours,
    pacing,
    per_recipient,
    profile,
    receipts,
    schedule,
)
from bench.ground import SECRET, Ground, ground
from bench.load import load
from bench.ours import Sent, Setup
from bench.results import Arm, Results
from bench.screen import say
from bench.wording import notice_texts
from broadcaster.settings import Settings

PARTS = ("arms", "growth", "schedule", "import", "receipts", "pacing", "late", "adapters")

_SETUPS = {
    "personalised": Setup(members_per_call=100),
    "same_text": Setup(members_per_call=1000, personal=False),
    "receipts_on": Setup(members_per_call=100, receipts=True),
}
"""The arms of the product."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    arms: int = 1_000_000
    """So many that the wait for the tick which opens the broadcast, and for its canary, no longer counts."""
    per_recipient: int = 5_000
    growth: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    schedule: int = 100_000
    pacing_seconds: float = 60.0
    late: int = 200_000
    late_changes: int = 5
    adapters: float = 1.0

    @classmethod
    def large(cls) -> Size:
        """With ten million recipients."""
        return cls(growth=(10_000, 100_000, 1_000_000, 10_000_000))

    @classmethod
    def small(cls, recipients: int) -> Size:
        """So many recipients at most: to see that everything runs, not how fast."""
        return cls(recipients, max(1, recipients // 20), (recipients,), recipients, 1.0, recipients, 1, 0.05)


def measure(folder: Path, size: Size, parts: Collection[str], repeats: int) -> Results:
    """Measure parts; the folder is gone afterwards."""
    with ground(folder) as place:
        results = Results(machine=machine.facts(place.services.database_url))
        if {"arms", "receipts"} & set(parts):
            _arms(place, size, results, repeats, only_one="arms" not in parts)
        if {"growth", "import"} & set(parts):
            _growth(place, size, results, repeats, only_import="growth" not in parts)
        if "schedule" in parts:
            say(f"schedule: {size.schedule:,} broadcasts")
            settings, _ = place.people("schedule", schedule.PEOPLE)
            results.schedule = schedule.measure(settings, size.schedule)
        if "pacing" in parts:
            say(f"pacing: {size.pacing_seconds:.0f} s at {pacing.LIMIT:.0f} calls a second")
            settings, _ = place.people("pacing", pacing.recipients_for(size.pacing_seconds))
            results.pacing = pacing.measure(settings)
        if "late" in parts:
            say(f"late: {size.late_changes} changes amid {size.late:,} recipients")
            settings, _ = place.people("late", size.late)
            results.late = late.measure(settings, size.late, size.late_changes)
        if "adapters" in parts:
            say("adapters, each beside a bare loop")
            results.adapters = adapters.measure(place.folder / "adapters", size.adapters)
    return results


def _arms(place: Ground, size: Size, results: Results, repeats: int, *, only_one: bool) -> None:
    """All arms in turn, again and again, so that a machine that slows down slows all of them down."""
    settings, _ = place.people("arms", size.arms)
    runs = _runs(settings, size)
    for number in range(1 if only_one else repeats):
        for name, (recipients, run) in runs.items():
            if only_one and name != "personalised":
                continue
            say(f"{name}, run {number + 1}: {recipients:,} recipients")
            place.calm()
            found = run(f"{name.replace('_', '-')}-{number}")
            arm = results.arms.setdefault(name, Arm(recipients))
            if isinstance(found, Sent):
                arm.sent.append(found)
            arm.runs.append(found.rate if isinstance(found, Sent) else recipients / found)
    say("profile")
    place.calm()
    results.profile = profile.measure(settings)
    say(f"receipts: {size.arms:,}")
    place.calm()
    results.receipts_per_s = round(receipts.measure(settings, "personalised-0").rate, 1)
    place.drop("arms")


Run = Callable[[str], float | Sent]
"""The name of an announcement → what sending it took; plain seconds from an arm that is not the product."""


def _runs(settings: Settings, size: Size) -> dict[str, tuple[int, Run]]:
    """Arm → how many recipients it sends to, and how."""
    logs, url = settings.data / "logs", str(settings.database_url)
    texts = notice_texts(settings.data / "templates")

    def run_floor(_slug: str) -> float:
        with load(logs) as sink:
            seconds = floor.run(url, settings.keys_file, f"{sink.url}/sms/floor", SECRET, texts)
            sink.require(size.arms)
            return seconds

    def run_per_recipient(_slug: str) -> float:
        with load(logs) as sink:
            seconds = per_recipient.run(settings, sink, texts, size.per_recipient, logs)
            sink.require(size.per_recipient)
            return seconds

    def run_ours(setup: Setup) -> Run:
        return lambda slug: ours.send(settings, setup, slug, size.arms)

    of_ours = {name: (size.arms, run_ours(setup)) for name, setup in _SETUPS.items()}
    others = {"per_recipient": (size.per_recipient, run_per_recipient), "floor": (size.arms, run_floor)}
    return {**others, **of_ours}


def _growth(place: Ground, size: Size, results: Results, repeats: int, *, only_import: bool) -> None:
    """Every size in a database of its own; importing the largest is the measurement of the import."""
    for recipients in size.growth:
        if only_import and recipients < size.growth[-1]:
            continue
        say(f"import and growth: {recipients:,} recipients")
        settings, imported = place.people(f"people_{recipients}", recipients)
        results.imports.append(imported)
        if not only_import:
            place.calm()
            results.growth.append(growth.measure(settings, recipients, repeats))
            place.calm()
            results.changes.append(change.measure(settings, "growth-0", recipients))
        place.drop(f"people_{recipients}")
