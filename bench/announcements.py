"""Announcements to measure with: the example, as an outage in a far year, told by SMS only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from broadcaster.announcement.source import parse_source
from broadcaster.channels.registry import CHANNELS
from broadcaster.operations.amending import Times, amended
from broadcaster.planning.proposal import Proposal, parse

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/qingdao-2022/announcement.yaml"
SLUG = "qingdao-2022"
YEAR = 2096
"""A leap year like no other in the file: nothing in it ends while we measure."""

_SILENT = ("reminder", "started", "ongoing", "overrun", "changed", "restored", "cancelled")


def at_once(slug: str) -> Proposal:
    """An announcement whose only broadcast is an SMS notice that is due on approval."""
    return _example(slug, "notice: [{channels: [sms]}]", *_silent())


def later(slug: str) -> Proposal:
    """The same with an end four days later, of which whoever was told otherwise is to be told by SMS."""
    found = _example(slug, "notice: [{channels: [sms]}]", "changed: [{channels: [sms]}]", *(_silent("changed")))
    end = found.announcement.window.end
    assert end is not None  # noqa: S101 - the example has one
    return amended(found, Times(end=end + timedelta(days=4)))


def for_some(slug: str) -> Proposal:
    """The same with its first row for retired people only, of which the others are to be told."""
    found = _example(slug, "notice: [{channels: [sms]}]", "changed: [{channels: [sms]}]", *(_silent("changed")))
    first, *others = found.announcement.impacts
    impacts = (first.model_copy(update={"audience": "tag:retired"}), *others)
    return found.model_copy(update={"announcement": found.announcement.model_copy(update={"impacts": impacts})})


def with_many_broadcasts(slug: str, broadcasts: int) -> Proposal:
    """An announcement with so many SMS broadcasts: a notice a week after the approval, the others in the far year."""
    days = ", ".join(str(day) for day in range(1, broadcasts))
    silent = _silent("reminder")
    notice = f"notice: [{{channels: [sms], after_minutes: {7 * 24 * 60}}}]"
    return _example(slug, notice, f"reminder: [{{channels: [sms], days_before: [{days}]}}]", *silent)


def _silent(*but: str) -> Iterator[str]:
    return (f"{phase}: []" for phase in _SILENT if phase not in but)


def _example(slug: str, *policy: str) -> Proposal:
    text = EXAMPLE.read_text(encoding="utf-8").replace(f"slug: {SLUG}", f"slug: {slug}").replace("2022-", f"{YEAR}-")
    rules = "".join(f"  {line}\n" for line in (*policy, "quiet_hours: {}"))
    return parse(parse_source(f"{text}\npolicy:\n{rules}", f"{slug}.yaml"), CHANNELS)
