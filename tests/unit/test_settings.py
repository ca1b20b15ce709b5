"""Settings come from the environment, and a wrong one is named as the operator wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster import settings
from broadcaster.errors import InputError


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA", "SITE", "LOG_LEVEL", "REHEARSAL"):
        monkeypatch.delenv(f"BROADCASTER_{name}", raising=False)
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_needs_to_be_set() -> None:
    """Private services, data in `var`, the site's file in it."""
    found = settings.load()
    assert (found.database_url, found.redis_url, found.rehearsal) == (None, None, False)
    assert found.site_file == Path("var/site.yaml")


def test_the_sites_file_follows_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it has a place of its own."""
    monkeypatch.setenv("BROADCASTER_DATA", "/srv/data")
    assert settings.load().site_file == Path("/srv/data/site.yaml")
    monkeypatch.setenv("BROADCASTER_SITE", "/etc/broadcaster.yaml")
    assert settings.load().site_file == Path("/etc/broadcaster.yaml")


@pytest.mark.parametrize(
    ("address", "broker"),
    [
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("amqp://rabbit/", "amqp://rabbit/"),
    ],
)
def test_a_socket_is_written_the_way_celery_takes_it(
    monkeypatch: pytest.MonkeyPatch, address: str, broker: str
) -> None:
    """Other addresses pass as they are."""
    monkeypatch.setenv("REDIS_URL", address)
    assert settings.load().broker_url == broker


def test_a_wrong_variable_is_named_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator looks for the name that is in the environment."""
    monkeypatch.setenv("BROADCASTER_REHEARSAL", "perhaps")
    with pytest.raises(InputError, match="environment variable BROADCASTER_REHEARSAL: Input should be a valid boolean"):
        settings.load()
