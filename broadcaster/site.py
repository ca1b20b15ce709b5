"""The site's configuration: who we are, and where each channel's calls go. `docs/site.md` explains each field.

Secrets are not in the file: it names them (`broadcaster.credentials`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError

from broadcaster.announcement.model import Frozen, Identifier
from broadcaster.announcement.rules import FieldPath, Finding
from broadcaster.announcement.source import explain, read_source
from broadcaster.announcement.text import Language
from broadcaster.channels.base import Channel
from broadcaster.channels.gateway import wrong_secret
from broadcaster.channels.provider import BreakerRule, Idempotency, Pace, Provider, Quota
from broadcaster.channels.supplier import WEBHOOK, Supplier
from broadcaster.credentials import PATTERN, read_secret
from broadcaster.errors import InputError

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=1024)]
SecretName = Annotated[str, StringConstraints(pattern=PATTERN)]


def _share(value: object) -> object:
    """A share as a number up to 1 or in percent; what is neither is left for pydantic to complain about."""
    if not isinstance(value, str) or not value.strip().endswith("%"):
        return value
    try:
        return float(value.strip().removesuffix("%")) / 100
    except ValueError:
        return value


def _is_share(value: float) -> float:
    if value > 1:
        raise ValueError(f"{value:.0%} is more than all of them (write 20 % as 20% or 0.2)")
    if value <= 0:
        raise ValueError("a share is more than 0 (write 20 % as 20% or 0.2)")
    return value


def _is_limit(value: float) -> float:
    if value <= 0:
        raise ValueError("with a limit of zero or less nothing would ever be sent (leave the field out for no limit)")
    return value


Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Share = Annotated[float, BeforeValidator(_share), Field(allow_inf_nan=False), AfterValidator(_is_share)]
"""A part of a whole, more than 0 and at most 1; written as a number or in percent."""
Rate = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_is_limit)]
Amount = Annotated[int, AfterValidator(_is_limit)]


class PaceConfig(Frozen):
    """How fast a provider may be called, by all workers together."""

    calls_per_second: Rate | None = None
    messages_per_second: Rate | None = None


class QuotaConfig(Frozen):
    """How many messages a provider may be given, by calendar days and months."""

    per_day: Amount | None = None
    per_month: Amount | None = None
    per_recipient_per_day: Amount | None = None


_RULE = BreakerRule()


class BreakerConfig(Frozen):
    """When a provider is left alone for a while."""

    failures: Share = _RULE.failures
    """The share of calls that failed at which its circuit opens."""
    calls: Annotated[int, Field(ge=2)] = _RULE.calls
    """The fewest calls in the window before it may open: one failure says nothing."""
    window_seconds: Seconds = _RULE.window_seconds
    open_seconds: Seconds = _RULE.open_seconds


class ProviderConfig(Frozen):
    """One provider of a channel; for WeChat, banner and kiosk it is at the same time whom the channel reaches."""

    name: Identifier
    label: str = ""
    """What the public calls it, such as an official account's name."""
    supplier: Identifier = WEBHOOK
    """Whose format it speaks: one of the channel's suppliers."""
    url: Url | None = None
    """Where calls go; the supplier's own address when absent."""
    secret: SecretName
    secrets: dict[Identifier, SecretName] = Field(default_factory=dict)
    """Further secrets, where its supplier has some."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What its supplier needs to be told of it."""
    shows: Url | None = None
    """Where a surface's endpoint serves the document, or a page with its texts, by itself: what is read back there."""
    language: Language | None = None
    """The language of an account's posts; the announcement's first when absent."""
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 15
    idempotency: Idempotency | None = None
    """What repeating a call means at it, where that is not what the channel's format asks for."""
    visible_after_seconds: Seconds | None = None
    """How long after a call a `queryable` provider's "never seen" settles nothing."""
    members_per_call: Annotated[int, Field(ge=1, le=1000)] | None = None
    """The most recipients in one call; what the channel does when absent."""
    weight: Annotated[int, Field(ge=0, le=1000)] = 1
    """Its share beside the weights of the channel's other providers; 0: only while none of those can be called."""
    pace: PaceConfig = PaceConfig()
    quota: QuotaConfig = QuotaConfig()
    breaker: BreakerConfig = BreakerConfig()


class ChannelConfig(Frozen):
    """A channel's providers."""

    providers: Annotated[tuple[ProviderConfig, ...], Field(min_length=1)]


class OperatorConfig(Frozen):
    """A webhook of the operators: where the owner is asked, and told what somebody must look into."""

    name: Identifier
    url: Url
    secret: SecretName
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 5


class CanaryConfig(Frozen):
    """The first part of a large broadcast, which halts it when too many of them fail."""

    above: Annotated[int, Field(ge=0)] = 100_000
    """A broadcast to more recipients than this has a canary."""
    share: Share = 0.01
    """The part of its recipients that is reached first."""
    failures: Share = 0.2
    """When a larger share of those failed, the broadcast halts itself."""


def _or_default(value: object) -> object:
    return CanaryConfig() if value is None else value


def _named_once(value: tuple[OperatorConfig, ...]) -> tuple[OperatorConfig, ...]:
    if len({row.name for row in value}) < len(value):
        raise ValueError("two operators have the same name")
    return value


class Site(Frozen):
    """The whole configuration of a site."""

    name: str
    public_url: Url = "http://127.0.0.1:8000"
    """Where the public reaches our surfaces."""
    templates: Path | None = None
    """A folder of templates that override ours file by file."""
    allow_private_addresses: bool = False
    endpoint_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 15
    """How long a partner's endpoint may take to answer."""
    canary: Annotated[CanaryConfig, BeforeValidator(_or_default)] = CanaryConfig()
    channels: dict[Identifier, ChannelConfig] = Field(default_factory=dict)
    operators: Annotated[tuple[OperatorConfig, ...], AfterValidator(_named_once)] = ()
    """Whom to ask whether a planned end holds."""

    def providers(self, channel: str) -> tuple[ProviderConfig, ...]:
        """The providers of a channel; none when the site does not use it."""
        config = self.channels.get(channel)
        return config.providers if config else ()


