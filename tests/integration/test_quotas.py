"""Quotas of a day, a month and a recipient, in a real Postgres."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
import redis
from sqlalchemy import func, select

from broadcaster import clock
from broadcaster.channels.provider import Provider, Quota
from broadcaster.delivery.courier import Courier
from broadcaster.storage import holds, quotas
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Hold, Scope
from broadcaster.storage.quotas import Exhausted, Taken
from broadcaster.storage.tables import quotas as quota_rows
from broadcaster.storage.tables import recipient_quotas
from tests.conftest import Servers
from tests.support.examples import local
from tests.support.product import Product

DAY = date(2026, 2, 26)
TOMORROW = date(2026, 2, 27)
NEXT_MONTH = date(2026, 3, 1)


def _provider(per_day: int | None = None, per_month: int | None = None, per_recipient: int | None = None) -> Provider:
    quota = Quota(per_day, per_month, per_recipient)
    return Provider("main", "https://sms.example.org", "whsec_abc", quota=quota)


def _take(
    database: Database, provider: Provider, messages: int, day: date = DAY, fewest: int | None = None
) -> Taken | Exhausted:
    with database.begin() as connection:
        return quotas.take(connection, "sms", provider, day, messages, fewest)


def _rows(database: Database) -> int:
    with database.begin() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (quota_rows, recipient_quotas)
        ]
    return sum(counts)


def test_a_day_has_its_messages_and_no_more(database: Database) -> None:
    """What does not fit whole waits for tomorrow; what does still goes."""
    provider = _provider(per_day=250)
    assert [_take(database, provider, 100) for _ in range(3)] == [Taken(100), Taken(100), Exhausted(TOMORROW)]
    assert _take(database, provider, 50) == Taken(50)
    assert _take(database, provider, 1) == Exhausted(TOMORROW)
    assert _take(database, provider, 100, TOMORROW) == Taken(100)


def test_a_month_has_its_messages_and_no_more(database: Database) -> None:
    """Over its days, and an exhausted month is not better tomorrow."""
    provider = _provider(per_month=4)
    assert [_take(database, provider, 2, date(2026, 2, day)) for day in (1, 28)] == [Taken(2), Taken(2)]
    assert _take(database, provider, 1) == Exhausted(NEXT_MONTH)
    assert _take(database, provider, 1, NEXT_MONTH) == Taken(1)


def test_a_call_that_the_month_refuses_takes_nothing_from_the_day(database: Database) -> None:
    """Both or neither; the later of the two says when there is more."""
    both = _provider(per_day=10, per_month=12)
    assert _take(database, both, 10) == Taken(10)
    assert _take(database, both, 5, TOMORROW) == Exhausted(NEXT_MONTH)
    assert _take(database, both, 5) == Exhausted(NEXT_MONTH)
    assert _take(database, both, 2, TOMORROW) == Taken(2)
    assert _take(database, _provider(per_day=10), 8, TOMORROW) == Taken(8)


@pytest.mark.parametrize(("day", "until"), [(date(2026, 12, 31), date(2027, 1, 1)), (date(2028, 2, 29), NEXT_MONTH)])
def test_periods_follow_the_calendar(database: Database, day: date, until: date) -> None:
    """The year's end and the leap day."""
    expected = until.replace(year=day.year + (day.month == 12))
    assert _take(database, _provider(per_day=1, per_month=1), 2, day) == Exhausted(expected)


def test_a_call_that_can_be_divided_uses_the_rest(database: Database) -> None:
    """Else a quota smaller than a call would never be used."""
    provider = _provider(per_day=130)
    assert _take(database, provider, 100, fewest=1) == Taken(100)
    assert _take(database, provider, 100, fewest=40) == Exhausted(TOMORROW)
    assert _take(database, provider, 100, fewest=1) == Taken(30)
    assert _take(database, provider, 100, fewest=1) == Exhausted(TOMORROW)


def test_workers_never_take_more_than_there_is(database: Database) -> None:
    """Eight at once, in transactions that overlap, get exactly the day's messages."""
    provider = _provider(per_day=200, per_month=1000)

    def work(_: int) -> list[Taken | Exhausted]:
        return [_take(database, provider, 7) for _ in range(10)]

    with ThreadPoolExecutor(8) as workers:
        answers = [answer for found in workers.map(work, range(8)) for answer in found]
    assert sum(answer.messages for answer in answers if isinstance(answer, Taken)) == 196
    assert _take(database, provider, 4) == Taken(4)


