"""The events that partners receive, as types: what is sent is of them, and the published schemas are theirs.

Source: standardwebhooks.com/spec (`type`, `timestamp` and `data`; types are words joined by dots; under 20 kB).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from broadcaster.announcement.model import AccessPointKind, ImpactState, Severity
from broadcaster.planning.phase import Phase

TEST = "endpoint.test"
"""The event that shows whether an endpoint works; it tells nothing of any outage."""
CAN_BE_LEFT_OUT = (Phase.NOTICE, Phase.REMINDER, Phase.STARTED, Phase.ONGOING)
"""The phases that an endpoint may do without. The others take back what it was told, and always come."""


def type_of(phase: Phase) -> str:
    """The type of the event that tells a phase."""
    return f"outage.{phase}"


_described = with_config(ConfigDict(use_attribute_docstrings=True))
"""The schemas say what stands below a field. They forbid no further fields: later versions may add some."""


@_described
class Span(TypedDict):
    """From `start` to `end`, the end not included."""

    start: AwareDatetime
    end: AwareDatetime | None
    """None: nobody can say yet."""


@_described
class Named(TypedDict):
    """A service, by the id that `impacts` use and its name in the event's language."""

    id: str
    name: str


@_described
class Place(Named):
    """An access point: where the public meets a service."""

    kind: AccessPointKind


@_described
class ImpactRow(TypedDict):
    """Which services are in which state at which access points, from when to when."""

    id: str
    services: tuple[str, ...]
    access_points: tuple[str, ...]
    state: ImpactState
    window: Span
    last_acceptance: AwareDatetime
    """Applications are taken until then."""
    resume: AwareDatetime | None


@_described
class Change(TypedDict):
    """A fact that is another one than this endpoint was told before; None: there was none, or there is none now."""

    fact: str
    """Such as `window.end`, `resume`, `status` or `impact.<id>.start`."""
    old: str | None
    new: str | None


@_described
class Addressee(TypedDict):
    """Which endpoint the event is for."""

    id: str
    endpoint: str
    language: str


class OutagePlan(TypedDict):
    """What an announcement says in one language, whoever is told and whyever.

    Words below a field would not be those of a type that is built upon it.
    """

    severity: Severity
    title: str
    owner: Annotated[str, Field(description="The organisation that stops the service.")]
    zone: Annotated[str, Field(description="The IANA time zone in which the organisation counts its days.")]
    window: Annotated[
        Span,
        Field(
            description="When service stops and, as planned, ends to be stopped; what is true of its end is told by the"
            " phase."
        ),
    ]
    resume: Annotated[AwareDatetime | None, Field(description="When service is expected back.")]
    services: tuple[Named, ...]
    access_points: tuple[Place, ...]
    impacts: tuple[ImpactRow, ...]
    language: str


@_described
class OutageData(OutagePlan):
    """One outage, as it is true when the event is made."""

    broadcast: str
    """The occasion: every endpoint gets the same one."""
    announcement: str
    """The outage's name, the same in all of its events."""
    revision: Annotated[int, Field(ge=1)]
    """Rises with every change of the outage's plan; never falls."""
    phase: Phase
    restored_at: AwareDatetime | None
    """Since when service is back; in `outage.restored` only."""
    complete: bool
    """Whether services, access points, impacts and changes are all here; else read them behind `link`."""
    changes: tuple[Change, ...]
    """What is no longer as this endpoint was told, in an `outage.changed`."""
    texts: dict[str, str]
    """What to show to people, by language."""
    link: str | None
    expires_at: AwareDatetime
    """When the event stops being true: whatever is still held then is to be dropped."""
    replay: bool
    """Whether somebody asked for this event: it repeats what is true now, and nothing new has happened."""
    to: tuple[Addressee, ...]


@_described
class TestData(TypedDict):
    """What an `endpoint.test` says."""

    endpoint: str
    text: str


@_described
class OutageEvent(TypedDict):
    """An event of an outage. The newest is the one with the highest `revision`, and of these the latest `timestamp`."""

    type: Literal[
        "outage.notice",
        "outage.reminder",
        "outage.started",
        "outage.ongoing",
        "outage.changed",
        "outage.overrun",
        "outage.restored",
        "outage.cancelled",
    ]
    timestamp: AwareDatetime
    """When the event was made, not when it was sent."""
    data: OutageData


@_described
class TestEvent(TypedDict):
    """Sent on request, to see whether an endpoint takes events; tells nothing of any outage."""

    type: Literal["endpoint.test"]
    timestamp: AwareDatetime
    data: TestData
