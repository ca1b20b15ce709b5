"""`check` and `render`: what a file would say, without any database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from broadcaster import clock
from broadcaster import settings as settings_module
from broadcaster.announcement.source import read_source
from broadcaster.channels.registry import CHANNELS, PERSONAL, specs_for
from broadcaster.cli import quotes
from broadcaster.cli.screen import console, print_json, table
from broadcaster.errors import InputError
from broadcaster.operations.cautioning import cautions_alone
from broadcaster.planning.caution import errors, warnings
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal, parse
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.gallery import write_gallery
from broadcaster.rendering.message import Message, MessageSpec
from broadcaster.rendering.review import review
from broadcaster.wiring import open_site


def check(file: Path, templates: Path | None, *, as_json: bool) -> None:
    """Validate, render everything, print measures; raises InputError with every problem."""
    source = read_source(file)
    proposal = parse(source, CHANNELS)
    settings, specs = settings_module.load(), specs_for(proposal.policy)
    messages, problems = review(templates_in(templates), specs, proposal.announcement, source, personal=PERSONAL)
    offers = quotes.offers(open_site(settings), templates_in(templates), proposal) if not problems else []
    found = cautions_alone(proposal, clock.now())
    problems += [*errors(found, source), *quotes.objections(offers, settings.site_file)]
    if problems:
        raise InputError(problems)
    told = warnings(found, source)
    if as_json:
        data = [_message_data(row) for row in messages]
        said = {"slug": proposal.announcement.slug, "messages": data, "warnings": told}
        print_json({**said, "offers": quotes.data(offers)})
        return
    _print_measures(messages)
    quotes.show(offers)
    console.print(f"\n{file}: {len(messages)} messages, everything fits and agrees")
    for warning in told:
        console.print(f"warning: {warning}", soft_wrap=True)


def render(
    file: Path, out: Path, channel: str | None, phase: str | None, language: str | None, templates: Path | None
) -> None:
    """Write the messages and their gallery into `out`."""
    source = read_source(file)
    proposal = parse(source, CHANNELS)
    found = templates_in(templates)
    phases = [phase_named(phase)] if phase else list(Phase)
    languages = [_language(proposal, language)] if language else None
    wanted = (proposal.announcement, source, phases, languages)
    messages, problems = review(found, _specs(proposal, channel), *wanted, personal=PERSONAL)
    if problems:
        raise InputError(problems)
    written = write_gallery(out, messages, proposal.announcement, found)
    console.print(f"{len(written)} files written; open {out / 'index.html'} in a browser")


def templates_in(folder: Path | None) -> Templates:
    """The templates that a command renders with; raises InputError for a folder that is none."""
    if folder and not folder.is_dir():
        raise InputError.one(f"{folder} is not a folder", hint="give the folder that holds sms/, wechat/, …")
    return Templates(folder or open_site(settings_module.load()).templates)


def _specs(proposal: Proposal, channel: str | None) -> list[MessageSpec]:
    """Those of one channel, whether or not the announcement uses it; or of all that it uses."""
    if channel is None:
        return specs_for(proposal.policy)
    if channel not in CHANNELS:
        raise InputError.one(f"no channel is called {channel!r}", hint=f"known channels: {', '.join(CHANNELS)}")
    return [CHANNELS[channel].spec]


def phase_named(name: str) -> Phase:
    """The phase of this name; raises InputError with those that there are."""
    try:
        return Phase(name)
    except ValueError:
        raise InputError.one(f"no phase is called {name!r}", hint=f"phases: {', '.join(Phase)}") from None


def _language(proposal: Proposal, language: str) -> str:
    known = proposal.announcement.languages
    if language not in known:
        raise InputError.one(f"the announcement has no {language!r}", hint=f"its languages: {', '.join(known)}")
    return language


def _print_measures(messages: list[Message]) -> None:
    columns = ("channel", "phase", "language", "measure", "size", "limit", "unit", "")
    shown = table(None, columns, numbers=("size", "limit"))
    last: tuple[object, ...] = ()
    for message in messages:
        for measure in message.measures:
            head = (message.channel, str(message.phase), message.language)
            cells = head if head != last else ("", "", "")
            limit = "" if measure.limit is None else f"{measure.limit}"
            shown.add_row(*cells, measure.name, f"{measure.size}", limit, measure.unit, measure.note)
            last = head
    console.print(shown)


def _message_data(message: Message) -> dict[str, Any]:
    return {
        "channel": message.channel,
        "phase": str(message.phase),
        "language": message.language,
        "parts": dict(message.parts),
        "measures": [
            {"name": row.name, "size": row.size, "limit": row.limit, "unit": row.unit, "note": row.note}
            for row in message.measures
        ],
    }
