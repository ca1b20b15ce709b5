"""Where the private services can be reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Services:
    """Two addresses on Unix sockets, in the form DATABASE_URL and REDIS_URL take.

    `database_url` is `postgresql://…` (libpq and SQLAlchemy both read it), `redis_url` is `unix://…` (redis-py).
    """

    database_url: str
    redis_url: str
