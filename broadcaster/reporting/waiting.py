"""Posts that their accounts accepted and that may still wait for somebody, such as an administrator who must agree.

Pure: which accounts may wait for what comes from the site.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from broadcaster.channels.base import Outcome
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.supplier import Confirmation
from broadcaster.site import Site

Account = tuple[str, str]
"""Channel and name."""


def confirmations(site: Site) -> dict[Account, Confirmation]:
    """What the accounts of a site may wait for."""
    return {
        (slug, config.name): found
        for slug, channel in CHANNELS.items()
        for config in site.providers(slug)
        if (found := channel.suppliers[config.supplier].confirmation)
    }


def with_waits(
    posts: Sequence[Mapping[str, Any]], known: Mapping[Account, Confirmation], now: datetime
) -> list[dict[str, Any]]:
    """The posts, each with what it may wait for in `waits_for`: by whom, until when, and whether that is over."""
    return [{**post, "waits_for": _wait(post, known.get((post["channel"], post["account"])), now)} for post in posts]


def _wait(post: Mapping[str, Any], confirmation: Confirmation | None, now: datetime) -> dict[str, Any] | None:
    if confirmation is None or post["outcome"] != Outcome.ACCEPTED or post["receipt"]:
        return None
    until = datetime.fromisoformat(post["at"]) + confirmation.within
    return {"by": confirmation.by, "until": until.isoformat(timespec="seconds"), "overdue": now > until}
