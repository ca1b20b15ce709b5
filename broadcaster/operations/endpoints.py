"""Endpoints: registering partners' endpoints, and whatever an operator does with one.

A secret is made here and given back once; what the database has of it is sealed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row

from broadcaster import clock
from broadcaster.announcement.model import Identifier
from broadcaster.announcement.text import Language
from broadcaster.channels.addresses import is_private
from broadcaster.channels.gateway import new_secret
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import REGISTERED
from broadcaster.channels.transport import Transport
from broadcaster.channels.webhook.events import CAN_BE_LEFT_OUT, TEST, type_of
from broadcaster.channels.webhook.wire import raise_for_partner
from broadcaster.errors import InputError, Problem, StateError
from broadcaster.operations.advance import replan_all
from broadcaster.operations.reach import Reach
from broadcaster.planning.phase import Phase
from broadcaster.site import Url
from broadcaster.storage import announcements, endpoints, events
from broadcaster.storage.audiences import UNSET_LANGUAGE
from broadcaster.storage.endpoints import Registration
from broadcaster.vault import Vault

_NAME, _URL, _LANGUAGE = TypeAdapter(Identifier), TypeAdapter(Url), TypeAdapter(Language)
_TYPES = tuple(type_of(phase) for phase in Phase)
_SAID = "This is a test: the endpoint works. No service is suspended because of it."


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry in one transaction, for one operator; `now` is campaign time."""

    connection: Connection
    vault: Vault
    reach: Mapping[str, Reach]
    actor: str
    now: datetime

    def add(self, wanted: Registration, secret: str | None = None) -> str:
        """Register an endpoint; gives its secret, which is a new one unless it is given.

        Raises StateError when the name is taken.
        """
        endpoints.own(self.connection)
        if endpoints.find(self.connection, wanted.name):
            hint = "`broadcaster endpoint list` has them all"
            raise StateError(f"there is an endpoint {wanted.name} already", hint=hint)
        made = secret or new_secret()
        endpoints.add(self.connection, self.vault, wanted, made, self.actor, self.now)
        self._changed("add endpoint", wanted.name)
        return made

    def rotate(self, name: str, keep: timedelta, *, at_once: bool = False) -> tuple[str, datetime]:
        """Give an endpoint a new secret beside the present one: the new one, and until when (machine time) both count.

        Raises StateError while two count already, unless the older one may end `at_once`.
        """
        row = self._one(name)
        if endpoints.has_previous(row) and not at_once:
            hint = "--at-once ends it now: who still verifies with it alone refuses every event"
            raise StateError(
                f"{name}: the secret before the present one still counts until {row.previous_until:%Y-%m-%d %H:%M} UTC",
                hint=hint,
            )
        made, until = new_secret(), clock.machine_now() + keep
        endpoints.rotate(self.connection, self.vault, row, made, until, self.now)
        events.record(self.connection, self.actor, "rotate endpoint", "", self.now, {"endpoint": name})
        return made, until

    def disable(self, name: str, reason: str) -> None:
        """Let it be told nothing more, from the next call on."""
        row = self._one(name)
        if row.disabled_at is not None:
            raise StateError(f"{name} is disabled already: {row.disabled_for}")
        endpoints.disable(self.connection, name, self.actor, reason or "an operator disabled it", self.now)
        self._changed("disable endpoint", name)

    def enable(self, name: str) -> None:
        """Let it be told again, and what is true now first."""
        if self._one(name).disabled_at is None:
            raise StateError(f"{name} is not disabled")
        endpoints.enable(self.connection, name)
        self._changed("enable endpoint", name)

    def unnamed_in(self) -> list[str]:
        """The announcements under way whose policy does not name the channel: they tell no endpoint anything."""
        return [
            row.slug
            for row in announcements.live(self.connection)
            if row.approved_revision
            and (stored := announcements.revision(self.connection, row.slug, row.approved_revision))
            and REGISTERED.slug not in stored.proposal.policy.channels
        ]

    def _one(self, name: str) -> Row[Any]:
        endpoints.own(self.connection)
        return known(self.connection, name)

    def _changed(self, verb: str, name: str) -> None:
        """The recipients follow, and so does the plan: whoever is new is told what is true now."""
        events.record(self.connection, self.actor, verb, "", self.now, {"endpoint": name})
        endpoints.make_recipients(self.connection, REGISTERED.pool, self.vault, self.now)
        replan_all(self.connection, self.now, self.reach)


def known(connection: Connection, name: str) -> Row[Any]:
    """An endpoint; raises StateError when there is none of this name."""
    row = endpoints.find(connection, name)
    if row is None:
        raise StateError(f"there is no endpoint {name}", hint="`broadcaster endpoint list` has them all")
    return row


def checked(wanted: Registration, *, allow_private: bool) -> Registration:
    """What somebody wants to register, complete; raises InputError with whatever can be seen to be wrong with it."""
    problems = list(_problems(wanted, allow_private=allow_private))
    if problems:
        raise InputError(problems)
    language = wanted.language or UNSET_LANGUAGE
    return Registration(wanted.name, wanted.url, wanted.label or wanted.name, language, tuple(sorted(wanted.events)))


def send_test(provider: Provider, transport: Transport) -> float:
    """Send a test to an endpoint; gives the seconds that its answer took. Raises a DeliveryError when it is no 2xx."""
    began, data = clock.machine_now(), {"endpoint": provider.name, "text": _SAID}
    transport.post_event(provider, f"test-{uuid.uuid4().hex}", TEST, clock.now(), data, check=raise_for_partner)
    return (clock.machine_now() - began).total_seconds()


def _problems(wanted: Registration, *, allow_private: bool) -> Iterator[Problem]:
    if not _fits(_NAME, wanted.name):
        yield Problem(f"{wanted.name!r} is no name", hint="lower-case words joined by hyphens, such as icbc-qingdao")
    if wanted.language and not _fits(_LANGUAGE, wanted.language):
        yield Problem(f"--language: {wanted.language!r} is no language tag", hint="such as zh-Hans or en")
    yield from _of_types(wanted.events)
    yield from _of_url(wanted.url, allow_private=allow_private)


def _of_types(types: Collection[str]) -> Iterator[Problem]:
    for type_ in types:
        if type_ not in _TYPES:
            yield Problem(f"--event: there is no event {type_!r}", hint=f"known: {', '.join(_TYPES)}")
    chosen = [type_of(phase) for phase in CAN_BE_LEFT_OUT]
    if types and not set(types) & set(chosen) and set(types) <= set(_TYPES):
        hint = f"at least one of {', '.join(chosen)}"
        yield Problem("--event: only what takes back other events is chosen", hint=hint)


def _of_url(url: str, *, allow_private: bool) -> Iterator[Problem]:
    if not _fits(_URL, url) or not _is_usable(url):
        # Not shown: it may hold a key.
        yield Problem("--url: it is not a usable URL", hint="such as https://partner.example/outages")
    elif urlsplit(url).username or urlsplit(url).password:
        hint = "events are signed; a name and password in the URL would end up in logs"
        yield Problem("--url: it holds a name or a password", hint=hint)
    elif not allow_private and is_private(url):
        hint = "`allow_private_addresses: true` in the site's configuration when that is meant"
        yield Problem("--url: its address is private", hint=hint)


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and not parts.fragment and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _fits(kind: TypeAdapter[Any], value: str) -> bool:
    try:
        kind.validate_python(value)
    except ValidationError:
        return False
    return True
