"""Health: how calls to an endpoint went, and when it has failed for so long that it is not called any more. Pure.

Machine time, not campaign time: whether somebody's server answers is a matter of real days. A rehearsal's clock jumps
over five days within seconds, and would give up a partner who was away for one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_FAILURE = timedelta(days=5)
"""After so long without a single success an endpoint is given up."""
FORGOTTEN_AFTER = timedelta(days=1)
"""A failure says nothing of the time before it when the last one is longer ago: nobody asked in between."""


@dataclass(frozen=True, slots=True)
class Experience:
    """How the last call to an endpoint went; `gone`: it asked never to be called again."""

    ok: bool
    why: str = ""
    gone: bool = False


def failing_since(since: datetime | None, last: datetime | None, now: datetime) -> datetime:
    """Since when an endpoint fails that failed just now, failed `last` before, and had failed since `since` then."""
    if since is None or last is None or now - last > FORGOTTEN_AFTER:
        return now
    return since


def why_given_up(experience: Experience, since: datetime, now: datetime) -> str | None:
    """Why an endpoint with this last experience, failing since `since`, is not called any more; None: it is."""
    if experience.gone:
        return experience.why
    if now - since >= LONGEST_FAILURE:
        return f"it failed for {LONGEST_FAILURE.days} days: {experience.why}"
    return None
