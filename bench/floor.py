"""The floor: what two plain processes can do that take no care of anything.

Each reads its half of the audience by ranges, opens what is sealed, fills in a text for each recipient, signs and posts
calls of 100, and copies the outcomes into a table of the ledger's shape. There is no queue, no lease, no guard, nothing
is written ahead: a process that is killed does not know whom it told. Nothing that sends can be much faster here.
"""

from __future__ import annotations

import multiprocessing
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from bench.signed import Caller, member
from broadcaster.errors import StateError
from broadcaster.rendering.message import personalised
from broadcaster.vault import open_vault

PROCESSES = 2
PER_CALL = 100
PER_READ = 1000
"""Recipients that are read, and outcomes that are copied, at once."""
LONGEST = 3600.0

Recipient = tuple[int, bytes, bytes, str]
"""Id, handle, sealed address and name, language."""

_CREATE = (
    "CREATE TABLE floor (LIKE deliveries INCLUDING DEFAULTS, PRIMARY KEY (announcement, broadcast_id, recipient_id))"
)
_READ = "SELECT id, handle, sealed, language FROM recipients WHERE pool = '' AND id > %s AND id <= %s ORDER BY id"
_COPY = "COPY floor (announcement, broadcast_id, recipient_id, revision, outcome, provider, at) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Half:
    """One process' part: recipients after `after` up to and with `last`."""

    database_url: str
    keys: Path
    sink_url: str
    secret: str
    texts: Mapping[str, str]
    after: int
    last: int


def run(database_url: str, keys: Path, sink_url: str, secret: str, texts: Mapping[str, str]) -> float:
    """Send to everybody; gives the seconds from when both processes are ready until both are done."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS floor")
        connection.execute(_CREATE)
        edges = _edges(connection)
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(PROCESSES + 1)
    halves = [Half(database_url, keys, sink_url, secret, texts, *edge) for edge in edges]
    processes = [context.Process(target=carry, args=(half, ready), daemon=True) for half in halves]
    for process in processes:
        process.start()
    ready.wait(60)
    started = time.monotonic()
    for process in processes:
        process.join(LONGEST)
    seconds = time.monotonic() - started
    if any(process.exitcode != 0 for process in processes):
        raise StateError("a process of the floor failed")
    return seconds


def carry(half: Half, ready: Barrier) -> None:
    """Send to one half of the audience."""
    vault, caller = open_vault(half.keys), Caller(half.sink_url, half.secret)
    with psycopg.connect(half.database_url, autocommit=True) as connection:
        ready.wait(60)
        for rows in _reads(connection, half):
            people = [(id_, *vault.open(handle, sealed), language) for id_, handle, sealed, language in rows]
            for start in range(0, len(people), PER_CALL):
                some = people[start : start + PER_CALL]
                members = [
                    member(id_, phone, language, personalised(half.texts[language], name, ""))
                    for id_, phone, name, language in some
                ]
                caller.post(uuid.uuid4().hex, "floor", members)
            _record(connection, [row[0] for row in rows])


def _reads(connection: Connection[Any], half: Half) -> Iterator[Sequence[Recipient]]:
    for after in range(half.after, half.last, PER_READ):
        found = connection.execute(_READ, (after, min(after + PER_READ, half.last)), binary=True)
        yield found.fetchall()


def _record(connection: Connection[Any], ids: Sequence[int]) -> None:
    said = f"\t1\taccepted\tbench-sms\t{datetime.now(UTC).isoformat()}\n"
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write("".join(f"1\tfloor\t{id_}{said}" for id_ in ids))


def _edges(connection: Connection[Any]) -> list[tuple[int, int]]:
    """The ids between which each process works: as many recipients for each."""
    first, middle, last = connection.execute(
        "SELECT min(id), percentile_disc(0.5) WITHIN GROUP (ORDER BY id), max(id) FROM recipients WHERE pool = ''"
    ).fetchone() or (0, 0, 0)
    return [(first - 1, middle), (middle, last)]
