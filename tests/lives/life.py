"""A life: what operators, people, providers and time do to one announcement, as a value that Hypothesis draws."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st

from broadcaster.channels.base import Idempotency
from tests.lives.provider import Fate

ENDS = (12, 16, 20, 24)
"""Days after the first one at which the outage may be planned to end."""
STARTS = (7, 9, 10)
COUNTERS = (0, 6, 12)
"""Hours before the start until which counters take business."""
PEOPLE = 6


@dataclass(frozen=True, slots=True)
class Extend:
    """An operator moves the end (earlier too)."""

    end: int


@dataclass(frozen=True, slots=True)
class Reschedule:
    """An operator moves the start."""

    start: int


@dataclass(frozen=True, slots=True)
class Counters:
    """An operator changes until when counters take business, which concerns only some."""

    hours: int


@dataclass(frozen=True, slots=True)
class TwoOperators:
    """Both look at their plan, then both carry it out."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """An operator calls it off."""


@dataclass(frozen=True, slots=True)
class Reinstate:
    """An operator takes the cancelling back, perhaps with another end."""

    end: int | None


@dataclass(frozen=True, slots=True)
class Finish:
    """An operator says that service is back, since some hours ago."""

    hours_ago: int


@dataclass(frozen=True, slots=True)
class Import:
    """The audience is now these people."""

    people: frozenset[int]


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody wants no message any more; told again, they change their mind."""

    person: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes, and nothing of the product runs meanwhile."""

    hours: int


@dataclass(frozen=True, slots=True)
class Work:
    """The scheduler looks around once and workers carry what is ready; the calls meet these fates, then good ones."""

    fates: tuple[Fate, ...] = ()
    meanwhile: Extend | Cancel | OptOut | None = None


@dataclass(frozen=True, slots=True)
class Receive:
    """A provider says of something that it showed whether it arrived."""

    which: int
    arrived: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """Everything runs until there is nothing left to do."""


Step = (
    Extend | Reschedule | Counters | TwoOperators | Cancel | Reinstate | Finish
    | Import | OptOut | Wait | Work | Receive | Quiet
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Life:
    """One life. `classes` are those of the providers of SMS; `quiet_hours` whether SMS are silent at night."""

    classes: tuple[Idempotency, ...]
    published: int
    quiet_hours: bool
    steps: tuple[Step, ...]


HOUR = timedelta(hours=1)
_end = st.sampled_from(ENDS)
_extend = st.builds(Extend, _end)
_person = st.integers(0, PEOPLE - 1)
_fates = st.lists(st.sampled_from(list(Fate)), min_size=1, max_size=4).map(tuple)
_meanwhile = st.one_of(_extend, st.builds(OptOut, _person), st.just(Cancel()))
_import = st.frozensets(st.integers(2, PEOPLE - 1)).map(lambda people: Import(people | {0}))
"""Somebody with the tag stays: an announcement that names a tag nobody has is refused."""
_work = st.builds(Work, _fates, _meanwhile)
_deed = st.one_of(
    _extend,
    st.builds(Wait, st.sampled_from((1, 14, 24, 96, 240, 500))),
    st.just(Cancel()),
    st.builds(Reinstate, st.none() | _end),
    st.builds(Receive, st.integers(0, 40), st.booleans()),
    _import,
    _extend,
    st.builds(OptOut, _person),
    st.builds(Wait, st.sampled_from((96, 240, 500))),
    st.builds(Counters, st.sampled_from(COUNTERS)),
    st.builds(Finish, st.sampled_from((0, 0, 30))),
    st.builds(TwoOperators, _end, _end),
    st.builds(Reschedule, st.sampled_from(STARTS)),
)
_carried = st.one_of(st.just(()), st.just((Quiet(),)), _work.map(lambda work: (work,)), _work.map(lambda work: (work,)))
"""What the product does after a deed: nothing, everything, or a little of it that goes wrong."""
_chapter = st.tuples(_deed, _carried).map(lambda chapter: (chapter[0], *chapter[1]))
_chapters = st.lists(_chapter, min_size=1, max_size=5)


def lives() -> st.SearchStrategy[Life]:
    """Every life, the short and simple ones first."""
    return st.builds(
        Life,
        classes=st.lists(st.sampled_from(list(Idempotency)), min_size=1, max_size=2).map(tuple),
        published=st.sampled_from((0, 8, 11)),
        quiet_hours=st.booleans(),
        steps=st.builds(lambda first, rest: (*first, *itertools.chain.from_iterable(rest)), _carried, _chapters),
    )