def read_site(path: Path, channels: Mapping[str, Channel]) -> Site:
    """Read a site's configuration; raises InputError with every problem in it."""
    source = read_source(path)
    try:
        site = Site.model_validate(source.data)
    except ValidationError as error:
        raise InputError([*source.repeats(), *source.problems(tuple(explain(error)))]) from error
    found = tuple(_findings(site, channels))
    if found or source.repeated:
        raise InputError([*source.repeats(), *source.problems(found)])
    templates = site.templates
    if templates and not templates.is_absolute():
        site = site.model_copy(update={"templates": path.parent / templates})
    return site


def resolve(config: ProviderConfig, folder: Path, channel: Channel, public_url: str = "") -> Provider:
    """The provider with its secrets; `folder` is where relative secret files are looked for.

    Raises InputError for a secret that is not set, cannot be read, or is none for this supplier."""
    visible_after, supplier = config.visible_after_seconds, channel.suppliers[config.supplier]
    whose = f"provider {config.name}"
    return Provider(
        name=config.name,
        url=config.url or supplier.url,
        secret=_checked(config.secret, whose, folder, supplier),
        label=config.label or config.name,
        language=config.language or "",
        timeout=config.timeout_seconds,
        idempotency=config.idempotency,
        visible_after=timedelta(seconds=visible_after) if visible_after else None,
        members_per_call=config.members_per_call,
        weight=config.weight,
        pace=Pace(**config.pace.model_dump()),
        quota=Quota(**config.quota.model_dump()),
        breaker=BreakerRule(**config.breaker.model_dump()),
        supplier=config.supplier,
        options=supplier.options.model_validate(config.options),
        secrets={name: read_secret(row, f"{whose} ({name})", folder) for name, row in config.secrets.items()},
        callback_url=f"{public_url}/callbacks/{channel.slug}/{config.name}",
    )


def resolve_operator(config: OperatorConfig, folder: Path) -> Provider:
    """An operator's webhook with its secret, as the transport calls it."""
    whose = f"operator {config.name}"
    secret = read_secret(config.secret, whose, folder)
    if wrong := wrong_secret(secret):
        raise InputError.one(f"{whose}: its secret cannot be used: {wrong}")
    return Provider(config.name, config.url, secret, timeout=config.timeout_seconds)


def _checked(name: str, whose: str, folder: Path, supplier: Supplier) -> str:
    secret = read_secret(name, whose, folder)
    if wrong := supplier.wrong_secret(secret):
        raise InputError.one(f"{whose}: its secret cannot be used: {wrong}")
    return secret


def _findings(site: Site, channels: Mapping[str, Channel]) -> Iterator[Finding]:
    for slug, config in site.channels.items():
        channel = channels.get(slug)
        if channel is None:
            hint = f"known channels: {', '.join(channels)}"
            yield Finding(("channels", slug), f"no channel is called {slug!r}", hint)
            continue
        if channel.registered:
            hint = "`broadcaster endpoint add` registers one"
            yield Finding(("channels", slug), "its endpoints are not configured here", hint)
        if channel.has_one_account and len(config.providers) > 1:
            hint = f"the {channel.addressed_by}s of its people mean nothing to any other account"
            yield Finding(("channels", slug, "providers", 1), "this channel has exactly one provider", hint)
        for number, provider in enumerate(config.providers):
            yield from _of_provider(("channels", slug, "providers", number), provider, channel)


def _of_provider(path: FieldPath, config: ProviderConfig, channel: Channel) -> Iterator[Finding]:
    """What is wrong with what a provider says for its supplier."""
    supplier = channel.suppliers.get(config.supplier)
    if supplier is None:
        known = f"suppliers of {channel.slug}: {', '.join(channel.suppliers)}"
        yield Finding((*path, "supplier"), f"no supplier is called {config.supplier!r}", known)
        return
    if config.supplier != WEBHOOK:
        yield from _beyond(path, config, supplier)
    if not config.url and not supplier.url:
        yield Finding((*path, "url"), "the field is missing")
    try:
        supplier.options.model_validate(config.options)
    except ValidationError as error:
        yield from explain(error, (*path, "options"))
    known_secrets = supplier.secrets or {}
    for name in config.secrets.keys() - known_secrets.keys():
        hint = f"secrets of {config.supplier}: {', '.join(known_secrets) or 'only `secret`'}"
        yield Finding((*path, "secrets", name), f"no secret is called {name!r} there", hint)
    for name, secret in known_secrets.items():
        if secret.required and name not in config.secrets:
            yield Finding((*path, "secrets"), f"the secret {name!r} is missing", secret.purpose)


def _beyond(path: FieldPath, config: ProviderConfig, supplier: Supplier) -> Iterator[Finding]:
    """What a provider cannot be made to do: who receives our own format may do anything, others do what they do."""
    adapter = supplier.adapter
    if config.idempotency not in (None, Idempotency.NONE, adapter.idempotency):
        message = f"{config.supplier} is `{adapter.idempotency}`, and nothing makes it `{config.idempotency}`"
        yield Finding((*path, "idempotency"), message, "what is repeated by mistake is said twice")
    if (config.members_per_call or 1) > adapter.members_per_call:
        message = f"{config.supplier} takes {adapter.members_per_call} in one call at most"
        yield Finding((*path, "members_per_call"), message)
