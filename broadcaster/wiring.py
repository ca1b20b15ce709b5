"""Wiring: the parts of a process, put together from its settings and its site's configuration."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from broadcaster import settings as settings_module
from broadcaster.channels.addresses import is_loopback
from broadcaster.channels.base import Channel
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.delivery.canary import Canary
from broadcaster.delivery.courier import Courier
from broadcaster.delivery.gate import Gate
from broadcaster.delivery.messages import Press
from broadcaster.delivery.messenger import Messenger
from broadcaster.delivery.shelf import shelf_of
from broadcaster.errors import InputError, Problem, StateError
from broadcaster.operations.asking import keep_asking
from broadcaster.operations.reach import Reach, reach_of
from broadcaster.rendering.environment import Templates
from broadcaster.settings import Settings
from broadcaster.site import Site, read_site, resolve, resolve_operator
from broadcaster.storage.database import Database
from broadcaster.storage.migrate import check_vault
from broadcaster.surfaces.readback import Reader
from broadcaster.vault import Vault, ensure_keyring, open_vault


@dataclass(frozen=True, slots=True)
class App:
    """What a process needs to do its work."""

    settings: Settings
    site: Site
    database: Database
    templates: Templates
    vault: Vault

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channels that the site has providers for, and that of the registry."""
        return {slug: row for slug, row in CHANNELS.items() if row.registered or self.site.providers(slug)}

    @property
    def reach(self) -> dict[str, Reach]:
        """Whom the site can tell on each channel, and how fast."""
        return {slug: reach_of(channel, self.site.providers(slug)) for slug, channel in CHANNELS.items()}

    def providers(self) -> dict[str, dict[str, Provider]]:
        """Every provider with its secret; raises InputError that names each one that cannot be used."""
        found: dict[str, dict[str, Provider]] = {}
        problems: list[Problem] = []
        for slug, channel in self.channels.items():
            for config in self.site.providers(slug):
                try:
                    provider = resolve(config, self.settings.site_file.parent, channel, self.site.public_url)
                except InputError as error:
                    problems.extend(error.problems)
                else:
                    found.setdefault(slug, {})[provider.name] = provider
        if problems:
            raise InputError(problems)
        if self.settings.rehearsal:
            refuse_outside(found)
        return found

    @property
    def operators(self) -> tuple[str, ...]:
        """The names of the operators' webhooks."""
        return tuple(config.name for config in self.site.operators)

    def operator(self, name: str) -> Provider:
        """An operator's webhook with its secret; raises InputError when it cannot be used."""
        for config in self.site.operators:
            if config.name == name:
                found = resolve_operator(config, self.settings.site_file.parent)
                if self.settings.rehearsal:
                    _refuse_outside({f"operator {name}": found})
                return found
        raise InputError.one(f"the site has no operator {name!r}")

    def messenger(self) -> Messenger:
        """A messenger with connections of its own."""
        return Messenger(
            self.database,
            self.transport(),
            self.operator,
            lambda connection, now: keep_asking(connection, self.operators, now),
        )

    @property
    def canary(self) -> Canary:
        """The site's rule for large broadcasts."""
        return Canary(self.site.canary)

    def transport(self) -> Transport:
        """Connections of one's own to the outside, under the site's rules on where they may go."""
        return Transport(
            allow_private=self.site.allow_private_addresses,
            loopback_only=self.settings.rehearsal,
            shelf=shelf_of(self.settings.redis_url, self.vault),
        )

    def reader(self) -> Reader:
        """A reader of what the surfaces show."""
        return Reader(self.database, self.templates, self.transport(), self.site, self.channels)

    def courier(self) -> Courier:
        """A courier with connections of its own."""
        press = Press(self.templates)
        providers = self.providers()
        # Every channel, so that a broadcast of one that left the site is still accounted for.
        return Courier(
            self.database,
            CHANNELS,
            providers,
            press,
            self.transport(),
            Gate(self.settings.redis_url, providers),
            self.vault,
            self.site.public_url,
            self.site.endpoint_timeout_seconds,
        )


def refuse_outside(providers: Mapping[str, Mapping[str, Provider]]) -> None:
    """Raise InputError for every provider that is not on this machine: a rehearsal reaches nothing else."""
    rows = [(slug, name, found) for slug, of_channel in providers.items() for name, found in of_channel.items()]
    _refuse_outside({f"{slug} provider {name}": found for slug, name, found in rows})


def _refuse_outside(named: Mapping[str, Provider]) -> None:
    problems = [
        Problem(f"a rehearsal reaches loopback addresses only, but {name} is not one")
        for name, provider in named.items()
        if not is_loopback(provider.url)
    ]
    if problems:
        raise InputError(problems)


def open_app(settings: Settings, *, pool_size: int = 4) -> App:
    """The parts for settings whose two addresses are known; raises StateError when the database has none."""
    if not settings.database_url:
        raise StateError("DATABASE_URL is not set", hint="`broadcaster up` starts private services by itself")
    site = open_site(settings)
    database = Database(settings.database_url, pool_size=pool_size)
    return App(settings, site, database, Templates(site.templates), own_vault(settings))


def own_vault(settings: Settings) -> Vault:
    """The vault of this installation; its keyring is made where there is none yet."""
    if settings.keys is None:
        ensure_keyring(settings.keys_file)
    return open_vault(settings.keys_file)


def open_site(settings: Settings) -> Site:
    """The site's configuration; a site without one has a name and no providers. One that is named must be there."""
    path = settings.site_file
    if path.exists():
        return read_site(path, CHANNELS)
    if settings.site:
        raise InputError.one(f"BROADCASTER_SITE names {path}, which does not exist")
    return Site(name="unconfigured site")


@functools.cache
def process_app() -> App:
    """The parts of this process, from its environment; made at first use, so that a forked worker has its own."""
    return open_app(settings_module.load())


@functools.cache
def process_courier() -> Courier:
    """The courier of this process."""
    parts = process_app()
    with parts.database.begin() as connection:
        check_vault(connection, parts.vault)
    return parts.courier()


@functools.cache
def process_reader() -> Reader:
    """The reader of this process."""
    return process_app().reader()


@functools.cache
def process_messenger() -> Messenger:
    """The messenger of this process."""
    return process_app().messenger()
