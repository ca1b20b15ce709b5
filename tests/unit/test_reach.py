"""Reach: what a channel takes, by the site's limits of its providers."""

from __future__ import annotations

from typing import Any

import pytest

from broadcaster.channels.registry import CHANNELS
from broadcaster.operations.reach import reach_of
from broadcaster.planning.capacity import Rate
from broadcaster.site import ProviderConfig
from tests.support.adapters import adapter_of

MEMBERS = adapter_of(CHANNELS["sms"]).members_per_call


def _provider(**fields: Any) -> ProviderConfig:
    known = {"name": "one", "url": "http://127.0.0.1:9/sms", "secret": "env:SECRET"}
    return ProviderConfig.model_validate({**known, **fields})


def _rates(*providers: ProviderConfig) -> tuple[Rate, ...]:
    return reach_of(CHANNELS["sms"], providers).capacity.rates


@pytest.mark.parametrize(
    ("fields", "rate"),
    [
        pytest.param({}, Rate(), id="nothing said"),
        pytest.param({"pace": {"messages_per_second": 300}}, Rate(300), id="messages"),
        pytest.param({"pace": {"calls_per_second": 2}}, Rate(2 * MEMBERS), id="calls"),
        pytest.param({"pace": {"calls_per_second": 2}, "members_per_call": 10}, Rate(20), id="small calls"),
        pytest.param(
            {"pace": {"calls_per_second": 2, "messages_per_second": 15}, "members_per_call": 10},
            Rate(15),
            id="whichever is less",
        ),
        pytest.param({"quota": {"per_day": 1000, "per_month": 5000}}, Rate(per_day=1000), id="a day's quota"),
    ],
)
def test_a_provider_takes_what_its_limits_allow(fields: dict[str, Any], rate: Rate) -> None:
    """In messages a second and a day."""
    assert _rates(_provider(**fields)) == (rate,)


def test_a_provider_that_stands_by_adds_nothing() -> None:
    """Until it is the only one there is."""
    main, spare = _provider(pace={"messages_per_second": 300}), _provider(weight=0)
    assert _rates(main, spare) == (Rate(300),)
    assert _rates(spare) == (Rate(),)


def test_a_channel_without_providers_takes_nothing() -> None:
    """Its capacity is false."""
    assert not reach_of(CHANNELS["sms"], []).capacity


def test_where_it_does_not_reach_people_each_provider_is_a_recipient() -> None:
    """Two accounts are two, also with one that only stands by."""
    found = reach_of(CHANNELS["wechat"], [_provider(), _provider(weight=0)])
    assert (found.pool, found.providers) == ("wechat", 2)


def test_followers_are_counted_in_their_pool_and_not_by_their_account() -> None:
    """One account, however many follow it."""
    found = reach_of(CHANNELS["followers"], [_provider()])
    assert (found.pool, found.people, bool(found.capacity)) == ("followers", True, True)
