"""Scripts: what an operator does during a rehearsal, and when; and, if wanted, how the providers misbehave.

- {at: 2022-03-20 24:00, do: finish}
- {at: 2022-03-01 09:00, do: cancel, reason: the migration was put off}
- {at: 2022-03-18 10:00, do: extend, until: 2022-03-24 24:00}

With providers that are no help, the deeds are under `acts`:

sandbox: {sms: [{name: gateway, idempotency: none}]}       # these stand-ins instead of the usual ones
trouble: [{channel: sms, kind: drop_after, share: 0.01}]   # faults of the sandbox, until `do: calm`
acts:
  - {at: 2022-03-18 09:00, do: calm}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError, model_validator

from broadcaster.announcement.model import Announcement, Frozen
from broadcaster.announcement.source import explain, read_source
from broadcaster.announcement.times import Instant
from broadcaster.errors import InputError
from broadcaster.sandbox.faults import Fault


class Verb(StrEnum):
    """What an operator can do; `calm` ends the sandbox's trouble."""

    FINISH = "finish"
    CANCEL = "cancel"
    EXTEND = "extend"
    RESCHEDULE = "reschedule"
    REINSTATE = "reinstate"
    CALM = "calm"


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


class Script(Frozen):
    """Deeds in the order of time, and the sandbox in which they are done."""

    acts: tuple[Act, ...] = ()
    sandbox: Mapping[str, tuple[Mapping[str, Any], ...]] = {}
    """Channel → fields of each of its stand-ins, where they are not the usual ones."""
    plain_numbers: bool = False
    """Whether no generated person has a number that stand-ins refuse, or cannot reach, by its ending."""
    trouble: tuple[Fault, ...] = ()
    """Faults that the sandbox is ordered from the beginning."""


_ACTS = TypeAdapter(tuple[Act, ...])
_SCRIPT = TypeAdapter(Script)


def read_script(path: Path, announcement: Announcement) -> Script:
    """Read a script; local times are in the announcement's zone. Raises InputError with every problem in it."""
    source = read_source(path)
    context = {"zone": announcement.zone_info}
    try:
        if isinstance(source.data, dict) and Script.model_fields.keys() & source.data.keys():
            script = _SCRIPT.validate_python(source.data, context=context)
        else:
            script = Script(acts=_ACTS.validate_python(source.data, context=context))
    except ValidationError as error:
        raise InputError([*source.repeats(), *source.problems(tuple(explain(error)))]) from error
    if source.repeated:
        raise InputError(source.repeats())
    return script.model_copy(update={"acts": tuple(sorted(script.acts, key=lambda act: act.at))})


def default_script(announcement: Announcement) -> Script:
    """Finish at the planned end; nothing when the end is not known."""
    end = announcement.window.end
    return Script(acts=(Act(at=end, do=Verb.FINISH),) if end else ())


def trouble_orders(script: Script) -> Sequence[dict[str, Any]]:
    """The faults as the sandbox is ordered them."""
    return [fault.model_dump(mode="json") for fault in script.trouble]
