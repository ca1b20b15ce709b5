"""The queues on a real broker: how much waits on one, and that a flushed broker is an empty one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from celery import Celery

from tests.conftest import Servers
from workers.queues import DELIVERY, depth


@pytest.fixture
def broker(servers: Servers) -> Iterator[redis.Redis]:
    """This worker's Redis database, empty."""
    with redis.Redis.from_url(servers.redis) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def app(servers: Servers) -> Iterator[Celery]:
    """A Celery application without workers."""
    path, _, database = servers.redis.removeprefix("unix://").partition("?db=")
    with Celery(broker=f"redis+socket://{path}?virtual_host={database}") as found:
        yield found


@pytest.mark.usefixtures("broker")
def test_a_queue_that_nobody_used_yet_is_empty(app: Celery) -> None:
    """The scheduler's first question finds no queue, and that is no error."""
    assert depth(app, DELIVERY) == 0


@pytest.mark.usefixtures("broker")
def test_the_depth_of_a_queue_is_what_waits_on_it(app: Celery) -> None:
    """The scheduler feeds only what there is room for."""
    for number in range(3):
        app.send_task("delivery.deliver_batch", [number], queue=DELIVERY)
    assert depth(app, DELIVERY) == 3


def test_after_a_flush_a_queue_is_empty(app: Celery, broker: redis.Redis) -> None:
    """By this the sweep knows that what waited there is lost."""
    app.send_task("delivery.deliver_batch", [1], queue=DELIVERY)
    broker.flushdb()
    assert depth(app, DELIVERY) == 0


def test_a_broker_that_is_away_counts_as_empty() -> None:
    """The tick goes on with what needs no broker; nothing is enqueued twice, for the sending fails as well."""
    with Celery(broker="redis://127.0.0.1:9/0", set_as_current=False) as app:
        app.conf.broker_transport_options = {"socket_connect_timeout": 1}
        assert depth(app, DELIVERY) == 0
