"""Posts that may wait for somebody: those of accounts that may, until a receipt says that it is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from broadcaster.channels.supplier import Confirmation
from broadcaster.reporting.waiting import confirmations, with_waits
from broadcaster.site import Site
from tests.builders import at

KNOWN = {("wechat", "bureau"): Confirmation("somebody must agree", timedelta(minutes=30))}


def post(**changed: Any) -> dict[str, Any]:
    """A post that was accepted at ten."""
    return {
        "channel": "wechat",
        "account": "bureau",
        "outcome": "accepted",
        "receipt": "",
        "at": "2030-05-10T10:00:00+08:00",
    } | changed


@pytest.mark.parametrize(("now", "overdue"), [("10:30", False), ("10:31", True)])
def test_an_accepted_post_waits_until_its_time_is_over(now: str, overdue: bool) -> None:
    """By whom, and until when."""
    [found] = with_waits([post()], KNOWN, at(f"2030-05-10 {now}"))
    assert found["waits_for"] == {
        "by": "somebody must agree",
        "until": "2030-05-10T10:30:00+08:00",
        "overdue": overdue,
    }


@pytest.mark.parametrize(
    "changed", [{"receipt": "delivered"}, {"receipt": "failed"}, {"outcome": "unknown"}, {"account": "another"}]
)
def test_any_other_post_waits_for_nobody(changed: dict[str, str]) -> None:
    """It is over, or was never accepted, or its account asks nobody."""
    [found] = with_waits([post(**changed)], KNOWN, at("2030-05-10 10:01"))
    assert found["waits_for"] is None


def test_which_accounts_may_wait_is_said_by_their_suppliers() -> None:
    """One that sends to its followers may; one that publishes, or is reached by webhook, does not."""
    secrets = {"callback-token": "env:TOKEN"}
    accounts = [
        {"name": name, "supplier": name, "secret": "env:SECRET", "options": {"appid": "wx1234"}, "secrets": secrets}
        for name in ("mass", "publish")
    ]
    site = Site.model_validate({"name": "test", "channels": {"wechat": {"providers": accounts}}})
    assert {account: found.within for account, found in confirmations(site).items()} == {
        ("wechat", "mass"): timedelta(minutes=30)
    }
