"""The lint over outages of every kind: the shipped templates contradict nothing, and a slip in a text never passes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from broadcaster.announcement.facts import FactChange
from broadcaster.announcement.instants import instants
from broadcaster.announcement.model import Announcement
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.lint.lint import contradictions
from broadcaster.rendering.lint.places import Places
from broadcaster.rendering.message import Message
from broadcaster.rendering.renderer import render
from broadcaster.rendering.view import Occasion
from tests.builders import proposal
from tests.support.outages import outages

SPECS = [channel.spec for channel in CHANNELS.values()]
TEMPLATES = Templates()
MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905 - reads as a calendar
few = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def announcement(data: dict[str, Any]) -> Announcement:
    """The announcement of generated data."""
    return proposal(**data).announcement


def messages(one: Announcement, occasion: Occasion, phase: Phase) -> list[Message]:
    """Every message of a phase."""
    return [render(TEMPLATES, spec, one, phase, language, occasion) for spec in SPECS for language in one.languages]


def found(one: Announcement, said: list[Message], occasion: Occasion) -> list[str]:
    """What the lint finds, as the operator reads it."""
    return [str(row) for row in contradictions(one, said, SPECS, Places(TEMPLATES), occasion)]


@st.composite
def occasions(draw: st.DrawFn, one: Announcement) -> Occasion:
    """A return at some time after the start, and a window that was another before."""
    moved = timedelta(hours=draw(st.integers(1, 900)))
    end = one.window.end.isoformat() if one.window.end else "unknown"
    return Occasion(
        finished_at=one.window.start + timedelta(minutes=draw(st.integers(1, 90_000))),
        changes=(
            FactChange("window.start", (one.window.start - moved).isoformat(), one.window.start.isoformat()),
            FactChange("window.end", (one.window.start + moved).isoformat(), end),
        ),
    )


@few
@given(st.data())
def test_the_shipped_templates_contradict_nothing(data: st.DataObject) -> None:
    """Whatever the window, zone, deadlines, contacts and services: every channel and language of a phase agrees."""
    one = announcement(data.draw(outages()))
    occasion = data.draw(st.one_of(st.just(Occasion()), occasions(one)))
    assert found(one, messages(one, occasion, data.draw(st.sampled_from(Phase))), occasion) == []


@few
@given(st.data())
def test_a_slip_in_a_text_never_passes(data: st.DataObject) -> None:
    """One number of a date, a clock time or a telephone number that is one too high or too low is found."""
    one = announcement(data.draw(outages()))
    assume(not any(near in written(one) for near in neighbours(one)))
    said = messages(one, Occasion(), data.draw(st.sampled_from(Phase)))
    place = data.draw(st.sampled_from(range(len(said))))
    spots = [(part, spot) for part, text in said[place].parts.items() for spot in slips(text, one)]
    assume(spots)
    part, (start, end, wrong) = data.draw(st.sampled_from(spots))
    text = said[place].parts[part]
    said[place] = replace(said[place], parts={**said[place].parts, part: text[:start] + wrong + text[end:]})
    assert found(one, said, Occasion())


@few
@given(st.data())
def test_a_weekday_is_that_of_its_day(data: st.DataObject) -> None:
    """Written beside every date: the right one passes, any other is found."""
    one = announcement(data.draw(outages()))
    said = messages(one, Occasion(), Phase.NOTICE)
    right = [replace(message, parts=with_weekdays(message, one, 0)) for message in said]
    assert found(one, right, Occasion()) == []
    off = data.draw(st.integers(1, 6))
    for place, message in enumerate(said):
        parts = with_weekdays(message, one, off)
        if parts != message.parts:
            assert found(one, [*right[:place], replace(message, parts=parts), *right[place + 1 :]], Occasion())


def faces(local: datetime) -> Iterator[tuple[int, int, int, int, int]]:
    """The ways to write a local time: midnight is 24:00 of the day before as well."""
    yield local.year, local.month, local.day, local.hour, local.minute
    if (local.hour, local.minute) == (0, 0):
        eve = local - timedelta(days=1)
        yield eve.year, eve.month, eve.day, 24, 0


def written(one: Announcement) -> set[tuple[int, ...]]:
    """Every time of an announcement in all its ways, with and without the year."""
    full = {face for held in instants(one) for face in faces(held.instant)}
    return full | {face[1:] for face in full}


def neighbours(one: Announcement) -> set[tuple[int, ...]]:
    """The same with one number one too high or too low: if that is a time of the outage too, it is no mistake."""
    return {
        (*face[:place], face[place] + step, *face[place + 1 :])
        for face in written(one)
        for place in range(len(face))
        for step in (1, -1)
    }


SLIPS = re.compile(
    r"(?P<number>\d{4}(?=年\d)|\d{1,2}(?=[月日时分])|\d\d(?=:\d\d(?: on | to |<))|(?<=\d:)\d\d(?= on | to |<)"
    rf"|\d{{1,2}}(?= (?:{'|'.join(MONTHS)}))|(?<=[a-z] )\d{{4}}\b)|(?P<month>{'|'.join(MONTHS)})"
)


def slips(text: str, one: Announcement) -> Iterator[tuple[int, int, str]]:
    """(start, end, what a slip of the pen writes there) of every number that tells a time or whom to call."""
    for match in SLIPS.finditer(text):
        if "日内" in text[match.end() :][:2]:
            continue
        if match["month"]:
            yield *match.span(), MONTHS[(MONTHS.index(match["month"]) + 1) % 12]
        else:
            right = int(match["number"])
            for other in {right + 1, max(right - 1, 0)} - {right}:
                yield *match.span(), f"{other:0{len(match['number'])}d}"
    for contact in one.contacts:
        for match in re.finditer(re.escape(contact.value), text):
            for place in [place for place, sign in enumerate(contact.value) if sign.isdigit()]:
                wrong = str((int(contact.value[place]) + 1) % 10)
                yield match.start() + place, match.start() + place + 1, wrong


def with_weekdays(message: Message, one: Announcement, off: int) -> Mapping[str, str]:
    """The message's parts with the weekday after every date, `off` days late."""
    days = {day for held in instants(one) for day in (held.instant.date(), held.instant.date() - timedelta(days=1))}
    known = {(day.month, day.day, day.year) for day in days}

    def chinese(match: re.Match[str]) -> str:
        return f"{match[0]}（星期{'一二三四五六日'[(day_of(match).weekday() + off) % 7]}）"

    def english(match: re.Match[str]) -> str:
        return f"{(day_of(match) + timedelta(days=off)):%A}, {match[0]}"

    def day_of(match: re.Match[str]) -> date:
        month = int(match["month"]) if match["month"].isdigit() else MONTHS.index(match["month"]) + 1
        years = sorted(year for m, d, year in known if (m, d) == (month, int(match["day"])))
        return date(int(match["year"] or years[0]), month, int(match["day"]))

    if message.language == "en":
        form, put = rf"(?P<day>\d{{1,2}}) (?P<month>{'|'.join(MONTHS)})(?: (?P<year>\d{{4}}))?", english
    else:
        form, put = r"(?:(?P<year>\d{4})年)?(?P<month>\d+)月(?P<day>\d+)日", chinese
    return {part: re.sub(form, put, text) for part, text in message.parts.items()}
