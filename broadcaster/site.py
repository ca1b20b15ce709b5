"""The site's configuration: who we are, and where each channel's calls go. `docs/site.md` explains each field.

Secrets are not in the file: it names an environment variable (`env:SMS_SECRET`) or a file that only its owner may
read (`file:secrets/sms`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from broadcaster.announcement.model import Frozen, Identifier
from broadcaster.announcement.rules import Finding
from broadcaster.announcement.source import explain, read_source
from broadcaster.announcement.text import Language
from broadcaster.channels.provider import Provider
from broadcaster.errors import InputError, Place

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=1024)]
SecretName = Annotated[str, StringConstraints(pattern=r"^(env:[A-Z][A-Z0-9_]*|file:.+)$")]


class ProviderConfig(Frozen):
    """One provider of a channel; for WeChat, banner and kiosk it is at the same time whom the channel reaches."""

    name: Identifier
    label: str = ""
    """What the public calls it, such as an official account's name."""
    url: Url
    secret: SecretName
    language: Language | None = None
    """The language of an account's posts; the announcement's first when absent."""
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 15


class ChannelConfig(Frozen):
    """A channel's providers."""

    providers: Annotated[tuple[ProviderConfig, ...], Field(min_length=1)]


class Site(Frozen):
    """The whole configuration of a site."""

    name: str
    public_url: Url = "http://127.0.0.1:8000"
    """Where the public reaches our surfaces."""
    templates: Path | None = None
    """A folder of templates that override ours file by file."""
    allow_private_addresses: bool = False
    channels: dict[Identifier, ChannelConfig] = Field(default_factory=dict)

    def providers(self, channel: str) -> tuple[ProviderConfig, ...]:
        """The providers of a channel; none when the site does not use it."""
        config = self.channels.get(channel)
        return config.providers if config else ()


def read_site(path: Path, known_channels: Collection[str]) -> Site:
    """Read a site's configuration; raises InputError with every problem in it."""
    source = read_source(path)
    try:
        site = Site.model_validate(source.data)
    except ValidationError as error:
        raise InputError([*source.repeats(), *source.problems(tuple(explain(error)))]) from error
    found = tuple(_unknown_channels(site, known_channels))
    if found or source.repeated:
        raise InputError([*source.repeats(), *source.problems(found)])
    templates = site.templates
    if templates and not templates.is_absolute():
        site = site.model_copy(update={"templates": path.parent / templates})
    return site


def resolve(config: ProviderConfig, folder: Path) -> Provider:
    """The provider with its secret; `folder` is where relative secret files are looked for."""
    return Provider(
        name=config.name,
        url=config.url,
        secret=_secret(config, folder),
        label=config.label or config.name,
        language=config.language or "",
        timeout=config.timeout_seconds,
    )


def _unknown_channels(site: Site, known: Collection[str]) -> Iterator[Finding]:
    for slug in site.channels:
        if slug not in known:
            yield Finding(("channels", slug), f"no channel is called {slug!r}", f"known channels: {', '.join(known)}")


def _secret(config: ProviderConfig, folder: Path) -> str:
    kind, _, name = config.secret.partition(":")
    value = os.environ.get(name, "") if kind == "env" else _read_secret(folder / name)
    if not value:
        hint = f"set {name} to the secret shared with that provider"
        raise InputError.one(f"provider {config.name}: its secret is not set", hint=hint)
    try:
        Webhook(value)
    except (ValueError, RuntimeError, EmptyWebhookSecretError):
        hint = "whsec_ and at least 24 random bytes in base64"
        raise InputError.one(f"provider {config.name}: its secret is not a webhook secret", hint=hint) from None
    return value


def _read_secret(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            hint = f"chmod 600 {path}"
            raise InputError.one("others than its owner may read this secret", place=Place(str(path)), hint=hint)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise InputError.one(f"the secret cannot be read: {error.strerror}", place=Place(str(path))) from error
    except UnicodeDecodeError:
        raise InputError.one("the secret is not ASCII text", place=Place(str(path))) from None
