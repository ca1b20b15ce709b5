"""Allowance: what the quotas of providers leave of a call. Days are calendar days in the announcement's zone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.announcement.times import at_clock
from broadcaster.delivery.run import Step
from broadcaster.delivery.striding import is_unlimited
from broadcaster.storage import quotas


@dataclass(frozen=True, slots=True)
class Allowed:
    """Members whom a quota holds back until an instant of campaign time; nobody, as a rule."""

    held: Collection[int] = ()
    until: datetime | None = None


EVERYBODY = Allowed()


class Allowance:
    """Takes from the quotas before each call of one run, and gives back what surely was not used."""

    def __init__(self, channel: str, zone: ZoneInfo) -> None:
        self._channel = channel
        self._zone = zone
        self._taken: dict[str, date] = {}
        self._unused: list[tuple[date, Step]] = []

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to give back."""
        return not self._unused

    def take(self, connection: Connection, step: Step) -> Allowed:
        """Count the call in, as far as its provider's quotas allow."""
        if is_unlimited(step):
            return EVERYBODY
        day, ids = self._today(), [member.id for member in step.call.members]
        self._taken[step.call.key] = day
        under = sorted(quotas.take_for_recipients(connection, self._channel, step.provider, day, ids))
        if not under:
            return Allowed(ids, self._start_of(day + timedelta(days=1)))
        taken = quotas.take(connection, self._channel, step.provider, day, len(under), fewest=1)
        if isinstance(taken, quotas.Exhausted):
            quotas.give_back_recipients(connection, self._channel, step.provider, day, under)
            return Allowed(ids, self._start_of(taken.until))
        if taken.messages < len(under):
            quotas.give_back_recipients(connection, self._channel, step.provider, day, under[taken.messages :])
        allowed = set(under[: taken.messages])
        held = [id_ for id_ in ids if id_ not in allowed]
        # Where the month is what has run out, tomorrow's attempt finds that.
        return Allowed(held, self._start_of(day + timedelta(days=1)) if held else None)

    def give_back(self, step: Step) -> None:
        """The call was surely not accepted; what it took is given back with `settle`."""
        if not is_unlimited(step):
            # One that an earlier claim wrote down was counted in when it was prepared.
            self._unused.append((self._taken.get(step.call.key) or self._day_of(step.call.prepared_at), step))

    def settle(self, connection: Connection) -> None:
        """Give back what was not used."""
        for day, step in self._unused:
            ids = [member.id for member in step.call.members]
            quotas.give_back(connection, self._channel, step.provider, day, len(ids))
            quotas.give_back_recipients(connection, self._channel, step.provider, day, ids)

    def _today(self) -> date:
        return self._day_of(clock.now())

    def _day_of(self, instant: datetime) -> date:
        return instant.astimezone(self._zone).date()

    def _start_of(self, day: date) -> datetime:
        return at_clock(day, time(0), self._zone)
