"""Reach: whom the site can tell on each channel, how many that is now, and how fast it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from broadcaster.channels.base import Channel
from broadcaster.channels.registry import PEOPLE_POOLS
from broadcaster.planning.capacity import UNPACED, Capacity, Rate
from broadcaster.site import ProviderConfig
from broadcaster.storage import audiences


@dataclass(frozen=True, slots=True)
class Reach:
    """A channel of the site: its pool of recipients, what its providers take, and how many recipients these are.

    Its capacity is false without any. Where it does not reach people, each provider is a recipient; with `providers`
    None, the recipients are not the providers, and are counted in their pool.
    """

    pool: str
    capacity: Capacity
    providers: int | None = 0
    people: bool = False


def reach_of(channel: Channel, providers: Iterable[ProviderConfig]) -> Reach:
    """The reach of a channel through a site's providers; one that only stands by (weight 0) adds no capacity."""
    if channel.registered:
        return Reach(channel.pool, UNPACED, None)
    configs = list(providers)
    working = [config for config in configs if config.weight] or configs
    capacity = Capacity(tuple(_rate(config, channel) for config in working))
    return Reach(channel.pool, capacity, len(configs), channel.reaches_people)


def _rate(config: ProviderConfig, channel: Channel) -> Rate:
    paces = list(_paces(config, config.members_per_call or channel.suppliers[config.supplier].adapter.members_per_call))
    return Rate(min(paces) if paces else None, config.quota.per_day)


def _paces(config: ProviderConfig, members: int) -> Iterator[float]:
    """Every limit of the provider as messages a second."""
    if config.pace.messages_per_second is not None:
        yield config.pace.messages_per_second
    if config.pace.calls_per_second is not None:
        yield config.pace.calls_per_second * members


class Sizes:
    """How many recipients an audience has on a channel now: from the sums kept at import, each asked for once."""

    def __init__(self, connection: Connection, reach: Mapping[str, Reach]) -> None:
        self._connection = connection
        self._reach = reach
        self._known: dict[tuple[str, str], int] = {}

    def __call__(self, channel: str, audience: str) -> int:
        """The number for a channel's slug and a segment."""
        found = self._reach.get(channel)
        if found is None:
            return 0
        if found.providers is None:
            return audiences.size(self._connection, found.pool, audiences.newest(self._connection, found.pool))
        return self.people(found.pool, audience) if found.people else found.providers

    def people(self, pool: str, audience: str) -> int:
        """How many people of a pool are in a segment."""
        if (pool, audience) not in self._known:
            version = audiences.newest(self._connection, pool)
            self._known[pool, audience] = audiences.reach(self._connection, pool, version, audience)
        return self._known[pool, audience]


def known_tags(connection: Connection) -> frozenset[str]:
    """Every tag that somebody has, whatever they are found by."""
    of_pools = [audiences.combinations(connection, pool, audiences.newest(connection, pool)) for pool in PEOPLE_POOLS]
    return frozenset[str]().union(*(row.tags for of_pool in of_pools for row in of_pool))
