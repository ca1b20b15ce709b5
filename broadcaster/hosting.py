"""Hosting: the addresses a command works with, given by the environment or by private services that it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from broadcaster.settings import Settings


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
