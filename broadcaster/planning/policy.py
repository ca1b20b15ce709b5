"""The policy: which phases go to which channels when, and when a channel must be quiet.

It is the `policy:` section of an announcement's file; without one, `DEFAULT` holds. `docs/policy.md` explains each
field with an example.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Protocol, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from broadcaster.announcement.model import Announcement, Frozen, Identifier
from broadcaster.announcement.rules import FieldPath, Finding
from broadcaster.announcement.times import at_clock
from broadcaster.errors import InputError
from broadcaster.planning.asking import DEFAULT as ASK_OWNER
from broadcaster.planning.asking import AskOwner
from broadcaster.planning.broadcast import EVERYONE
from broadcaster.planning.precautions import Precautions, no_calendar
from broadcaster.planning.segment import parse_segment

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
DEFAULT_CHANNELS = ("sms", "wechat", "banner", "kiosk", "webhook")
"""Where a rule that names no channel speaks; any other channel is used when a policy names it."""
DEFAULT_CLOCK = time(10, 0)
_NO_PHASES = frozenset({"quiet_hours", "precautions", "ask_owner"})
"""The fields of a policy that are no rules of a phase."""
MOST_AUDIENCE = 1000
"""Characters that the audiences of one phase on one channel may have together: they are taken out of one another."""


_CORRECTIONS = ("changed", "cancelled")


class KnownChannel(Protocol):
    """What a policy must know of a channel."""

    @property
    def reaches_people(self) -> bool:
        """Whether its recipients are people, who have tags."""
        ...


def parse_clock(value: object) -> time:
    """`08:30` as a time of day; raises ValueError that says what was expected."""
    if isinstance(value, time):
        return value
    # Hours and minutes only: seconds would be lost when written back, an offset would contradict the zone.
    match = _CLOCK.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is not a time of day; expected HH:MM such as 08:30")
    return time(int(match[1]), int(match[2]))


Clock = Annotated[time, BeforeValidator(parse_clock), PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str)]
Channels = Annotated[tuple[Identifier, ...], Field(min_length=1)]


def _canonical(text: str) -> str:
    try:
        return str(parse_segment(text))
    except InputError as error:
        raise ValueError("; ".join(f"{row.message} (in `{text}`)" for row in error.problems)) from error


Audience = Annotated[str, AfterValidator(_canonical)]
"""A segment, written the one way in which equal ones are equal texts."""


class QuietHours(Frozen):
    """Local hours in which a push channel stays silent, `[start, end)`, over midnight when start is after end."""

    start: Clock
    end: Clock

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        start, dash, end = value.partition("-")
        if not dash:
            raise ValueError(f"{value!r} is not a span of hours; expected HH:MM-HH:MM such as 21:00-08:00")
        return {"start": start, "end": end}

    @model_serializer
    def _to_text(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def ends_after(self, local: datetime) -> datetime | None:
        """When the quiet hours around the aware local time `local` end; None when it is not in them."""
        clock = local.timetz().replace(tzinfo=None)
        zone = local.tzinfo
        over_midnight = self.start > self.end
        inside = (clock >= self.start or clock < self.end) if over_midnight else self.start <= clock < self.end
        if not inside or zone is None:
            return None
        day = local.date() + timedelta(days=1) if over_midnight and clock >= self.start else local.date()
        end = at_clock(day, self.end, zone)  # type: ignore[arg-type]  # an announcement's times carry its ZoneInfo
        # In the second of two equal hours of autumn, the first occurrence of the end has passed already.
        return end if end.astimezone(UTC) > local.astimezone(UTC) else end.replace(fold=1)


class _Rule(Frozen):
    channels: Channels = DEFAULT_CHANNELS
    audience: Audience = EVERYONE

    @model_serializer(mode="wrap")
    def _without_what_is_not_said(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A field that came later must not change what an older file is stored and hashed as.
        data: dict[str, Any] = dump(self)
        unsaid = {"audience": EVERYONE, "finish_by": None}
        if data.get("finish_by"):
            unsaid["at"] = data.get("at")
        return {name: value for name, value in data.items() if name not in unsaid or value != unsaid[name]}


class Immediate(_Rule):
    """Goes out when its cause happens (approval, start, planned end, finish, cancel), or some minutes after."""

    after_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 0


class _Timed(_Rule):
    at: Clock = DEFAULT_CLOCK
    finish_by: Clock | None = None
    """When the last message is to be out, instead of when the first one is."""

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.finish_by is not None and "at" in self.model_fields_set:
            raise ValueError("`at` is when it begins, `finish_by` when it is to be done: give one of them")
        return self

    @property
    def clock(self) -> time:
        """The clock time that is named, whichever it is."""
        return self.at if self.finish_by is None else self.finish_by


class DaysBefore(_Timed):
    """Goes out some calendar days before the start, at a local clock time."""

    days_before: Annotated[tuple[Annotated[int, Field(ge=-3660, le=3660)], ...], Field(min_length=1)]


class Periodic(_Timed):
    """Goes out again and again while its phase lasts, at a local clock time."""

    every_days: Annotated[int, Field(ge=1, le=366)]


def _rule_shape(value: Any) -> str:
    """Which rule is meant, by its own field: so that an error speaks of one shape, not of every shape tried."""
    fields = value if isinstance(value, dict) else type(value).model_fields if isinstance(value, Frozen) else {}
    if "days_before" in fields:
        return DaysBefore.__name__
    return Periodic.__name__ if "every_days" in fields else Immediate.__name__


_DaysBefore = Annotated[DaysBefore, Tag(DaysBefore.__name__)]
_Immediate = Annotated[Immediate, Tag(Immediate.__name__)]
_Periodic = Annotated[Periodic, Tag(Periodic.__name__)]
_ByShape = Discriminator(_rule_shape)


class Policy(Frozen):
    """Which phases go to which channels when. Each phase has a list of rules; an empty list silences it."""

    notice: tuple[Annotated[_DaysBefore | _Immediate, _ByShape], ...] = (Immediate(),)
    reminder: tuple[DaysBefore, ...] = (DaysBefore(days_before=(3, 1)),)
    started: tuple[Immediate, ...] = (Immediate(),)
    ongoing: tuple[Periodic, ...] = (Periodic(every_days=7),)
    overrun: tuple[Annotated[_Immediate | _Periodic, _ByShape], ...] = (
        Immediate(after_minutes=30),
        Periodic(every_days=1),
    )
    changed: tuple[Immediate, ...] = (Immediate(),)
    restored: tuple[Immediate, ...] = (Immediate(),)
    cancelled: tuple[Immediate, ...] = (Immediate(),)
    quiet_hours: dict[Identifier, QuietHours] = Field(
        default_factory=lambda: {"sms": QuietHours(start=time(21, 0), end=time(8, 0))}
    )
    precautions: Precautions = Precautions()
    # A field that came later must not change what an older file is stored and hashed as.
    ask_owner: AskOwner = Field(default=ASK_OWNER, exclude_if=lambda rule: rule == ASK_OWNER)
    """When the owner is asked whether the planned end holds."""

    @model_serializer(mode="wrap")
    def _without_what_is_not_said(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value or name != "precautions"}

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel that some rule uses, in order of first use."""
        used = [channel for _, rules in _rules(self) for rule in rules for channel in rule.channels]
        return tuple(dict.fromkeys(used))


