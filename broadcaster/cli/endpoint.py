"""`endpoint add`, `test`, `rotate`, `disable`, `enable`, `list`, `replay` and `schema`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import typer
from sqlalchemy import Row

from broadcaster import clock
from broadcaster.channels.registry import REGISTERED
from broadcaster.channels.webhook.events import type_of
from broadcaster.channels.webhook.schema import document
from broadcaster.cli.failures import WRONG
from broadcaster.cli.screen import console, minute, print_json, table
from broadcaster.cli.session import operator, session
from broadcaster.delivery import replaying
from broadcaster.delivery.messages import Press
from broadcaster.delivery.replaying import Replayed, Span
from broadcaster.errors import DeliveryError, InputError, StateError
from broadcaster.operations.endpoints import Registry, checked, known, send_test
from broadcaster.storage import endpoints
from broadcaster.storage.endpoints import Registration
from broadcaster.wiring import App

_ONCE = "it is not shown again, and nobody can look it up"


def add(name: str, url: str, label: str, language: str, events: list[str], *, as_json: bool) -> None:
    """Register an endpoint and print its secret."""
    with _registry() as (parts, registry):
        allowed = parts.site.allow_private_addresses
        wanted = checked(Registration(name, url, label, language, tuple(events)), allow_private=allowed)
        secret, silent = registry.add(wanted), registry.unnamed_in()
    if as_json:
        print_json({"name": name, "secret": secret, "not_named_in": silent})
        return
    console.print(f"{name}: registered, and told of everything from now on")
    _show(secret)
    for slug in silent:
        console.print(f"{slug} tells it nothing: its policy does not name the channel {REGISTERED.slug}")
    console.print(f"  broadcaster endpoint test {name}")


def test(name: str, *, as_json: bool) -> None:
    """Send a test to an endpoint and say what came back."""
    with session() as parts:
        with parts.database.begin() as connection:
            provider = endpoints.provider_of(known(connection, name), parts.vault, parts.site.endpoint_timeout_seconds)
        try:
            seconds = send_test(provider, parts.transport())
        except DeliveryError as error:
            raise StateError(f"the test was not accepted: {error.message}", hint=error.hint) from error
    if as_json:
        print_json({"name": name, "accepted": True, "seconds": round(seconds, 3)})
    else:
        console.print(f"{name}: accepted the test within {seconds:.2f} s")


def rotate(name: str, keep_hours: float, *, at_once: bool, as_json: bool) -> None:
    """Give an endpoint a new secret and print it."""
    with _registry() as (_, registry):
        secret, until = registry.rotate(name, timedelta(hours=keep_hours), at_once=at_once)
    if as_json:
        print_json({"name": name, "secret": secret, "previous_until": until.isoformat()})
        return
    console.print(f"{name}: events are signed with both secrets until {_utc(until)}, then with the new one alone")
    _show(secret)


def disable(name: str, reason: str) -> None:
    """Let an endpoint be told nothing more."""
    with _registry() as (_, registry):
        registry.disable(name, reason)
    console.print(f"{name}: told nothing more before `broadcaster endpoint enable {name}`")


def enable(name: str) -> None:
    """Let an endpoint be told again."""
    with _registry() as (_, registry):
        registry.enable(name)
    console.print(f"{name}: told again, first what is true now")


def show_all(*, as_json: bool) -> None:
    """Print every endpoint and how it is; never a secret."""
    with session() as parts, parts.database.begin() as connection:
        found = endpoints.everyone(connection)
    if as_json:
        print_json([_data(row) for row in found])
        return
    shown = table(None, ("name", "label", "language", "last accepted", "url", "state"))
    for row in found:
        accepted = _utc(row.accepted_at) if row.accepted_at else "never"
        shown.add_row(row.name, row.label, row.language, accepted, row.url, _state(row))
    console.print(shown if found else "no endpoint is registered: `broadcaster endpoint add`")


def replay(name: str, since: str, until: str | None, *, as_json: bool) -> None:
    """Tell an endpoint what is true now of whatever it was to be told in a range."""
    now = clock.now()
    span = Span(_instant("--since", since), _instant("--until", until) if until else now)
    with session() as parts:
        with parts.database.begin() as connection:
            row = known(connection, name)
            if row.disabled_at is not None:
                raise StateError(f"{name} is disabled: {row.disabled_for}", hint=f"broadcaster endpoint enable {name}")
            provider = endpoints.provider_of(row, parts.vault, parts.site.endpoint_timeout_seconds)
            press = Press(parts.templates)
            calls = replaying.prepare(connection, parts.vault, press, REGISTERED, provider, span)
        found = list(replaying.send(calls, REGISTERED, provider, parts.transport()))
        with parts.database.begin() as connection:
            replaying.record(connection, provider, found, operator(), now)
    _show_replayed(name, found, as_json=as_json)
    if any(one.trouble for one in found):
        raise typer.Exit(WRONG)


def _show_replayed(name: str, found: list[Replayed], *, as_json: bool) -> None:
    rows = [
        {"slug": one.call.announcement, "type": type_of(one.call.phase), "id": one.call.key, "trouble": one.trouble}
        for one in found
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        console.print(f"{row['slug']}: {row['type']}, {row['trouble'] or 'accepted'}")
    if not rows:
        console.print(f"{name} was to be told nothing in that time, or it is held back")


def _instant(option: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError.one(f"{option}: {text!r} is no instant", hint="with its offset: 2022-03-01T08:00+08:00")
    return found


def schema() -> None:
    """Print the published schemas."""
    print_json(document())


@contextmanager
def _registry() -> Iterator[tuple[App, Registry]]:
    with session() as parts, parts.database.begin() as connection:
        yield parts, Registry(connection, parts.vault, parts.reach, operator(), clock.now())


def _show(secret: str) -> None:
    console.print(f"secret: {secret}")
    console.print(f"  {_ONCE}")


def _state(row: Row[Any]) -> str:
    if row.disabled_at is not None:
        return f"disabled since {minute(row.disabled_at)}: {row.disabled_for}"
    said = [f"fails since {_utc(row.failing_since)}: {row.trouble}"] if row.failing_since else ["works"]
    if endpoints.has_previous(row):
        said.append(f"two secrets until {_utc(row.previous_until)}")
    if row.events:
        said.append(f"only {', '.join(row.events)}")
    return "; ".join(said)


def _data(row: Row[Any]) -> dict[str, Any]:
    secret = ("mark", "secret", "previous")
    found = {name: value for name, value in row._mapping.items() if name not in secret}
    return {**found, "enabled": row.disabled_at is None}


def _utc(instant: datetime) -> str:
    return f"{minute(instant.astimezone(UTC))} UTC"
