"""A file becomes the audience: whole, or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from broadcaster import clock
from broadcaster.audience.importing import ImportResult, Manner, import_people
from broadcaster.errors import InputError, StateError
from broadcaster.storage import audiences
from broadcaster.storage.audiences import PEOPLE
from broadcaster.storage.database import Database
from broadcaster.vault import Vault
from tests.support.people import new_vault

HEADER = "phone,name,language,tags\n"
TWO = f"{HEADER}13800138000,甲,zh-Hans,retired\n+8613800138001,B,en,\n"
OTHERS = f"{HEADER}13800138002,丙,zh-Hans,\n13800138003,D,en,\n"

WHOLE = Manner()

Bring = Callable[..., ImportResult]


@pytest.fixture
def vault() -> Vault:
    """The vault of the installation."""
    return new_vault()


@pytest.fixture
def bring(database: Database, vault: Vault, tmp_path: Path) -> Bring:
    """Import a file's content, in a transaction of its own."""

    def imported(content: str | bytes, manner: Manner = WHOLE) -> ImportResult:
        file = tmp_path / "people.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        with database.begin() as connection:
            return import_people(connection, vault, file, clock.now(), manner)

    return imported


def value(database: Database, statement: str) -> object:
    """What a query answers with."""
    with database.begin() as connection:
        return connection.execute(text(statement)).scalar()


def newest(database: Database) -> int:
    """The number of the newest version."""
    with database.begin() as connection:
        return audiences.newest(connection, PEOPLE)


def test_an_import_tells_what_it_did(bring: Bring) -> None:
    """What was added, changed, removed, left as it was and merged, and what the version has now."""
    bring(TWO)
    more = "13800138000,甲乙,zh-Hans,retired\n13800138001,B,en,\n13800138004,E,en,\n13800138004,E,en,\nx,,,\n"
    found = bring(HEADER + more)
    assert (found.version, found.recipients, found.read) == (2, 3, 4)
    assert (found.added, found.changed, found.removed, found.unchanged) == (1, 1, 0, 1)
    assert (found.merged, found.rejected, dict(found.reasons)) == (1, 1, {"not a phone number": 1})


def test_an_import_is_an_event(bring: Bring, database: Database) -> None:
    """Who brought which file in, with counts and without people."""
    bring(TWO, Manner(actor="clerk"))
    with database.begin() as connection:
        row = connection.execute(text("SELECT actor, verb, details FROM events")).one()
    assert (row.actor, row.verb) == ("clerk", "import")
    assert row.details["source"] == "people.csv"
    assert (row.details["version"], row.details["added"], row.details["recipients"]) == (1, 2, 2)
    assert "1380013" not in str(row.details)


def test_a_file_with_most_people_missing_is_refused(bring: Bring, database: Database) -> None:
    """Somebody took the wrong file: nothing changed, and the way out is said."""
    bring(TWO)
    with pytest.raises(StateError, match="2 of the 2 in the audience are not in it") as caught:
        bring(OTHERS)
    assert "--add" in str(caught.value.hint)
    assert "--replace" in str(caught.value.hint)
    assert (newest(database), value(database, "SELECT count(*) FROM recipients")) == (1, 2)


