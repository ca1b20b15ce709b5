"""Naming: finding the broadcast that an operator means by the beginning of its id."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from broadcaster.errors import StateError
from broadcaster.storage import broadcasts


def broadcast_named(connection: Connection, beginning: str) -> Row[Any]:
    """The one broadcast whose id begins like this; raises StateError when there is none, or more than one."""
    matching = broadcasts.starting_with(connection, beginning) if beginning else []
    if len(matching) != 1:
        what = "no broadcast" if not matching else "more than one broadcast"
        raise StateError(f"{what} has an id that begins with {beginning!r}", hint="`broadcaster status SLUG` has them")
    return matching[0]
