"""`audience suppress`, `audience unsuppress` and `audience suppressions`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

from broadcaster import clock
from broadcaster.audience import suppression
from broadcaster.audience.pools import Pool, pool_named
from broadcaster.audience.suppression import FileResult, Order
from broadcaster.cli.audience import storing
from broadcaster.cli.screen import console, print_json, table
from broadcaster.cli.session import operator, session
from broadcaster.errors import InputError, Place
from broadcaster.storage import suppressions as stored

_ALL = "all channels"


def suppress(
    address: str | None, file: Path | None, channel: str, reason: str, encoding: str | None, *, as_json: bool
) -> None:
    """Suppress one address, or those of a file."""
    if (address is None) == (file is None):
        raise InputError.one("give one number or openid, or --file FILE with many")
    pool = pool_named(channel)
    order = Order(channel, _reason(reason), operator(), clock.now())
    if file is not None:
        _file(file, order, encoding, as_json=as_json)
        return
    wanted = read_address(pool, str(address))
    with session() as parts, parts.database.begin() as connection:
        new = suppression.suppress(connection, parts.vault, wanted, order)
    if as_json:
        print_json({"new": int(new), "known": int(not new)})
    else:
        said = f"nothing more is sent on {channel or _ALL}" if new else "suppressed already"
        console.print(f"{pool.masked(wanted)}: {said}")


def unsuppress(address: str, channel: str) -> None:
    """Let one person be told again."""
    pool = pool_named(channel)
    wanted = read_address(pool, address)
    with session() as parts, parts.database.begin() as connection:
        order = Order(channel, "", operator(), clock.now())
        lifted = suppression.unsuppress(connection, parts.vault, wanted, order)
    console.print(f"{pool.masked(wanted)}: may be written to again on {', '.join(name or _ALL for name in lifted)}")


def suppressions(*, as_json: bool) -> None:
    """Print how many are suppressed, by channel and reason."""
    with session() as parts, parts.database.begin() as connection:
        found = stored.sums(connection)
    if as_json:
        print_json([asdict(row) for row in found])
        return
    shown = table(None, ("channel", "people", "reason"), numbers=("people",))
    for row in found:
        shown.add_row(row.channel or _ALL, f"{row.people:,}", row.reason or "opted out")
    console.print(shown if found else "nobody is suppressed")


def _file(file: Path, order: Order, encoding: str | None, *, as_json: bool) -> None:
    if not file.exists():
        raise InputError.one("there is no such file", place=Place(str(file)))
    with session() as parts, storing(parts) as connection:
        result = suppression.suppress_file(connection, parts.vault, file, order, encoding)
    if as_json:
        plain = asdict(replace(result, reasons=Counter(), unkept=Counter()))
        print_json({**plain, "reasons": dict(result.reasons), "unkept": dict(result.unkept)})
    else:
        _say(result)


def _say(result: FileResult) -> None:
    console.print(f"{result.new:,} suppressed, {result.known:,} were already, {result.rejected:,} rejected")
    for reason, number in result.reasons.most_common():
        console.print(f"  {number:,} × {reason}")
    for reason, number in result.unkept.most_common():
        console.print(f"  {number:,} suppressed without their reason: {reason}")
    if result.rejects:
        console.print(f"rejected rows: {result.rejects}")


def _reason(text: str) -> str:
    try:
        return suppression.checked_reason(text)
    except ValueError as error:
        raise InputError.one(f"--reason: {error}") from error


def read_address(pool: Pool, text: str, option: str = "") -> str:
    """An address as its pool has it; raises InputError, which names the option that it was given with."""
    try:
        return pool.read(text)
    except ValueError as error:
        raise InputError.one(f"{option}{': ' if option else ''}{error}", hint=pool.example) from error
