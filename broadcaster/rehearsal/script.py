"""Scripts: what an operator does during a rehearsal, and when.

- {at: 2022-03-20 24:00, do: finish}
- {at: 2022-03-01 09:00, do: cancel, reason: the migration was put off}
- {at: 2022-03-18 10:00, do: extend, until: 2022-03-24 24:00}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter, ValidationError, model_validator

from broadcaster.announcement.model import Announcement, Frozen
from broadcaster.announcement.source import explain, read_source
from broadcaster.announcement.times import Instant
from broadcaster.errors import InputError


class Verb(StrEnum):
    """What an operator can do."""

    FINISH = "finish"
    CANCEL = "cancel"
    EXTEND = "extend"
    RESCHEDULE = "reschedule"
    REINSTATE = "reinstate"


_NEEDS: Mapping[Verb, tuple[str, ...]] = {Verb.EXTEND: ("until",), Verb.RESCHEDULE: ("start", "until")}
_TAKES: Mapping[Verb, tuple[str, ...]] = {
    Verb.EXTEND: ("until", "resume"),
    Verb.RESCHEDULE: ("start", "until", "resume"),
    Verb.REINSTATE: ("start", "until"),
}


class Act(Frozen):
    """One deed at one instant of campaign time."""

    at: Instant
    do: Verb
    reason: str = ""
    start: Instant | None = None
    until: Instant | None = None
    resume: Instant | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in _NEEDS.get(self.do, ()):
            if getattr(self, name) is None:
                raise ValueError(f"`{self.do}` needs `{name}:`")
        for name in ("start", "until", "resume"):
            if getattr(self, name) is not None and name not in _TAKES.get(self.do, ()):
                raise ValueError(f"`{self.do}` takes no `{name}:`")
        return self


_ACTS = TypeAdapter(tuple[Act, ...])


def read_script(path: Path, announcement: Announcement) -> tuple[Act, ...]:
    """Read a script; local times are in the announcement's zone. Raises InputError with every problem in it."""
    source = read_source(path)
    try:
        acts = _ACTS.validate_python(source.data, context={"zone": announcement.zone_info})
    except ValidationError as error:
        raise InputError([*source.repeats(), *source.problems(tuple(explain(error)))]) from error
    if source.repeated:
        raise InputError(source.repeats())
    return tuple(sorted(acts, key=lambda act: act.at))


def default_script(announcement: Announcement) -> Sequence[Act]:
    """Finish at the planned end; nothing when the end is not known."""
    end = announcement.window.end
    return (Act(at=end, do=Verb.FINISH),) if end else ()
