"""How a plan looks: facts, broadcasts, who is corrected, and what to beware of, as stable text or as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

import typer

from broadcaster.announcement.facts import FactChange
from broadcaster.channels.base import ChannelKind, RecipientKind
from broadcaster.channels.registry import CHANNELS
from broadcaster.cli.quotes import quotes_of
from broadcaster.cli.screen import console, minute, table
from broadcaster.errors import InputError
from broadcaster.operations.outlook import Outlook
from broadcaster.operations.preview import Preview
from broadcaster.planning.broadcast import EVERYONE, Among, Broadcast, BroadcastState
from broadcaster.planning.changes import Changes
from broadcaster.planning.forecast import Forecast, last_minute
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import Message
from broadcaster.rendering.renderer import render
from broadcaster.rendering.view import Occasion
from broadcaster.site import Site
from broadcaster.storage.believers import OTHERS, Count

_COLUMNS = ("", "due", "phase", "channel", "recipients", "done by", "expires", "note")
_SEGMENTS = "segments"
_AMONG = {
    Among.ALL: "",
    Among.STALE: "to whoever was told otherwise",
    Among.NEWCOMERS: "to whoever joined since",
}


@dataclass(frozen=True, slots=True)
class Correction:
    """Whom a change makes stale on a channel, and what telling them takes.

    Language → SMS segments of a message, and what one costs through the dearest provider whose site says so.
    `objections`: the providers that have no approved template for it, and why. `by_audience`: audience of an impact row
    → how many of the uncorrected are in it.
    """

    channel: str
    stale: int
    uncorrected: int
    segments: Mapping[str, int]
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    objections: tuple[str, ...] = ()
    by_audience: Mapping[str, int] = field(default_factory=dict)

    @property
    def most_segments(self) -> int:
        """What all of them take at the most, in segments; 0 on a channel that has none."""
        return self.uncorrected * max(self.segments.values(), default=0)

    @property
    def most_cost(self) -> Decimal | None:
        """What all of them cost at the most, in the site's currency; None where no price is known."""
        return self.uncorrected * max(self.prices.values()) if self.prices else None


def corrections(found: Preview, proposal: Proposal, templates: Templates, site: Site) -> list[Correction]:
    """Who is to be corrected by a plan, channel by channel."""
    return [
        _correction(channel, count, list(_corrections_of(channel, found.facts, proposal, templates)), site)
        for channel, count in sorted(found.stale.items())
    ]


def _correction(channel: str, count: Count, messages: Sequence[Message], site: Site) -> Correction:
    segments: dict[str, int] = {}
    prices: dict[str, Decimal] = {}
    objections: list[str] = []
    for message in messages:
        quotes = quotes_of(site, channel, message)
        sizes = [quote.segments for quote in quotes.values()] or _segments(message)
        known = [quote.price for quote in quotes.values() if quote.price is not None]
        segments |= {message.language: max(sizes)} if sizes else {}
        prices |= {message.language: max(known)} if known else {}
        objections += [f"{name} cannot say it: {quote.objection}" for name, quote in quotes.items() if quote.objection]
    return Correction(channel, count.stale, count.uncorrected, segments, prices, tuple(objections), count.by_audience)


def show(found: Preview, wanted: Sequence[Correction]) -> None:
    """Print a preview as text that compares well from one time to the next."""
    if not found:
        console.print(f"{found.slug}: nothing to do")
        # The answer stays one line for those who compare it; what stands may be in danger all the same.
        typer.echo("".join(f"warning: {warning}\n" for warning in found.outlook.warnings), err=True, nl=False)
        return
    if not found.is_new:
        for change in found.facts:
            console.print(f"  {change.path}: {change.old or '–'} → {change.new or '–'}", soft_wrap=True)
    show_changes(found.changes, found.outlook)
    for line in (*_sent(found), *_corrected(wanted), *_replaced(wanted)):
        console.print(line, soft_wrap=True)


def show_changes(changes: Changes, outlook: Outlook) -> None:
    """Print broadcasts that are added, moved and revoked, by due time; then what the operator should know."""
    marked = [
        *(("+", row) for row in changes.added),
        *(("~", row) for row in changes.moved),
        *((">", row) for row in changes.carried),
        *(("-", row) for row in changes.revoked),
    ]
    shown = table(None, _COLUMNS, numbers=("recipients",))
    for mark, row in sorted(marked, key=lambda pair: (pair[1].due_at, pair[1].phase, pair[1].channel)):
        shown.add_row("×" if row.state is BroadcastState.SKIPPED else mark, *_cells(row, outlook))
    if marked:
        console.print(shown)
    skipped = sum(1 for _, row in marked if row.state is BroadcastState.SKIPPED)
    console.print(
        f"{len(changes.added) - skipped} to add, {len(changes.moved)} to move, {len(changes.carried)} under way "
        f"to go on with new words, {len(changes.revoked)} to revoke, {skipped} skipped, {len(changes.kept)} unchanged"
    )
    for warning in outlook.warnings:
        console.print(f"warning: {warning}", soft_wrap=True)


