"""`wechat preview`: an article as one named person sees it. `wechat templates`: what followers are told with."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from broadcaster import settings as settings_module
from broadcaster.announcement.source import read_source
from broadcaster.channels.followers.adapter import CHANNEL as FOLLOWERS
from broadcaster.channels.followers.drafts import Draft, drafts
from broadcaster.channels.official.options import AccountOptions
from broadcaster.channels.official.preview import preview
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.channels.wechat.adapter import CHANNEL
from broadcaster.cli.check import phase_named, templates_in
from broadcaster.cli.failures import WRONG
from broadcaster.cli.screen import console
from broadcaster.delivery.messages import Edition
from broadcaster.errors import DeliveryError, InputError, Place
from broadcaster.operations.foretelling import foretold
from broadcaster.planning.proposal import parse
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.renderer import render
from broadcaster.settings import Settings
from broadcaster.site import Site, resolve
from broadcaster.wiring import open_site


def preview_article(file: Path, phase: str, reader: str, account: str | None, templates: Path | None) -> None:
    """Show the message to the reader from each account; exit 1 when one of them cannot."""
    settings = settings_module.load()
    site, edition = open_site(settings), _edition(file, phase, templates)
    transport = Transport(allow_private=site.allow_private_addresses, loopback_only=settings.rehearsal)
    shown = [_show(provider, transport, edition, reader) for provider in _accounts(site, settings, account)]
    if not all(shown):
        raise typer.Exit(WRONG)


def templates(file: Path, folder: Path | None) -> None:
    """Print the templates that give every message to followers, as options of a provider, with empty ids."""
    proposal = parse(read_source(file), CHANNELS)
    found = Templates(folder or open_site(settings_module.load()).templates)
    rows = drafts(foretold(found, FOLLOWERS, proposal))
    if not rows:
        hint = f"name it there: `channels: [{FOLLOWERS.slug}]`"
        raise InputError.one(f"no phase of its policy goes to {FOLLOWERS.slug}", place=Place(str(file)), hint=hint)
    sys.stdout.write("\n".join(["templates:", *(line for row in rows for line in _lines(row))]) + "\n")


def _lines(row: Draft) -> Iterator[str]:
    yield '  - template_id: ""'
    yield f"    language: {row.language}"
    yield f"    phases: [{', '.join(row.phases)}]"
    yield "    text: |"
    yield from (f"      {line}" for line in row.text.splitlines())


def _edition(file: Path, phase: str, templates: Path | None) -> Edition:
    proposal, wanted, found = (
        parse(read_source(file), CHANNELS),
        phase_named(phase),
        templates_in(templates),
    )
    announcement = proposal.announcement
    messages = {
        language: render(found, CHANNEL.spec, announcement, wanted, language) for language in announcement.languages
    }
    return Edition(proposal, messages)


def _accounts(site: Site, settings: Settings, account: str | None) -> Sequence[Provider]:
    """The site's accounts that are reached at the platform itself, or the one of them that is wanted."""
    kinds = {word for word, one in CHANNEL.suppliers.items() if issubclass(one.options, AccountOptions)}
    configs = {row.name: row for row in site.providers(CHANNEL.slug) if row.supplier in kinds}
    if not configs:
        hint = f"suppliers of accounts: {', '.join(sorted(kinds))}"
        raise InputError.one("the site has no official account at the platform itself", hint=hint)
    if account and account not in configs:
        raise InputError.one(f"no such account is called {account!r}", hint=f"accounts: {', '.join(configs)}")
    wanted = [configs[account]] if account else configs.values()
    return [resolve(config, settings.site_file.parent, CHANNEL, site.public_url) for config in wanted]


def _show(provider: Provider, transport: Transport, edition: Edition, reader: str) -> bool:
    message = edition.messages[edition.language_for(provider.language)]
    try:
        preview(provider, transport, message.parts, reader)
    except DeliveryError as error:
        console.print(f"{error.message} ({error.hint})" if error.hint else error.message, soft_wrap=True)
        return False
    console.print(f"{provider.name}: shown to {reader}: {message.parts['title']}", soft_wrap=True)
    return True
