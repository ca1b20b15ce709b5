"""The shelf that workers share: notes that end by themselves, one claim at a time, and nothing readable in Redis."""

from __future__ import annotations

import pytest
import redis

from broadcaster.channels.shelf import OwnShelf, Shelf
from broadcaster.delivery.shelf import SharedShelf, shelf_of
from broadcaster.errors import TransientError
from broadcaster.vault import new_keyring, vault_of
from tests.conftest import Servers
from tests.support.polling import eventually

NAME, NOTE = "account/token", "a-token-that-nobody-else-may-read"


@pytest.fixture
def on_redis(servers: Servers) -> SharedShelf:
    """A shelf in a real Redis, on which nothing stands."""
    redis.Redis.from_url(servers.redis).flushdb()
    return SharedShelf(servers.redis, vault_of(new_keyring()))


@pytest.fixture(params=["shared", "own"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    """Each kind."""
    found: Shelf = OwnShelf() if request.param == "own" else request.getfixturevalue("on_redis")
    return found


def _dump(url: str) -> list[bytes]:
    """Every key and every note, as Redis keeps them."""
    client = redis.Redis.from_url(url)
    keys = [bytes(key) for key in client.scan_iter("*") if isinstance(key, bytes)]
    return keys + [value for key in client.scan_iter("shelf:note:*") if isinstance(value := client.get(key), bytes)]


def test_a_note_is_there_until_its_time_is_over(shelf: Shelf) -> None:
    """And one of another name never was."""
    shelf.put(NAME, NOTE, 60)
    assert (shelf.get(NAME), shelf.get("another")) == (NOTE, None)
    shelf.put(NAME, NOTE, 0.01)
    eventually(lambda: shelf.get(NAME) is None, "the note is gone")


def test_one_at_a_time_has_a_claim(shelf: Shelf) -> None:
    """Until it is given back, or its time is over."""
    assert [shelf.claim(NAME, 60), shelf.claim(NAME, 60)] == [True, False]
    shelf.release(NAME)
    assert shelf.claim(NAME, 0.01)
    eventually(lambda: shelf.claim(NAME, 60), "the claim ends by itself")


def test_another_worker_reads_the_same_note(servers: Servers) -> None:
    """That is what it is for."""
    vault = vault_of(new_keyring())
    SharedShelf(servers.redis, vault).put(NAME, NOTE, 60)
    assert SharedShelf(servers.redis, vault).get(NAME) == NOTE


def test_nothing_readable_stands_in_redis(servers: Servers, on_redis: SharedShelf) -> None:
    """Neither the note nor its name."""
    on_redis.put(NAME, NOTE, 60)
    raw = _dump(servers.redis)
    assert raw
    assert not [row for row in raw if NOTE.encode() in row or NAME.encode() in row]


def test_a_note_of_other_keys_is_none(servers: Servers, on_redis: SharedShelf) -> None:
    """Whoever exchanged the keyring begins with an empty shelf."""
    on_redis.put(NAME, NOTE, 60)
    assert SharedShelf(servers.redis, vault_of(new_keyring())).get(NAME) is None


def test_without_redis_nothing_can_be_shared() -> None:
    """The call is then made later: it was surely not seen."""
    lost = SharedShelf("redis://127.0.0.1:1/0", vault_of(new_keyring()))
    with pytest.raises(TransientError, match="Redis does not answer"):
        lost.get(NAME)


def test_with_another_broker_each_process_has_its_own() -> None:
    """RabbitMQ keeps no notes."""
    assert isinstance(shelf_of("amqp://127.0.0.1", vault_of(new_keyring())), OwnShelf)
