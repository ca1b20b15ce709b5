"""`keys …`: what an operator does with the keyring. No key is ever shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from broadcaster import clock
from broadcaster.cli.screen import console, print_json, table
from broadcaster.cli.session import operator, session
from broadcaster.operations import keys as operations
from broadcaster.storage import vaults
from broadcaster.vault import read_keyring
from broadcaster.wiring import App

RESTART = "other processes read it when they start: copy it to wherever they run, and restart them"


def show(*, as_json: bool) -> None:
    """Print the sealing keys by number, and how many rows need each."""
    with session() as parts:
        found = _found(parts)
        path = parts.settings.keys_file
    if as_json:
        print_json({"path": str(path), "sealing": found})
        return
    console.print(f"keyring {path}: one index key, {len(found)} sealing {'key' if len(found) == 1 else 'keys'}")
    shown = table(None, ("key", "rows", "state"), numbers=("key", "rows"))
    for row in found:
        shown.add_row(f"{row['key']}", f"{row['rows']:,}", row["state"])
    console.print(shown)


def rotate() -> None:
    """Add a sealing key."""
    with session() as parts, parts.database.begin() as connection:
        number = operations.rotate(connection, parts.settings.keys_file, operator(), clock.now())
        path = parts.settings.keys_file
    console.print(f"key {number} seals from now on ({path}); {RESTART}")
    console.print("`broadcaster keys reseal` seals with it what older keys sealed")


def reseal() -> None:
    """Seal what older keys sealed with the current one."""
    with session() as parts:
        current, unopened = parts.vault.current, 0
        older = sum(row["rows"] for row in _found(parts) if row["key"] != current)
        with _bar("sealing", older) as tell:
            for walked in operations.reseal(parts.database, parts.vault):
                tell(walked.done)
                unopened += walked.unopened
        console.print(f"everything is sealed with key {current}" if not unopened else _unopened(unopened))
        for row in _found(parts):
            if row["state"] == _UNNEEDED:
                console.print(f"key {row['key']} is no longer needed: `broadcaster keys drop {row['key']}`")


def drop(number: int) -> None:
    """Forget a sealing key."""
    with session() as parts, parts.database.begin() as connection:
        operations.drop(connection, parts.settings.keys_file, number, operator(), clock.now())
        path = parts.settings.keys_file
    console.print(f"key {number} is gone ({path}); backups of the database from before may need it: keep it with them")


def reindex() -> None:
    """Replace the index key."""
    with session() as parts:
        path = parts.settings.keys_file
        with parts.database.begin() as connection:
            rows = vaults.sealed_rows(connection)
        with _bar("indexing", rows) as tell:
            unopened = operations.reindex(parts.database, path, operator(), clock.now(), tell)
    console.print(f"there is another index key ({path}); {RESTART}")
    if unopened:
        console.print(_unopened(unopened))


_CURRENT, _NEEDED, _UNNEEDED, _MISSING = "seals", "opens", "no longer needed", "MISSING: its rows do not open"


def _found(parts: App) -> list[dict[str, Any]]:
    keyring = read_keyring(parts.settings.keys_file)
    with parts.database.begin() as connection:
        rows = vaults.rows_per_key(connection)
    ours = {int(number) for number in keyring["seal"]}

    def state(number: int) -> str:
        if number not in ours:
            return _MISSING
        if number == keyring["current"]:
            return _CURRENT
        return _NEEDED if rows.get(number) else _UNNEEDED

    return [{"key": number, "rows": rows.get(number, 0), "state": state(number)} for number in sorted(ours | set(rows))]


def _unopened(rows: int) -> str:
    return f"{rows:,} rows do not open, because they were changed, and were left as they are"


@contextmanager
def _bar(what: str, total: int) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda rows: progress.advance(task, rows)