def test_a_worker_that_takes_and_one_that_gives_back_do_not_lock_each_other_out(database: Database) -> None:
    """Both touch the day and the month, always in the same order."""
    provider = _provider(per_day=1000, per_month=1000)

    def work(_: int) -> None:
        for _ in range(25):
            with database.begin() as connection:
                quotas.take(connection, "sms", provider, DAY, 5)
            with database.begin() as connection:
                quotas.give_back(connection, "sms", provider, DAY, 5)

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(work, range(8)))
    assert _take(database, provider, 1000) == Taken(1000)


def test_what_was_not_accepted_is_given_back(database: Database) -> None:
    """To the day that it was taken from and its month, and never more than was taken."""
    provider = _provider(per_day=10, per_month=10)
    _take(database, provider, 10)
    with database.begin() as connection:
        quotas.give_back(connection, "sms", provider, DAY, 4)
    assert _take(database, provider, 5) == Exhausted(NEXT_MONTH)
    assert _take(database, provider, 4) == Taken(4)
    with database.begin() as connection:
        quotas.give_back(connection, "sms", provider, DAY, 500)
    assert _take(database, provider, 11) == Exhausted(NEXT_MONTH)


def test_a_transaction_that_is_rolled_back_took_nothing(database: Database) -> None:
    """The call was not written down either."""
    provider = _provider(per_day=10)
    with pytest.raises(RuntimeError, match="killed"), database.begin() as connection:
        quotas.take(connection, "sms", provider, DAY, 10)
        raise RuntimeError("killed")
    assert _take(database, provider, 10) == Taken(10)


def test_a_flushed_redis_resets_no_quota(database: Database, servers: Servers) -> None:
    """They are money, and stand where nothing is lost."""
    provider = _provider(per_day=10)
    _take(database, provider, 10)
    with redis.Redis.from_url(servers.redis) as client:
        client.flushdb()
    assert _take(database, provider, 1) == Exhausted(TOMORROW)


def test_a_recipient_gets_no_more_than_the_limit_of_a_day(database: Database) -> None:
    """Whoever had enough is left out, and the others of the call are not."""
    provider = _provider(per_recipient=2)
    with database.begin() as connection:
        first = quotas.take_for_recipients(connection, "sms", provider, DAY, [1, 2])
        second = quotas.take_for_recipients(connection, "sms", provider, DAY, [1, 3, 3])
        third = quotas.take_for_recipients(connection, "sms", provider, DAY, [1, 2, 3])
        tomorrow = quotas.take_for_recipients(connection, "sms", provider, TOMORROW, [1])
    assert (first, second, third, tomorrow) == ({1, 2}, {1, 3}, {2, 3}, {1})


def test_a_recipient_who_was_not_reached_may_be_tried_again(database: Database) -> None:
    """Giving back more than was taken does not make the limit larger."""
    provider = _provider(per_recipient=1)
    with database.begin() as connection:
        quotas.take_for_recipients(connection, "sms", provider, DAY, [1, 2])
        for _ in range(2):
            quotas.give_back_recipients(connection, "sms", provider, DAY, [1, 3])
        assert quotas.take_for_recipients(connection, "sms", provider, DAY, [1, 2, 3]) == {1, 3}
        assert quotas.take_for_recipients(connection, "sms", provider, DAY, [1, 2, 3]) == set()


def test_workers_with_the_same_recipients_count_each_once(database: Database) -> None:
    """Broadcasts overlap: eight workers want the same hundred people, in orders of their own."""
    provider = _provider(per_recipient=3)

    def work(number: int) -> int:
        ids = list(range(100)) if number % 2 else list(range(99, -1, -1))
        with database.begin() as connection:
            return len(quotas.take_for_recipients(connection, "sms", provider, DAY, ids))

    with ThreadPoolExecutor(8) as workers:
        assert sum(workers.map(work, range(8))) == 300


def test_channels_and_providers_have_quotas_of_their_own(database: Database) -> None:
    """As they have accounts of their own."""
    provider = _provider(per_day=1)
    _take(database, provider, 1)
    other = Provider("other", provider.url, provider.secret, quota=provider.quota)
    assert _take(database, other, 1) == Taken(1)
    with database.begin() as connection:
        assert quotas.take(connection, "wechat", provider, DAY, 1) == Taken(1)


