"""Providers: one account at one supplier behind a channel, as the site's configuration names it.

Besides where calls go, a provider says how much it may be asked to do: how fast (`Pace`), how much in all (`Quota`),
and when to leave it alone for a while (`BreakerRule`). `docs/site.md` explains each field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from broadcaster.channels.options import NO_OPTIONS, Options
from broadcaster.planning.phase import Phase

PREVIOUS = "previous"
"""The name among further secrets of the one that was replaced and still counts: calls are signed with both."""


class Idempotency(StrEnum):
    """What repeating a call means at its provider."""

    IDEMPOTENT = "idempotent"
    """The provider dedupes on our key: after an ambiguous failure the same call is made again."""
    QUERYABLE = "queryable"
    """The provider can be asked what became of a call."""
    NONE = "none"
    """After an ambiguous failure the outcome stays unknown; it is shown, counted, and never silently sent again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a provider may be called, by all workers together; None is no limit. A message is one recipient."""

    calls_per_second: float | None = None
    messages_per_second: float | None = None

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self.calls_per_second is not None or self.messages_per_second is not None


@dataclass(frozen=True, slots=True)
class Quota:
    """How many messages a provider takes in all, by calendar days and months; None is no limit."""

    per_day: int | None = None
    per_month: int | None = None
    per_recipient_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When a provider's circuit opens: never on one failure, but when most of what was tried lately failed."""

    failures: float = 0.5
    """The share of calls that failed, in (0, 1], at which it opens."""
    calls: int = 20
    """The fewest calls in the window before it may open."""
    window_seconds: float = 30
    """How far back calls count."""
    open_seconds: float = 15
    """How long no call is made, before a single one probes whether the provider is back."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a channel's calls go. `timeout` is in seconds; secrets never show in a repr."""

    name: str
    url: str
    secret: str = field(repr=False)
    label: str = ""
    language: str = ""
    timeout: float = 15.0
    idempotency: Idempotency | None = None
    """What repeating a call means here; None: what the channel's adapter says."""
    visible_after: timedelta | None = None
    """How long after a call its "never seen" settles nothing; None: what the channel's adapter says."""
    members_per_call: int | None = None
    """The most recipients in one call; None: what the channel's adapter says."""
    weight: int = 1
    """Its share of the channel's calls beside the other providers' weights; 0: only while all others are shut."""
    pace: Pace = Pace()
    quota: Quota = Quota()
    breaker: BreakerRule = BreakerRule()
    supplier: str = "webhook"
    """Whose format it speaks, by the channel's word for it."""
    options: Options = NO_OPTIONS
    """What its supplier needs to be told of it, as the supplier's own kind of options."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Its further secrets by name."""
    callback_url: str = ""
    """Where it reaches us: `<public_url>/callbacks/<channel>/<name>`."""
    phases: frozenset[Phase] | None = None
    """The phases of which it is told, where it is a recipient that chose them; None: all of them."""
    falters: bool = False
    """Whether it failed when it was called last: those that do not are called before it."""

    @property
    def signing(self) -> tuple[str, ...]:
        """The secrets with which its calls are signed in our own format, the present one first."""
        previous = self.secrets.get(PREVIOUS)
        return (self.secret, previous) if previous else (self.secret,)
