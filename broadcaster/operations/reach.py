"""Reach: whom the site can tell on each channel, how many that is now, and how fast it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from broadcaster.channels.base import Channel
from broadcaster.planning.capacity import UNPACED, Capacity, Rate
from broadcaster.site import ProviderConfig
from broadcaster.storage import audiences
from broadcaster.storage.audiences import PEOPLE


@dataclass(frozen=True, slots=True)
class Reach:
    """A channel of the site: its pool of recipients, what its providers take, and how many providers it has.

    Its capacity is false without any. Where it does not reach people, each provider is a recipient; with `providers`
    None, the recipients are endpoints of the registry, and counted there.
    """

    pool: str
    capacity: Capacity
    providers: int | None = 0


def reach_of(channel: Channel, providers: Iterable[ProviderConfig]) -> Reach:
    """The reach of a channel through a site's providers; one that only stands by (weight 0) adds no capacity."""
    if channel.registered:
        return Reach(channel.pool, UNPACED, None)
    configs = list(providers)
    working = [config for config in configs if config.weight] or configs
    return Reach(channel.pool, Capacity(tuple(_rate(config, channel) for config in working)), len(configs))


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
        self._known: dict[str, int] = {}

    def __call__(self, channel: str, audience: str) -> int:
        """The number for a channel's slug and a segment."""
        found = self._reach.get(channel)
        if found is None:
            return 0
        if found.providers is None:
            return audiences.size(self._connection, found.pool, audiences.newest(self._connection, found.pool))
        return found.providers if found.pool != PEOPLE else self.people(audience)

    def people(self, audience: str) -> int:
        """How many people are in a segment."""
        if audience not in self._known:
            version = audiences.newest(self._connection, PEOPLE)
            self._known[audience] = audiences.reach(self._connection, PEOPLE, version, audience)
        return self._known[audience]


def known_tags(connection: Connection) -> frozenset[str]:
    """Every tag that somebody has."""
    version = audiences.newest(connection, PEOPLE)
    return frozenset[str]().union(*(row.tags for row in audiences.combinations(connection, PEOPLE, version)))
