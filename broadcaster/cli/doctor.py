"""`doctor`: what is configured, what answers, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial

import typer

from broadcaster import settings as settings_module
from broadcaster.channels.base import Channel
from broadcaster.channels.registry import CHANNELS, REGISTERED
from broadcaster.channels.transport import Transport
from broadcaster.cli.failures import WRONG
from broadcaster.cli.screen import console, print_json, table
from broadcaster.delivery.rounds import TICK
from broadcaster.errors import BroadcasterError, InputError, StateError
from broadcaster.hosting import check_broker, hosted
from broadcaster.rendering.environment import Templates
from broadcaster.settings import Settings
from broadcaster.site import OperatorConfig, ProviderConfig, Site, resolve, resolve_operator
from broadcaster.storage import endpoints, heartbeats
from broadcaster.storage.database import Database
from broadcaster.storage.migrate import is_current
from broadcaster.wiring import open_site

LATE_TICK = 5.0
"""Seconds after which a scheduler that ticks every second is silent."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `ok` None: nothing wrong, but worth knowing."""

    what: str
    ok: bool | None
    says: str


def doctor(*, as_json: bool) -> None:
    """Look at everything; exit 1 when something does not work."""
    settings = settings_module.load()
    found = [*_look(settings)]
    if as_json:
        print_json([asdict(row) for row in found])
    else:
        shown = table(None, ("", "what", "says"))
        for row in found:
            shown.add_row({True: "ok", False: "WRONG", None: "–"}[row.ok], row.what, row.says)
        console.print(shown)
    if any(row.ok is False for row in found):
        raise typer.Exit(WRONG)


def _look(settings: Settings) -> Iterator[Finding]:
    yield _try("templates", lambda: f"{len(Templates().names())} shipped")
    yield from _look_at_site(settings)
    try:
        with hosted(settings) as addressed:
            private = "private" if settings.database_url is None else "DATABASE_URL"
            yield _try(f"Postgres ({private})", lambda: _postgres(addressed))
            private = "private" if settings.redis_url is None else "REDIS_URL"
            yield _try(f"broker ({private})", lambda: check_broker(addressed))
            yield _scheduler(addressed)
            yield _try(f"channel {REGISTERED.slug}", lambda: _partners(addressed))
    except BroadcasterError as error:
        yield Finding("private services", ok=False, says=_words(error))


def _look_at_site(settings: Settings) -> Iterator[Finding]:
    path = settings.site_file
    if not path.exists() and not settings.site:
        yield Finding("site", ok=None, says=f"{path} does not exist; `broadcaster up` makes one for the sandbox")
        return
    try:
        site = open_site(settings)
    except InputError as error:
        yield Finding("site", ok=False, says=_words(error))
        return
    yield Finding("site", ok=True, says=f"{site.name} ({path})")
    for channel in CHANNELS.values():
        yield from _look_at_channel(channel, site, settings)
    yield from _look_at_operators(site, settings)


def _look_at_channel(channel: Channel, site: Site, settings: Settings) -> Iterator[Finding]:
    configs = site.providers(channel.slug)
    if not configs and not channel.registered:
        yield Finding(f"channel {channel.slug}", ok=None, says="no provider; announcements cannot use it")
    for config in configs:
        yield _try(f"channel {channel.slug}", partial(_provider, config, channel, site, settings))


def _provider(config: ProviderConfig, channel: Channel, site: Site, settings: Settings) -> str:
    """Where the provider is; and what its account says, where it can be asked without anybody being told."""
    provider = resolve(config, settings.site_file.parent, channel, site.public_url)
    probe = channel.suppliers[provider.supplier].probe
    says = f" ({probe(provider, Transport(allow_private=site.allow_private_addresses))})" if probe else ""
    return f"{provider.name}: {provider.url}{says}"


def _look_at_operators(site: Site, settings: Settings) -> Iterator[Finding]:
    if not site.operators:
        yield Finding("operators", ok=None, says="none; nobody is asked whether a planned end holds")
    for config in site.operators:
        yield _try("operator", partial(_operator, config, settings))


def _operator(config: OperatorConfig, settings: Settings) -> str:
    return f"{resolve_operator(config, settings.site_file.parent).name}: {config.url}"


def _postgres(settings: Settings) -> str:
    database = Database(str(settings.database_url))
    with database.begin() as connection:
        if not is_current(connection):
            raise StateError(f"{database.address}: the tables are not of this version", hint="broadcaster migrate")
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
    return f"{database.address}, version {version}, tables up to date"


def _partners(settings: Settings) -> str:
    """How the endpoints of the registry are."""
    with Database(str(settings.database_url)).begin() as connection:
        found = endpoints.everyone(connection) if is_current(connection) else []
    disabled = sum(row.disabled_at is not None for row in found)
    failing = sum(row.failing_since is not None and row.disabled_at is None for row in found)
    return f"{len(found)} endpoints registered, {failing} of them failing, {disabled} disabled"


def _scheduler(settings: Settings) -> Finding:
    try:
        with Database(str(settings.database_url)).begin() as connection:
            age = heartbeats.age(connection, TICK) if is_current(connection) else None
    except BroadcasterError as error:
        return Finding("scheduler", ok=False, says=_words(error))
    if age is None:
        return Finding("scheduler", ok=None, says="never ran here; `broadcaster up` runs it")
    silent = age > LATE_TICK
    return Finding(
        "scheduler", ok=None if silent else True, says=f"ran {age:.0f} s ago" + (": not running" if silent else "")
    )


def _try(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, says=look())
    except BroadcasterError as error:
        return Finding(what, ok=False, says=_words(error))


def _words(error: BroadcasterError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