def test_a_provider_without_quotas_leaves_no_trace(database: Database) -> None:
    """Most have none, and their calls pay for nothing."""
    provider = _provider()
    with database.begin() as connection:
        assert quotas.take(connection, "sms", provider, DAY, 1000) == Taken(1000)
        assert quotas.take_for_recipients(connection, "sms", provider, DAY, [1, 2]) == {1, 2}
        quotas.give_back(connection, "sms", provider, DAY, 1000)
        quotas.give_back_recipients(connection, "sms", provider, DAY, [1, 2])
    assert _rows(database) == 0


def test_days_and_months_that_are_over_are_forgotten(database: Database) -> None:
    """What still counts is kept: today, and the month that it is in."""
    provider = _provider(per_day=5, per_month=5, per_recipient=1)
    for day in (date(2026, 1, 31), DAY, TOMORROW):
        with database.begin() as connection:
            quotas.take(connection, "sms", provider, day, 1)
            quotas.take_for_recipients(connection, "sms", provider, day, [1])
    assert _rows(database) == 3 + 2 + 3
    with database.begin() as connection:
        quotas.forget_before(connection, TOMORROW)
    assert _rows(database) == 1 + 1 + 1
    assert _take(database, provider, 4, TOMORROW) == Exhausted(NEXT_MONTH)


def _with_quota(product: Product, quota: Quota) -> Courier:
    """A worker for whose providers of text messages a quota was agreed."""
    providers = product.parts.providers()
    limited = {name: replace(provider, quota=quota) for name, provider in providers["sms"].items()}
    return product.another_courier(providers={**providers, "sms": limited})


def test_who_is_over_the_quota_is_told_tomorrow(product: Product) -> None:
    """The rest of the batch is held until there is more, and nobody is told twice or left out."""
    product.at(local("2022-02-18 10:00"))
    product.gather(300)
    product.publish()
    courier, broadcast = _with_quota(product, Quota(per_day=200)), product.open("sms")
    product.deliver(broadcast, courier)
    product.deliver(broadcast, courier)
    [batch] = product.batches(broadcast)
    assert len(product.ledger(broadcast)) == 200
    assert batch.hold_until == local("2022-02-19 00:00")
    product.at(local("2022-02-19 10:00"))
    product.deliver(broadcast, courier)
    assert [row.outcome for row in product.ledger(broadcast)] == ["accepted"] * 300
    assert set(product.shown(broadcast).values()) == {1}


def test_a_call_that_was_refused_uses_up_no_quota(product: Product) -> None:
    """What surely was not accepted is not on the provider's bill."""
    product.at(local("2022-02-18 10:00"))
    product.gather(150)
    product.publish()
    courier, broadcast = _with_quota(product, Quota(per_day=150, per_recipient_per_day=1)), product.open("sms")
    product.order(channel="sms", kind="status", status=503, times=1)
    product.deliver(broadcast, courier)
    assert product.ledger(broadcast) == []
    product.end_waits()
    product.deliver(broadcast, courier)
    assert [row.outcome for row in product.ledger(broadcast)] == ["accepted"] * 150


def test_a_call_that_was_refused_uses_up_no_quota_though_the_batch_is_left_midway(product: Product) -> None:
    """A pause ends the trip after another account's call; resumed, the refused one still has its post of the day."""
    product.at(local("2022-02-18 10:00"))
    product.gather(1)
    product.publish()
    broadcast = product.open("wechat")
    providers = product.parts.providers()
    limited = {name: replace(row, quota=Quota(per_day=1)) for name, row in providers["wechat"].items()}
    paused = Hold(Scope.BROADCAST, broadcast, halted=False, reason="", actor="test", at=clock.now())

    def pause() -> None:
        with product.transaction() as connection:
            holds.put(connection, paused)

    product.order(channel="wechat", kind="status", status=503, times=1)
    product.deliver(broadcast, product.worker("wechat", pause, providers={**providers, "wechat": limited}))
    assert len(product.ledger(broadcast)) == 1
    with product.transaction() as connection:
        holds.lift(connection, Scope.BROADCAST, broadcast)
    for _ in range(2):
        product.end_waits()
        product.deliver(broadcast, product.another_courier(providers={**providers, "wechat": limited}))
    assert [row.outcome for row in product.ledger(broadcast)] == ["accepted"] * 3