DEFAULT = Policy()


def findings(
    policy: Policy, announcement: Announcement, known_channels: Mapping[str, KnownChannel]
) -> tuple[Finding, ...]:
    """Every broken rule of the policy for this announcement."""
    return (
        *_unknown_channels(policy, known_channels),
        *_audiences_of_no_people(policy, known_channels),
        *_audiences_of_corrections(policy),
        *_audiences_of_impacts(announcement),
        *_long_audiences(policy),
        *_late_reminders(policy, announcement),
        *_no_hours(policy),
        *no_calendar(policy.precautions),
    )


def audiences(policy: Policy) -> Iterator[tuple[FieldPath, str]]:
    """Every audience that a rule names, with its place."""
    for phase, rules in _rules(policy):
        for number, rule in enumerate(rules):
            if rule.audience != EVERYONE:
                yield ("policy", phase, number, "audience"), rule.audience


def _unknown_channels(policy: Policy, known: Mapping[str, KnownChannel]) -> Iterator[Finding]:
    hint = f"known channels: {', '.join(known)}"
    for phase, rules in _rules(policy):
        for number, rule in enumerate(rules):
            for place, channel in enumerate(rule.channels):
                if channel not in known:
                    path: FieldPath = ("policy", phase, number, "channels", place)
                    yield Finding(path, f"no channel is called {channel!r}", hint)
    for channel in policy.quiet_hours:
        if channel not in known:
            yield Finding(("policy", "quiet_hours", channel), f"no channel is called {channel!r}", hint)


