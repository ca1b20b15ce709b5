"""Hosting: the addresses a command works with, given by the environment or by private services that it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kombu import Connection as Broker

from broadcaster.errors import UnreachableError
from broadcaster.settings import Settings

BROKER_SECONDS = 5
"""How long the broker may take to answer."""


def check_broker(settings: Settings) -> str:
    """The broker's address without its password; raises UnreachableError when it does not answer."""
    with Broker(str(settings.broker_url), connect_timeout=BROKER_SECONDS) as broker:
        try:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
        except Exception as error:
            raise UnreachableError(
                f"the broker at {broker.as_uri()} does not answer: {type(error).__name__}",
                hint="is it running, and is REDIS_URL right? `broadcaster doctor` checks both",
            ) from error
        return str(broker.as_uri())


@contextmanager
def hosted(settings: Settings) -> Iterator[Settings]:
    """Settings with both addresses; private services run until the end when one of them is missing."""
    if settings.database_url and settings.redis_url:
        yield settings
        return
    from broadcaster.embedded import services  # noqa: PLC0415 - an optional part, only loaded where it is used

    with services(settings.data) as private:
        addresses = {
            "database_url": settings.database_url or private.database_url,
            "redis_url": settings.redis_url or private.redis_url,
        }
        yield settings.model_copy(update=addresses)
