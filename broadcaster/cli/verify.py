"""`verify`: reads every surface back as the public gets it, and compares it with what should show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from broadcaster.cli.failures import WRONG
from broadcaster.cli.screen import console, print_json, table
from broadcaster.cli.session import operator, session
from broadcaster.errors import InputError
from broadcaster.operations.revise import required
from broadcaster.storage.readbacks import Reading, Result


def verify(slug: str | None, *, everything: bool, as_json: bool) -> None:
    """Read, print a row an address; exit 1 when one of them is not confirmed."""
    if (slug is None) is not everything:
        raise InputError.one("name an announcement, or give --all")
    with session() as parts:
        if slug:
            with parts.database.begin() as connection:
                required(connection, slug, lock=False)
        rows = [_data(row, slug) for row in parts.reader().read_all(operator())]
    if as_json:
        print_json({"announcement": slug, "addresses": rows})
    else:
        _show(rows)
    if any(row["result"] != Result.CONFIRMED for row in rows):
        raise typer.Exit(WRONG)


def _data(reading: Reading, slug: str | None) -> dict[str, Any]:
    """A reading as plain data; of one announcement only what concerns it."""
    found = [(of, words) for of, words in reading.differences if slug is None or of in ("", slug)]
    result = reading.result if found or reading.result is not Result.OTHER else Result.CONFIRMED
    differences = [f"{of}: {words}" if of else words for of, words in found]
    names = {"channel": reading.channel, "endpoint": reading.endpoint or "public"}
    return {**names, "result": str(result), "differences": differences}


def _show(rows: Sequence[dict[str, Any]]) -> None:
    shown = table(None, ["channel", "address", "result", "what differs"])
    for row in rows:
        shown.add_row(row["channel"], row["endpoint"], row["result"], "; ".join(row["differences"]))
    console.print(shown if rows else "the site has no surface")
