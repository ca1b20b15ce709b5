"""Quotas in the database: what a provider took in a day or a month, and what a recipient got in a day.

They are taken before a call, in the transaction that makes it durable, and given back when it surely was not accepted:
no number of workers takes more than there is, and a flushed Redis resets nothing. All workers of a provider raise the
same rows and wait for each other from there to the commit: take recipients first, then the provider's quota, last in
the transaction. A provider without quotas has no rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, or_, text

from broadcaster.channels.provider import Provider
from broadcaster.storage.tables import quotas, recipient_quotas


class Period(StrEnum):
    """What a provider's quota is counted by."""

    DAY = "day"
    MONTH = "month"

    def start(self, day: date) -> date:
        """The first day of the period that `day` is in."""
        return day if self is Period.DAY else day.replace(day=1)

    def next(self, day: date) -> date:
        """The first day of the period after that."""
        return (
            day + timedelta(days=1) if self is Period.DAY else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """So many messages may be sent, and are counted."""

    messages: int


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Nothing was taken; there is more on the day `until`."""

    until: date


def take(
    connection: Connection, channel: str, provider: Provider, day: date, messages: int, fewest: int | None = None
) -> Taken | Exhausted:
    """Take the messages from the day and its month: all of them, or as many as are left when that is `fewest` or more.

    Whoever can divide a call gives a `fewest`: a quota that is smaller than a call would else never be used.
    """
    limits = _limits(provider)
    if not limits:
        return Taken(messages)
    used = _add(connection, channel, provider, day, 0)
    left = {period: limit - used[period] for period, limit in limits.items()}
    wanted = messages if fewest is None else min(fewest, messages)
    short = [period for period in limits if left[period] < wanted]
    if short:
        return Exhausted(max(period.next(day) for period in short))
    granted = min(messages, *left.values())
    _add(connection, channel, provider, day, granted)
    return Taken(granted)


def give_back(connection: Connection, channel: str, provider: Provider, day: date, messages: int) -> None:
    """Give back what was taken on `day` for a call that surely was not accepted."""
    if _limits(provider):
        _add(connection, channel, provider, day, -messages)


def take_for_recipients(
    connection: Connection, channel: str, provider: Provider, day: date, ids: Collection[int]
) -> set[int]:
    """Count one message more for each recipient who is still under the provider's limit of a day; gives those."""
    limit = provider.quota.per_recipient_per_day
    if limit is None:
        return set(ids)
    values = {"channel": channel, "provider": provider.name, "day": day, "ids": sorted(set(ids)), "limit": limit}
    return set(connection.execute(_TAKE_FOR_RECIPIENTS, values).scalars())


def give_back_recipients(
    connection: Connection, channel: str, provider: Provider, day: date, ids: Collection[int]
) -> None:
    """Count one message less for each recipient of a call that surely was not accepted."""
    if provider.quota.per_recipient_per_day is not None:
        values = {"channel": channel, "provider": provider.name, "day": day, "ids": sorted(set(ids))}
        connection.execute(_GIVE_BACK_RECIPIENTS, values)


def forget_before(connection: Connection, day: date) -> None:
    """Forget the days before `day`, and the months before the one that it is in."""
    rows = quotas.c
    ended = [(rows.period == period) & (rows.starts < period.start(day)) for period in Period]
    connection.execute(delete(quotas).where(or_(*ended)))
    connection.execute(delete(recipient_quotas).where(recipient_quotas.c.day < day))


def _limits(provider: Provider) -> Mapping[Period, int]:
    quota = provider.quota
    limits = {Period.DAY: quota.per_day, Period.MONTH: quota.per_month}
    return {period: limit for period, limit in limits.items() if limit is not None}


def _add(connection: Connection, channel: str, provider: Provider, day: date, messages: int) -> Mapping[Period, int]:
    """Change what is used, and lock it until the end of the transaction; gives what is used then."""
    periods = list(_limits(provider))
    values = {
        "channel": channel,
        "provider": provider.name,
        "periods": [str(period) for period in periods],
        "starts": [period.start(day) for period in periods],
        "messages": messages,
    }
    return {Period(row.period): row.used for row in connection.execute(_ADD, values)}


# Rows are locked in the order in which they are listed, always the same: no two transactions wait for each other.
_ADD = text(
    """
    INSERT INTO quotas (channel, provider, period, starts, used)
    SELECT :channel, :provider, period, starts, greatest(:messages, 0)
    FROM unnest(CAST(:periods AS text[]), CAST(:starts AS date[])) AS listed(period, starts)
    ON CONFLICT (channel, provider, period, starts)
    DO UPDATE SET used = greatest(quotas.used + :messages, 0)
    RETURNING period, used
    """
)
_TAKE_FOR_RECIPIENTS = text(
    """
    INSERT INTO recipient_quotas (channel, provider, day, recipient_id, used)
    SELECT :channel, :provider, :day, id, 1 FROM unnest(CAST(:ids AS bigint[])) AS listed(id)
    ON CONFLICT (channel, provider, day, recipient_id)
    DO UPDATE SET used = recipient_quotas.used + 1 WHERE recipient_quotas.used < :limit
    RETURNING recipient_id
    """
)
_GIVE_BACK_RECIPIENTS = text(
    """
    INSERT INTO recipient_quotas (channel, provider, day, recipient_id, used)
    SELECT :channel, :provider, :day, id, 0 FROM unnest(CAST(:ids AS bigint[])) AS listed(id)
    ON CONFLICT (channel, provider, day, recipient_id)
    DO UPDATE SET used = greatest(recipient_quotas.used - 1, 0)
    """
)
