"""The announcement: one planned outage's public truth, as frozen values.

The models check shapes and types. What holds between fields (an end after its start, a known service in an impact) is
in `rules.py`, so that every such problem of a file is found in one go.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from broadcaster.announcement.text import Language, LocalizedText, Words
from broadcaster.announcement.times import Day, Instant, zone_of

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
"""Lower-case words joined by hyphens."""

EVERYONE = "everyone"
"""The segment that no tag and no language narrows."""


class Frozen(BaseModel):
    """A value: immutable, and strict about fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Severity(StrEnum):
    """How much the outage means to the public; it decides colours and urgency, never whether a message goes out."""

    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Window(Frozen):
    """A half-open interval `[start, end)`; an unknown end is None."""

    start: Instant
    end: Instant | None = None

    def contains(self, instant: datetime) -> bool:
        """Whether `instant` lies in the window; an unknown end does not close it."""
        return self.start <= instant and (self.end is None or instant < self.end)

    def overlaps(self, other: Window) -> bool:
        """Whether the two windows share an instant."""
        return (other.end is None or self.start < other.end) and (self.end is None or other.start < self.end)


class Service(Frozen):
    """A group of business that stops together, with the procedures that people know it by."""

    id: Identifier
    name: LocalizedText
    short_name: LocalizedText | None = None
    """For a medium with little room, such as an SMS; the name when absent."""
    items: tuple[LocalizedText, ...] = ()


class AccessPointKind(StrEnum):
    """Where the public meets a service."""

    HALL = "hall"
    BANK_COUNTER = "bank_counter"
    HOSPITAL = "hospital"
    PLATFORM = "platform"
    SITE = "site"
    APP = "app"
    WECHAT_ACCOUNT = "wechat_account"
    KIOSK = "kiosk"
    ENTERPRISE_LINE = "enterprise_line"
    PHONE_LINE = "phone_line"
    DATA_EXCHANGE = "data_exchange"


class AccessPoint(Frozen):
    """One place or line at which a service is used."""

    id: Identifier
    kind: AccessPointKind
    name: LocalizedText


class ImpactState(StrEnum):
    """What happens to a service at an access point."""

    SUSPENDED = "suspended"
    PARTIAL = "partial"
    READ_ONLY = "read_only"
    UNAFFECTED = "unaffected"


class Impact(Frozen):
    """A row of the impact matrix: these services, at these access points, are in this state for this window."""

    id: Identifier
    services: tuple[Identifier, ...]
    access_points: tuple[Identifier, ...]
    state: ImpactState
    window: Window | None = None
    """The announcement's window when absent."""
    last_acceptance: Instant | None = None
    """Applications are taken until then; the window's start when absent."""
    resume: Instant | None = None
    """The announcement's resume time when absent."""
    audience: Words = EVERYONE
    """The segment of the people whom this row concerns: nobody else is woken when it changes."""


class AdviceKind(StrEnum):
    """What a person is told to do or to expect."""

    DO_BEFORE = "do_before"
    ALTERNATIVE = "alternative"
    CATCH_UP = "catch_up"
    PAYMENT_MOVED = "payment_moved"
    ENTITLEMENT_KEPT = "entitlement_kept"


class Advice(Frozen):
    """A typed consequence of the outage for people."""

    kind: AdviceKind
    text: LocalizedText
    short_text: LocalizedText | None = None
    """For an SMS; the text when absent."""
    deadline: Instant | None = None


class ContactKind(StrEnum):
    """How a contact is reached."""

    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"


class Origin(StrEnum):
    """Whether a detail stands in the owner's notice (`source`) or was added by the operator (`added`)."""

    SOURCE = "source"
    ADDED = "added"


class Contact(Frozen):
    """Whom the public can ask."""

    kind: ContactKind
    value: Words
    name: LocalizedText
    origin: Origin = Origin.SOURCE


class Link(Frozen):
    """Where the public can read more. The first link of an announcement is the one that short messages carry."""

    url: Annotated[str, StringConstraints(pattern=r"^https://[^\s]+$", max_length=1024)]
    name: LocalizedText


class Owner(Frozen):
    """The organisation that stops the service."""

    name: LocalizedText
    signature: LocalizedText
    """The registered SMS signature, without its brackets."""


def _known_zone(name: str) -> str:
    zone_of(name)
    return name


class Announcement(Frozen):
    """One planned outage's public truth. Build one with `parse` or `read`, which also hold it to the rules."""

    slug: Identifier
    zone: Annotated[str, AfterValidator(_known_zone)]
    """IANA time zone in which every time is shown."""
    zone_name: LocalizedText | None = None
    """What people call the zone, such as Beijing time; its offset from UTC when absent."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    """Languages that every text has; the first is the default."""
    severity: Severity = Severity.MAJOR
    owner: Owner
    title: LocalizedText
    subject: LocalizedText
    """The stopped business in a few words, for the middle of a sentence."""
    reason: LocalizedText
    window: Window
    resume: Instant | None = None
    """When service is expected back; the window's end when absent."""
    services: Annotated[tuple[Service, ...], Field(min_length=1)]
    access_points: Annotated[tuple[AccessPoint, ...], Field(min_length=1)]
    impacts: Annotated[tuple[Impact, ...], Field(min_length=1)]
    advice: tuple[Advice, ...] = ()
    contacts: tuple[Contact, ...] = ()
    links: tuple[Link, ...] = ()
    also_true: tuple[Day, ...] = ()
    """Other days that the texts tell, and that are no times of the outage: of a payment, of an earlier notice."""

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone itself."""
        return ZoneInfo(self.zone)

    @property
    def resumes_at(self) -> datetime | None:
        """When service is expected back; None when nobody can say yet."""
        return self.resume or self.window.end

    def window_of(self, impact: Impact) -> Window:
        """The impact's own window, else the announcement's."""
        return impact.window or self.window

    def resume_of(self, impact: Impact) -> datetime | None:
        """The impact's own resume time, else its own window's end, else the announcement's."""
        own_end = impact.window.end if impact.window else None
        return impact.resume or own_end or self.resumes_at

    @classmethod
    def restore(cls, data: dict[str, Any]) -> Announcement:
        """The announcement from its own JSON form, as stored."""
        return cls.model_validate(data, context={"zone": zone_of(data["zone"])})
