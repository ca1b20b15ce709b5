"""`sms templates`: the texts to submit to a mainland vendor for review."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from broadcaster import settings as settings_module
from broadcaster.announcement.source import read_source
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.sms.drafts import Draft, draft
from broadcaster.channels.sms.mainland import MainlandOptions, measure
from broadcaster.errors import InputError
from broadcaster.operations.foretelling import foretold
from broadcaster.planning.proposal import parse
from broadcaster.rendering.environment import Templates
from broadcaster.wiring import open_site

SMS = CHANNELS["sms"]
VENDORS = {name: row.options for name, row in SMS.suppliers.items() if issubclass(row.options, MainlandOptions)}
"""Supplier → its kind of options, where it sends reviewed templates."""


def templates(file: Path, supplier: str, folder: Path | None) -> None:
    """Print them as options of a provider, with empty codes."""
    kind = VENDORS.get(supplier)
    if kind is None:
        raise InputError.one(f"{supplier!r} reviews no templates", hint=f"suppliers that do: {', '.join(VENDORS)}")
    proposal = parse(read_source(file), CHANNELS)
    found = Templates(folder or open_site(settings_module.load()).templates)
    drafts: dict[tuple[str, str, str], tuple[Draft, int]] = {}
    for message in foretold(found, SMS, proposal):
        row = draft(message, kind.syntax)
        drafts.setdefault((row.phase, row.language, row.text), (row, measure(message.parts)[1].size))
    signature = json.dumps(dict(proposal.announcement.owner.signature), ensure_ascii=False)
    lines = [f"sign_name: {signature}", "templates:"]
    for row, segments in drafts.values():
        lines += _lines(row, segments, kind.model_fields["parameter_length"].default)
    sys.stdout.write("\n".join(lines) + "\n")


def _lines(row: Draft, segments: int, longest: object) -> Iterator[str]:
    yield f"  # {segments} {'segment' if segments == 1 else 'segments'} as it stands"
    limit = f"up to {longest} characters" if isinstance(longest, int) else "as long as the account may"
    for variable in row.variables:
        yield f"  # {variable.written}: {limit}, such as {variable.example}"
    yield f"  - phase: {row.phase}"
    yield f"    language: {row.language}"
    yield '    code: ""'
    yield f"    text: {json.dumps(row.text, ensure_ascii=False)}"
