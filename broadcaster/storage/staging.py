"""The staging table of an import: recipients copied in sealed, then brought down to one row an address.

Rows travel in COPY's binary form, packed by hand: the half of the bytes of its text form, and nothing to parse.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, Engine, TextClause, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import Integer

from broadcaster.errors import InputError
from broadcaster.storage import vaults
from broadcaster.storage.copying import copy_chunks
from broadcaster.storage.tables import tag_sets
from broadcaster.vault import FINGERPRINT_BYTES, HANDLE_BYTES, Vault

Row = tuple[str, str, str, Sequence[str]]
"""Address (E.164 phone, or name of an account or endpoint), name, language, tags."""

MOST_KINDS = 10_000
"""Combinations of language and tags in one import: more of them are not tags, and would not fit into memory."""

_CHUNK_BYTES = 1_000_000
_COLUMNS = 6
# https://www.postgresql.org/docs/current/sql-copy.html: signature, flags, length of the header's extension; no columns.
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
# How many columns, then (length, value) of each: line, handle, fingerprint; and the length of what is sealed.
_BEGINNING = struct.Struct(f">hiqi{HANDLE_BYTES}si{FINGERPRINT_BYTES}si")
_LENGTH = struct.Struct(">i")


def copy(connection: Connection, pool: str, vault: Vault, rows: Iterable[Row]) -> None:
    """Copy recipients, sealed, into the transaction's table `staged`; raises InputError with too many kinds of them."""
    vaults.share(connection, vault)
    connection.execute(text(_STAGED))
    chunks = _packed(pool, vault, rows, TagSets(connection.engine))
    copy_chunks(connection, _COPY, chunks)
    connection.execute(text("ANALYZE staged"))


def unite(connection: Connection) -> int:
    """Of rows with the same address the last one stays, with the tags of all of them; gives how many went."""
    gone = _unite(connection) if connection.execute(text(_DOUBLED)).rowcount else 0
    connection.execute(text("DROP TABLE doubled"))
    return gone


def _unite(connection: Connection) -> int:
    connection.execute(text(_GROUPED))
    groups = connection.execute(text(_DIFFERENT)).scalars().all()
    if len(groups) > MOST_KINDS:
        raise _too_many()
    sets = TagSets(connection.engine)
    pairs = [{"tag_sets": group, "number": sets.union(group)} for group in groups]
    if pairs:
        connection.execute(text("CREATE TEMP TABLE united (tag_sets int[], number int) ON COMMIT DROP"))
        connection.execute(_INSERT_UNITED, pairs)
        connection.execute(text(_UNITE))
        connection.execute(text("DROP TABLE united"))
    gone = connection.execute(text(_DROP_DOUBLES)).rowcount
    connection.execute(text("DROP TABLE grouped"))
    return gone


class TagSets:
    """Numbers for sets of tags.

    A set means the same for ever, so a new one is stored at once in a transaction of its own: while COPY holds the
    import's connection, and without two imports waiting for each other.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.begin() as connection:
            rows = connection.execute(select(tag_sets.c.id, tag_sets.c.tags))
            self._known = {tuple(row.tags): int(row.id) for row in rows}
        self._tags = {number: tags for tags, number in self._known.items()}

    def number(self, tags: Iterable[str]) -> int:
        """The number of a set of tags."""
        wanted = tuple(sorted(set(tags)))
        found = self._known.get(wanted)
        return self._stored(wanted) if found is None else found

    def union(self, numbers: Iterable[int]) -> int:
        """The number of the set that has the tags of all these sets."""
        return self.number(tag for number in numbers for tag in self._tags[number])

    def _stored(self, tags: tuple[str, ...]) -> int:
        with self._engine.begin() as connection:
            connection.execute(insert(tag_sets).values(tags=list(tags)).on_conflict_do_nothing())
            query = select(tag_sets.c.id).where(tag_sets.c.tags == list(tags))
            found = int(connection.execute(query).scalar_one())
        self._known[tags], self._tags[found] = found, tags
        return found


def _packed(pool: str, vault: Vault, rows: Iterable[Row], sets: TagSets) -> Iterator[bytes]:
    """The rows as COPY takes them, in chunks."""
    seal, pack, overhead = vault.seal_new, _BEGINNING.pack, (HANDLE_BYTES, FINGERPRINT_BYTES)
    endings: dict[tuple[str, tuple[str, ...]], bytes] = {}
    buffer = bytearray(_HEADER)
    for line, (address, name, language, tags) in enumerate(rows):
        kind = language, tuple(tags)
        ending = endings.get(kind)
        if ending is None:
            if len(endings) == MOST_KINDS:
                raise _too_many()
            ending = endings[kind] = _ending(language, sets.number(tags))
        handle, fingerprint, sealed = seal(pool, address, name)
        buffer += pack(_COLUMNS, 8, line, overhead[0], handle, overhead[1], fingerprint, len(sealed))
        buffer += sealed
        buffer += ending
        if len(buffer) > _CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer + _TRAILER)


def _ending(language: str, tag_set: int) -> bytes:
    """The last two columns, which are alike in many rows."""
    word = language.encode()
    return _LENGTH.pack(len(word)) + word + _LENGTH.pack(4) + _LENGTH.pack(tag_set)


def _too_many() -> InputError:
    hint = "tags mark groups of people; what is each person's own does not belong there"
    return InputError.one(f"there are more than {MOST_KINDS:,} combinations of language and tags", hint=hint)


_STAGED = """
CREATE TEMP TABLE staged (
    line bigint, handle bytea, fingerprint bytea, sealed bytea, language text, tag_set int
) ON COMMIT DROP
"""

_COPY = "COPY staged (line, handle, fingerprint, sealed, language, tag_set) FROM STDIN (FORMAT binary)"

# Hashed, not sorted: files without doubles are the rule.
_DOUBLED = """
CREATE TEMP TABLE doubled ON COMMIT DROP AS SELECT handle FROM staged GROUP BY handle HAVING count(*) > 1
"""

_GROUPED = """
CREATE TEMP TABLE grouped ON COMMIT DROP AS
SELECT s.handle, max(s.line) AS last, array_agg(DISTINCT s.tag_set ORDER BY s.tag_set) AS tag_sets
FROM staged s JOIN doubled d ON d.handle = s.handle GROUP BY s.handle
"""

_DIFFERENT = "SELECT DISTINCT tag_sets FROM grouped WHERE cardinality(tag_sets) > 1"

_INSERT_UNITED: TextClause = text("INSERT INTO united VALUES (:tag_sets, :number)").bindparams(
    bindparam("tag_sets", type_=ARRAY(Integer))
)

_UNITE = """
UPDATE staged s SET tag_set = u.number
FROM grouped g JOIN united u ON u.tag_sets = g.tag_sets
WHERE s.handle = g.handle AND s.line = g.last
"""

_DROP_DOUBLES = "DELETE FROM staged s USING grouped g WHERE s.handle = g.handle AND s.line < g.last"
