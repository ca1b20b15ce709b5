"""The shelf that all workers share, in Redis. What stands on it is sealed: it may be an access token."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import redis

from broadcaster.channels.shelf import OwnShelf
from broadcaster.errors import TransientError
from broadcaster.vault import UnopenedError, Vault

TIMEOUT = 1.0
"""Seconds that Redis may take to answer."""
_POOL = "shelf"


class SharedShelf:
    """See `Shelf`. Without Redis no note can be shared, and none is taken to be there."""

    def __init__(self, redis_url: str, vault: Vault) -> None:
        self._vault = vault
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)

    def get(self, name: str) -> str | None:
        """See `Shelf`; a note that does not open is none."""
        handle = self._vault.handle(_POOL, name)
        with _reached():
            sealed = self._redis.get(_key("note", handle))
        try:
            return self._vault.open(handle, bytes(sealed))[0] if isinstance(sealed, bytes) else None
        except UnopenedError:
            return None

    def put(self, name: str, note: str, seconds: float) -> None:
        """See `Shelf`."""
        handle = self._vault.handle(_POOL, name)
        with _reached():
            self._redis.set(_key("note", handle), self._vault.seal(handle, note), px=max(1, int(seconds * 1000)))

    def claim(self, name: str, seconds: float) -> bool:
        """See `Shelf`."""
        key = _key("claim", self._vault.handle(_POOL, name))
        with _reached():
            return bool(self._redis.set(key, b"1", nx=True, px=max(1, int(seconds * 1000))))

    def release(self, name: str) -> None:
        """See `Shelf`; a claim that cannot be given back ends by itself."""
        with contextlib.suppress(redis.RedisError):
            self._redis.delete(_key("claim", self._vault.handle(_POOL, name)))


def shelf_of(redis_url: str | None, vault: Vault) -> SharedShelf | OwnShelf:
    """The shared shelf where the broker is a Redis; with another broker each process has its own."""
    shared = redis_url is not None and redis_url.startswith(("redis://", "rediss://", "unix://"))
    return SharedShelf(str(redis_url), vault) if shared else OwnShelf()


def _key(kind: str, handle: bytes) -> str:
    return f"shelf:{kind}:{handle.hex()}"


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise TransientError(f"Redis does not answer ({type(error).__name__})") from error
