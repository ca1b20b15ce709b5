"""Plan files: a proposal with the mark of the plan that was shown for it, to be carried out later as it was shown."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from broadcaster.announcement.source import Source, read_source
from broadcaster.announcement.times import parse_instant
from broadcaster.channels.registry import CHANNELS
from broadcaster.errors import InputError, Place
from broadcaster.operations.preview import Preview
from broadcaster.planning.proposal import Proposal, parse


def write(path: Path, found: Preview, proposal: Proposal) -> None:
    """Write a plan file; raises InputError when it cannot be written."""
    data = {"plan": found.mark, "base": found.base, "proposal": proposal.to_data()}
    try:
        path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError.one(f"cannot be written: {error.strerror}", place=Place(str(path))) from error


def read(path: Path) -> tuple[Proposal, str | None]:
    """A proposal from an announcement's file or a plan file, and the mark that a plan file holds it to."""
    source = read_source(path)
    if _is_plan(source):
        try:
            return Proposal.restore(source.data["proposal"]), str(source.data["plan"])
        except (ValueError, KeyError, TypeError) as error:
            hint = "make it again with `broadcaster plan FILE --out PLAN`"
            raise InputError.one("this plan cannot be read", place=Place(str(path)), hint=hint) from error
    return parse(source, CHANNELS), None


def proposal_of(path: Path) -> Proposal:
    """The proposal of either kind of file."""
    return read(path)[0]


def local_instant(text: str, proposal: Proposal) -> datetime:
    """A time given on the command line, in the announcement's zone; raises InputError."""
    try:
        return parse_instant(text, proposal.announcement.zone_info)
    except ValueError as error:
        raise InputError.one(str(error)) from error


def _is_plan(source: Source) -> bool:
    return isinstance(source.data, dict) and {"plan", "proposal"} <= source.data.keys()