def _audiences_of_no_people(policy: Policy, known: Mapping[str, KnownChannel]) -> Iterator[Finding]:
    reaching = ", ".join(slug for slug, channel in known.items() if channel.reaches_people)
    for phase, rules in _rules(policy):
        for number, rule in enumerate(rules):
            others = [channel for channel in rule.channels if channel in known and not known[channel].reaches_people]
            if rule.audience != EVERYONE and others:
                message = f"an audience is of people, and these channels reach others: {', '.join(others)}"
                hint = f"give the rule `channels` of these: {reaching}"
                yield Finding(("policy", phase, number, "audience"), message, hint)


def _audiences_of_corrections(policy: Policy) -> Iterator[Finding]:
    for phase in _CORRECTIONS:
        for number, rule in enumerate(getattr(policy, phase)):
            if rule.audience != EVERYONE:
                message = f"a {phase} message goes to exactly those who were told otherwise, and takes no audience"
                yield Finding(("policy", phase, number, "audience"), message, "leave it out")


def _audiences_of_impacts(announcement: Announcement) -> Iterator[Finding]:
    for number, impact in enumerate(announcement.impacts):
        try:
            parse_segment(impact.audience)
        except InputError as error:
            for problem in error.problems:
                yield Finding(("impacts", number, "audience"), problem.message, problem.hint)


def _long_audiences(policy: Policy) -> Iterator[Finding]:
    for phase, rules in _rules(policy):
        length: dict[str, int] = defaultdict(int)
        for number, rule in enumerate(rules):
            for channel in rule.channels:
                length[channel] += len(rule.audience)
            longest = max(rule.channels, key=lambda channel: length[channel])
            if length[longest] > MOST_AUDIENCE:
                message = f"the audiences of {phase} by {longest} have more than {MOST_AUDIENCE} characters together"
                yield Finding(("policy", phase, number, "audience"), message, "give those people a tag of their own")
                break


def _late_reminders(policy: Policy, announcement: Announcement) -> Iterator[Finding]:
    for phase in ("notice", "reminder"):
        for number, rule in enumerate(getattr(policy, phase)):
            if isinstance(rule, DaysBefore):
                for place, days in enumerate(rule.days_before):
                    message = _late(phase, rule, days, announcement)
                    if message:
                        path = ("policy", phase, number, "days_before", place)
                        yield Finding(path, message, "count days back from the start: 1 is the day before")


def _late(phase: str, rule: DaysBefore, days: int, announcement: Announcement) -> str | None:
    """What is wrong with a message so many days before the start that comes after it; None when nothing is."""
    start, end = announcement.window.start, announcement.window.end
    due = at_clock(start.date() - timedelta(days=days), rule.clock, announcement.zone_info)
    # What is finished when the outage starts was told before it.
    if due < start or (rule.finish_by is not None and due == start):
        return None
    edge = f"the end {end:%Y-%m-%d %H:%M}" if end and due >= end else f"the start {start:%Y-%m-%d %H:%M}"
    would = "be finished" if rule.finish_by is not None else "go out"
    return f"the {phase} would {would} at {due:%Y-%m-%d %H:%M}, after {edge}"


def _no_hours(policy: Policy) -> Iterator[Finding]:
    for channel, hours in policy.quiet_hours.items():
        if hours.start == hours.end:
            message = f"quiet hours of {channel} begin and end at {hours.start:%H:%M}"
            yield Finding(("policy", "quiet_hours", channel), message, "leave the channel out for none")


def _rules(policy: Policy) -> Iterator[tuple[str, tuple[Immediate | DaysBefore | Periodic, ...]]]:
    for name in Policy.model_fields:
        if name not in _NO_PHASES:
            yield name, getattr(policy, name)
