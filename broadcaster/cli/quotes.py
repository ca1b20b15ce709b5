"""What `check` shows of providers that do not send free text: the template that says each message, and its price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from broadcaster.announcement.rules import FieldPath
from broadcaster.announcement.source import dotted
from broadcaster.channels.options import Options
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.supplier import Quote
from broadcaster.cli.screen import console, table
from broadcaster.errors import Place, Problem
from broadcaster.operations.foretelling import foretold
from broadcaster.planning.proposal import Proposal
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import Message
from broadcaster.site import ProviderConfig, Site

MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Offer:
    """What one provider makes of one message; `path` is where the provider stands in the site."""

    channel: str
    supplier: str
    provider: str
    path: FieldPath
    message: Message
    quote: Quote


def offers(site: Site, templates: Templates, proposal: Proposal) -> list[Offer]:
    """What every provider that can quote makes of every message that could go out through it."""
    found = []
    for slug, channel in CHANNELS.items():
        quoting = list(_quoting(site, slug))
        messages = list(foretold(templates, channel, proposal)) if quoting else []
        for config, path, quote in quoting:
            rows = (Offer(slug, config.supplier, config.name, path, row, quote(row)) for row in messages)
            found += _dearest(rows)
    return found


def quotes_of(site: Site, slug: str, message: Message) -> dict[str, Quote]:
    """Provider → what it makes of one message, for those of a channel that can quote."""
    return {config.name: quote(message) for config, _, quote in _quoting(site, slug)}


def _quoting(site: Site, slug: str) -> Iterator[tuple[ProviderConfig, FieldPath, Callable[[Message], Quote]]]:
    """Each provider that can quote, where it stands in the site, and how it does."""
    for number, config in enumerate(site.providers(slug)):
        supplier = CHANNELS[slug].suppliers[config.supplier]
        if supplier.quote:
            quote = partial(_quoted, supplier.quote, supplier.options.model_validate(config.options))
            yield config, ("channels", slug, "providers", number), quote


def _quoted(quote: Callable[[Message, Options], Quote], options: Options, message: Message) -> Quote:
    return quote(message, options)


def _dearest(rows: Iterable[Offer]) -> list[Offer]:
    """One for each template, the dearest: other dates in it may be longer. What cannot be said stays as it is."""
    found: dict[tuple[str, str], Offer] = {}
    for number, row in enumerate(rows):
        key = (row.message.phase, row.quote.name or f"none {number}")
        if key not in found or row.quote.segments > found[key].quote.segments:
            found[key] = row
    return list(found.values())


def objections(rows: Iterable[Offer], site_file: Path) -> list[Problem]:
    """The messages that a provider cannot say."""
    return [
        Problem(
            f"{row.provider} cannot say it: {row.quote.objection}",
            Place(str(site_file), field=dotted((*row.path, "options", "templates"))),
            CHANNELS[row.channel].suppliers[row.supplier].submitted,
        )
        for row in rows
        if row.quote.objection
    ]


def show(rows: Sequence[Offer]) -> None:
    """A row a provider and message; nothing when no provider quotes."""
    if not rows:
        return
    columns = ("provider", "phase", "language", "template", "segments", "a reader", "a million")
    shown = table(None, columns, numbers=("segments", "a reader", "a million"))
    for row in rows:
        message, quote = row.message, row.quote
        prices = _prices(quote.price)
        shown.add_row(row.provider, str(message.phase), message.language, quote.name, f"{quote.segments}", *prices)
    console.print(shown)


def data(rows: Iterable[Offer]) -> list[dict[str, Any]]:
    """The same for programs; prices are decimals as text."""
    return [
        {
            "provider": row.provider,
            "phase": str(row.message.phase),
            "language": row.message.language,
            "template": row.quote.name,
            "segments": row.quote.segments,
            "price": None if row.quote.price is None else f"{row.quote.price:f}",
        }
        for row in rows
    ]


def _prices(price: Decimal | None) -> tuple[str, str]:
    """For one reader and for a million."""
    return ("", "") if price is None else (f"{price:f}", f"{price * MANY:,.2f}")
