"""The directory: who stands behind each channel at this moment, and how the calls to partners' endpoints went.

The site's providers stay as they are while a process runs. The endpoints of the registry are looked up with every
claim: one that was added, rotated or disabled since is known at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.channels.base import Channel
from broadcaster.channels.provider import Provider
from broadcaster.delivery import health
from broadcaster.delivery.health import Experience
from broadcaster.errors import StateError
from broadcaster.storage import endpoints, events
from broadcaster.vault import Vault

log = structlog.get_logger()

ENDPOINT_TIMEOUT = 15.0
"""Seconds that an endpoint may take to answer, unless the site says otherwise."""
ACTOR = "courier"

Providers = Mapping[str, Mapping[str, Provider]]
"""Channel → provider name → provider."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The providers of a channel by name, and why others cannot be called."""

    providers: Mapping[str, Provider]
    absent: Mapping[str, str] = field(default_factory=dict)


class Directory:
    """Whom a courier calls."""

    def __init__(self, providers: Providers, vault: Vault, endpoint_timeout: float = ENDPOINT_TIMEOUT) -> None:
        self._providers = providers
        self._vault = vault
        self._timeout = endpoint_timeout

    @property
    def slowest(self) -> float:
        """Seconds that the slowest of all may take to answer."""
        own = (row.timeout for of_channel in self._providers.values() for row in of_channel.values())
        return max((self._timeout, *own))

    def of(self, connection: Connection, channel: Channel) -> Listed:
        """Who stands behind a channel now."""
        if not channel.registered:
            return Listed(self._providers.get(channel.slug, {}))
        found, absent = {}, {}
        for row in endpoints.everyone(connection):
            if row.disabled_at is not None:
                absent[row.name] = f"its endpoint is disabled: {row.disabled_for}"
                continue
            try:
                found[row.name] = endpoints.provider_of(row, self._vault, self._timeout)
            except StateError as error:
                absent[row.name] = error.message
        return Listed(found, absent)

    def note(self, connection: Connection, channel: Channel, experiences: Mapping[str, Experience]) -> None:
        """Put down how calls to endpoints went; one that is gone, or failed for too long, is not called any more."""
        now = clock.machine_now()
        endpoints.own(connection)
        endpoints.note_acceptance(connection, [name for name, one in experiences.items() if one.ok], now)
        given_up = [name for name, one in experiences.items() if not one.ok and _gives_up(connection, name, one, now)]
        if given_up:
            endpoints.make_recipients(connection, channel.pool, self._vault, clock.now())


def _gives_up(connection: Connection, name: str, experience: Experience, now: datetime) -> bool:
    row = endpoints.find(connection, name)
    if row is None or row.disabled_at is not None:
        return False
    since = health.failing_since(row.failing_since, row.failed_at, now)
    endpoints.note_failure(connection, name, since, now, experience.why)
    reason = health.why_given_up(experience, since, now)
    if reason is None:
        return False
    log.warning("endpoint_disabled", endpoint=name, why=reason)
    endpoints.disable(connection, name, "", reason, clock.now())
    events.record(connection, ACTOR, "disable endpoint", "", clock.now(), {"endpoint": name, "reason": reason})
    return True
