"""Cautions on the terminal: warnings beside those of the outlook, errors as what a file would be refused for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import typer

from broadcaster.announcement.source import Source
from broadcaster.operations.outlook import Outlook
from broadcaster.operations.preview import Preview
from broadcaster.planning.caution import Caution, errors, warnings


def with_cautions(outlook: Outlook, cautions: Iterable[Caution], source: Source | None = None) -> Outlook:
    """The outlook that warns of cautions too; `source` gives them their lines."""
    return replace(outlook, warnings=(*outlook.warnings, *warnings(cautions, source)))


def cautioned(found: Preview, source: Source | None = None) -> Preview:
    """The preview whose outlook warns of its cautions too."""
    return replace(found, outlook=with_cautions(found.outlook, found.cautions, source))


def refusals(found: Preview, source: Source | None = None) -> list[str]:
    """What approving it would be refused for."""
    return [str(problem) for problem in errors(found.cautions, source)]


def show_refusals(found: Preview, source: Source | None = None) -> None:
    """Print on standard error what approving it would be refused for."""
    typer.echo("".join(f"error: {words}\n" for words in refusals(found, source)), err=True, nl=False)