def data(found: Preview, wanted: Sequence[Correction]) -> dict[str, Any]:
    """A preview as plain data."""
    return {
        "slug": found.slug,
        "plan": found.mark,
        "base": found.base,
        "facts": [asdict(change) for change in found.facts],
        **changes_data(found.changes, found.outlook),
        "sent": [_row(row, found.outlook) for row in found.sent],
        "corrections": [_correction_data(row) for row in wanted],
    }


def changes_data(changes: Changes, outlook: Outlook) -> dict[str, Any]:
    """Changes as plain data, with what is to be expected of them."""
    names = ("added", "moved", "carried", "revoked", "kept")
    rows = {name: [_row(row, outlook) for row in getattr(changes, name)] for name in names}
    return {**rows, "warnings": list(outlook.warnings)}


def _corrections_of(
    channel: str, changes: tuple[FactChange, ...], proposal: Proposal, templates: Templates
) -> Iterator[Message]:
    """The correction in each language; none while its template is broken."""
    spec, announcement = CHANNELS[channel].spec, proposal.announcement
    for language in announcement.languages:
        with suppress(InputError):
            yield render(templates, spec, announcement, Phase.CHANGED, language, Occasion(changes=changes))


def _segments(message: Message) -> list[int]:
    """The SMS segments of a message by its channel's own measure, where that counts any."""
    return [measure.size for measure in message.measures if measure.unit == _SEGMENTS]


def _correction_data(row: Correction) -> dict[str, Any]:
    """A correction as plain data; prices are decimals as text."""
    prices = {language: f"{price:f}" for language, price in row.prices.items()}
    cost = None if row.most_cost is None else f"{row.most_cost:f}"
    return {**asdict(row), "prices": prices, "most_segments": row.most_segments, "most_cost": cost}


def _sent(found: Preview) -> Iterator[str]:
    if found.sent:
        by_channel = ", ".join(sorted({row.channel for row in found.sent}))
        yield f"sent already, and not changed: {len(found.sent)} broadcasts ({by_channel})"


def _corrected(wanted: Sequence[Correction]) -> Iterator[str]:
    for row in wanted:
        late = row.stale - row.uncorrected
        also = f"; {late:,} of them were meant to be told the same before, and are not told again" if late else ""
        each = ", ".join(f"{size} in {language}" for language, size in row.segments.items())
        size = f"; segments: {each}, {row.most_segments:,} at the most" if each else ""
        cost = "" if row.most_cost is None else f", for {row.most_cost:,.2f}"
        yield f"{row.channel}: {row.stale:,} hold what is no longer true{also}{size}{cost}"
        yield from (f"{row.channel}: {_among(name, number)}" for name, number in row.by_audience.items())
        yield from (f"warning: {row.channel}: {objection}" for objection in row.objections)


def _among(audience: str, number: int) -> str:
    """An audience on a line of its own, so that a plan compares well with the one before."""
    whose = "in no audience of a row" if audience == OTHERS else f"in {audience}"
    return f"{number:,} of those to be corrected are {whose}"


def _replaced(wanted: Sequence[Correction]) -> Iterator[str]:
    """What is looked at, and not sent: posts and surfaces."""
    for row in wanted:
        channel = CHANNELS[row.channel]
        if channel.reaches is RecipientKind.ACCOUNT:
            yield f"{row.channel}: the posts of {row.stale} accounts get a successor"
        if channel.kind is ChannelKind.SURFACE:
            yield f"{row.channel}: published anew at once; {row.stale} endpoints are told to fetch it"


def _cells(row: Broadcast, outlook: Outlook) -> list[str]:
    expected = outlook.forecasts.get(row.id)
    notes = [
        f"to {row.audience}" if row.audience != EVERYONE else _AMONG[row.among],
        row.reason or row.note,
        "cannot be finished in time" if expected and expected.warning else "",
    ]
    return [
        minute(row.due_at),
        str(row.phase),
        row.channel,
        f"{expected.recipients:,}" if expected else "",
        _done_by(expected),
        minute(row.expires_at),
        "; ".join(note for note in notes if note),
    ]


def _done_by(expected: Forecast | None) -> str:
    if expected is None:
        return ""
    return minute(last_minute(expected.finished_at)) if expected.finished_at else "never"


def _row(row: Broadcast, outlook: Outlook) -> dict[str, Any]:
    expected = outlook.forecasts.get(row.id)
    finished = expected.finished_at if expected else None
    return {
        **asdict(row),
        "due_at": row.due_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "recipients": expected.recipients if expected else None,
        "finished_at": finished.isoformat() if finished else None,
        "warning": expected.warning if expected else "",
    }