@pytest.mark.parametrize(("manner", "people"), [(Manner(replace=True), 2), (Manner(add=True), 4)])
def test_what_is_meant_is_done(bring: Bring, manner: Manner, people: int) -> None:
    """`replace` lets them go, `add` keeps them."""
    bring(TWO)
    assert bring(OTHERS, manner).recipients == people


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", "the column `phone` is missing", id="empty"),
        pytest.param("name\nA\n", "the column `phone` is missing", id="no phone column"),
        pytest.param(HEADER, "there is nobody in it", id="only a header"),
        pytest.param(HEADER + "\n\n,,,\n", "there is nobody in it", id="blank rows"),
        pytest.param(HEADER + "12,,,\n13,,,\n", "none of its 2 rows can be used: not a valid phone", id="bad rows"),
        pytest.param(TWO + '"' + "1" * 1_000_000, "people.csv:4: not a CSV file", id="a cell without an end"),
        pytest.param(TWO.encode() + b"\n" * 9 + b"x" * 1_000_000, "a line of more than", id="a line without an end"),
        pytest.param(gzip.compress(TWO.encode() * 99)[:-12], "the gzip file is damaged", id="half a file"),
    ],
)
@pytest.mark.parametrize("manner", [Manner(), Manner(add=True), Manner(replace=True)])
def test_a_file_that_is_no_audience_changes_nothing(
    bring: Bring, database: Database, content: str | bytes, words: str, manner: Manner
) -> None:
    """However far it was read before that was known."""
    bring(TWO)
    with pytest.raises(InputError, match=words):
        bring(content, manner)
    assert (newest(database), value(database, "SELECT count(*) FROM recipients")) == (1, 2)
    assert value(database, "SELECT count(*) FROM events") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_names_arrive_in_any_encoding(bring: Bring, database: Database, vault: Vault, encoding: str) -> None:
    """As spreadsheets of all countries save them."""
    bring(f"{HEADER}13800138000,刘德华,,\n".encode(encoding))
    with database.begin() as connection:
        row = connection.execute(text("SELECT handle, sealed FROM recipients")).one()
    assert vault.open(row.handle, row.sealed) == ("+8613800138000", "刘德华")


def test_one_bad_byte_in_a_file_costs_one_row(bring: Bring) -> None:
    """The others are read as what the file mostly is."""
    found = bring(f"{HEADER}13800138000,刘德华,,\n".encode() + b"13800138001,\xc1\xf5,,\n13800138002,C,,\n")
    assert (found.added, dict(found.reasons)) == (2, {"not UTF-8 text": 1})


def test_an_encoding_can_be_forced(bring: Bring) -> None:
    """Where the beginning of the file does not show it."""
    found = bring(f"{HEADER}13800138000,鄭,,\n".encode("big5"), Manner(encoding="big5"))
    assert (found.added, found.encoding) == (1, "big5")
    with pytest.raises(InputError, match="--encoding: there is no 'klingon'"):
        bring(TWO, Manner(encoding="klingon"))


def test_an_interrupted_import_changes_nothing(database: Database, vault: Vault, tmp_path: Path) -> None:
    """Ctrl-C in the middle of the file, after whole chunks of it have gone to the database."""
    file = tmp_path / "people.csv"
    rows = "".join(f"100{number:08},name,en,tag\n" for number in range(30_000))
    file.write_text(HEADER + rows, encoding="utf-8")

    class Interrupted:
        def reading(self, share: float, rows: int) -> None:
            """Interrupt it when most was read."""
            if rows >= 25_000:
                raise KeyboardInterrupt

        def merging(self) -> None:
            """Too late."""

    with pytest.raises(KeyboardInterrupt), database.begin() as connection:
        import_people(connection, vault, file, clock.now(), Manner(), Interrupted())
    assert (newest(database), value(database, "SELECT count(*) FROM recipients")) == (0, 0)


def test_progress_is_told(database: Database, vault: Vault, tmp_path: Path) -> None:
    """How much of the file was read, never less than before; then that the database works."""
    file = tmp_path / "people.csv"
    file.write_text(HEADER + "".join(f"100{number:08},,en,\n" for number in range(12_000)), encoding="utf-8")
    told: list[tuple[float, int]] = []

    class Watcher:
        def reading(self, share: float, rows: int) -> None:
            """Note it."""
            told.append((share, rows))

        def merging(self) -> None:
            """Note it."""
            told.append((2.0, -1))

    with database.begin() as connection:
        import_people(connection, vault, file, clock.now(), Manner(), Watcher())
    assert [rows for _, rows in told] == [0, 5000, 10000, -1]
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
