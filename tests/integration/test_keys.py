"""Keys change while the database is in use: nobody is lost, whatever is killed in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from broadcaster import clock
from broadcaster.errors import StateError
from broadcaster.operations import holding, keys
from broadcaster.operations.holding import Target
from broadcaster.storage import suppressions, vaults
from broadcaster.storage.audiences import PEOPLE, Merged, Row
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Scope
from broadcaster.storage.migrate import check_vault
from broadcaster.vault import (
    Vault,
    ensure_keyring,
    open_vault,
    pending_path,
    read_keyring,
    vault_of,
    write_keyring,
)
from tests.support.examples import local
from tests.support.people import gather
from tests.support.product import Product

EVERYBODY: list[Row] = [(f"+8610000000{number:03}", f"Person {number}", "en", ()) for number in range(25)]
STRANGER = "+8613800138000"
NOW = clock.machine_now()


@pytest.fixture
def keyring(tmp_path: Path) -> Path:
    """The installation's keyring."""
    ensure_keyring(tmp_path / "keys.json")
    return tmp_path / "keys.json"


@pytest.fixture
def peopled(database: Database, keyring: Path) -> Database:
    """An audience of two versions, and a suppressed person who is not in it."""
    vault = open_vault(keyring)
    with database.begin() as connection:
        check_vault(connection, vault)
    gather(database, vault, EVERYBODY[:20])
    gather(database, vault, EVERYBODY[5:])
    with database.begin() as connection:
        suppressions.write(connection, vault, [(STRANGER, "")], "", "clerk", NOW)
    return database


def opened(database: Database, vault: Vault) -> list[tuple[str, str]]:
    """Everybody of both versions and the suppressions, opened."""
    with database.begin() as connection:
        both = "SELECT handle, sealed FROM recipients UNION ALL SELECT handle, sealed FROM suppressions"
        rows = connection.execute(text(both)).all()
    return sorted(vault.open(row.handle, row.sealed) for row in rows)


WHOLE = sorted([*((phone, name) for phone, name, _, _ in EVERYBODY), (STRANGER, "")])


def rotate(database: Database, keyring: Path) -> int:
    """Add a sealing key."""
    with database.begin() as connection:
        return keys.rotate(connection, keyring, "clerk", NOW)


def drop(database: Database, keyring: Path, number: int) -> None:
    """Forget a sealing key."""
    with database.begin() as connection:
        keys.drop(connection, keyring, number, "clerk", NOW)


def rows_per_key(database: Database) -> dict[int, int]:
    """How many rows each key has sealed."""
    with database.begin() as connection:
        return vaults.rows_per_key(connection)


def reindex(database: Database, keyring: Path) -> int:
    """Replace the index key."""
    return keys.reindex(database, keyring, "clerk", NOW, lambda rows: None)


def test_after_a_rotation_new_rows_have_the_new_key(peopled: Database, keyring: Path) -> None:
    """The older ones keep theirs, and all of them open."""
    assert rotate(peopled, keyring) == 2
    vault = open_vault(keyring)
    gather(peopled, vault, [("+8610000000999", "new", "en", ())], keep_others=True)
    assert rows_per_key(peopled) == {1: 26, 2: 1}
    assert opened(peopled, vault) == sorted([*WHOLE, ("+8610000000999", "new")])


def test_a_key_that_rows_need_is_not_dropped(peopled: Database, keyring: Path) -> None:
    """Nor is the one that seals; the keyring stays as it is."""
    rotate(peopled, keyring)
    before = read_keyring(keyring)
    with pytest.raises(StateError, match="26 rows need key 1"):
        drop(peopled, keyring, 1)
    with pytest.raises(StateError, match="key 2 is the one that seals"):
        drop(peopled, keyring, 2)
    assert read_keyring(keyring) == before


def test_resealing_moves_every_row_to_the_newest_key(
    peopled: Database, keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In small steps, each of which is kept; then the older key can go, and everybody still opens."""
    monkeypatch.setattr(vaults, "AT_ONCE", 4)
    rotate(peopled, keyring)
    steps = keys.reseal(peopled, open_vault(keyring))
    assert next(steps).done == 4
    assert rows_per_key(peopled) == {1: 22, 2: 4}
    steps.close()  # stopped here, and begun again
    assert sum(walked.done for walked in keys.reseal(peopled, open_vault(keyring))) == 22
    assert rows_per_key(peopled) == {2: 26}
    drop(peopled, keyring, 1)
    assert opened(peopled, open_vault(keyring)) == WHOLE


def test_resealing_changes_no_index(peopled: Database, keyring: Path) -> None:
    """The same file again changes nothing."""
    rotate(peopled, keyring)
    assert list(keys.reseal(peopled, open_vault(keyring)))
    assert gather(peopled, open_vault(keyring), EVERYBODY[5:]) == Merged(2, 20)


def test_a_row_that_does_not_open_is_left_and_counted(peopled: Database, keyring: Path) -> None:
    """One that somebody has tampered with does not stop the others."""
    with peopled.begin() as connection:
        connection.execute(text("UPDATE recipients SET sealed = overlay(sealed placing '\\x00' from 20) WHERE id = 1"))
    rotate(peopled, keyring)
    walked = list(keys.reseal(peopled, open_vault(keyring)))
    assert (sum(step.done for step in walked), sum(step.unopened for step in walked)) == (25, 1)
    assert rows_per_key(peopled) == {1: 1, 2: 25}
    assert reindex(peopled, keyring) == 1


def test_after_a_re_index_everybody_is_who_they_were(
    peopled: Database, keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other handles, the same people under the same ids: the same file again changes nothing, in either version."""
    monkeypatch.setattr(vaults, "AT_ONCE", 4)
    old = open_vault(keyring)
    handles = "SELECT handle FROM recipients UNION SELECT handle FROM suppressions"
    with peopled.begin() as connection:
        before = set(connection.execute(text(handles)).scalars())
    assert reindex(peopled, keyring) == 0
    vault = open_vault(keyring)
    with peopled.begin() as connection:
        assert before.isdisjoint(connection.execute(text(handles)).scalars())
        check_vault(connection, vault)
        assert suppressions.of_handle(connection, vault.handle(PEOPLE, STRANGER)) == [""]
    assert old.handle(PEOPLE, STRANGER) != vault.handle(PEOPLE, STRANGER)
    assert opened(peopled, vault) == WHOLE
    assert gather(peopled, vault, EVERYBODY[5:]) == Merged(2, 20)
    assert gather(peopled, vault, EVERYBODY[:20]) == Merged(3, 20, added=5, removed=5)


def test_a_process_with_the_old_index_key_writes_nothing_more(peopled: Database, keyring: Path) -> None:
    """It would make everybody somebody new. One that can read the file goes on with the new key."""
    stale, running = vault_of(read_keyring(keyring)), open_vault(keyring)
    reindex(peopled, keyring)
    with pytest.raises(StateError, match="the keys of this database were changed"):
        gather(peopled, stale, EVERYBODY[5:])
    assert gather(peopled, running, EVERYBODY[5:]) == Merged(2, 20)


class Killed(BaseException):
    """The process ends here."""


def test_killed_before_the_commit_nothing_has_changed(peopled: Database, keyring: Path) -> None:
    """The next keyring stands beside the old one already, which still fits."""
    before = read_keyring(keyring)

    def die(_connection: Connection) -> None:
        assert pending_path(keyring).exists()
        raise Killed

    event.listen(peopled.engine, "commit", die)
    with pytest.raises(Killed):
        reindex(peopled, keyring)
    event.remove(peopled.engine, "commit", die)
    assert read_keyring(keyring) == before
    with peopled.begin() as connection:
        check_vault(connection, open_vault(keyring))
    assert opened(peopled, open_vault(keyring)) == WHOLE


def test_killed_after_the_commit_the_next_start_finishes_it(peopled: Database, keyring: Path) -> None:
    """The old keyring no longer fits; the one beside does, and takes its place."""
    before = read_keyring(keyring)
    reindex(peopled, keyring)
    after = read_keyring(keyring)
    write_keyring(pending_path(keyring), after)
    write_keyring(keyring, before)
    vault = open_vault(keyring)
    with peopled.begin() as connection:
        check_vault(connection, vault)
    assert opened(peopled, vault) == WHOLE
    assert read_keyring(keyring) == after
    assert not pending_path(keyring).exists()


def test_a_re_index_waits_until_nothing_is_under_way(product: Product) -> None:
    """Or until everything is paused; the broadcast then goes on with the new keys."""
    product.at(local("2022-02-18 10:00"))
    product.gather(300)
    product.publish()
    broadcast = product.open("sms")
    database, file = product.parts.database, product.parts.settings.keys_file
    with pytest.raises(StateError, match="batches under way") as caught:
        reindex(database, file)
    assert "pause --everything" in str(caught.value.hint)
    everything = Target(Scope.EVERYTHING)
    with product.transaction() as connection:
        holding.hold(connection, everything, "", "clerk", clock.now(), halted=False)
    assert reindex(database, file) == 0
    with product.transaction() as connection:
        holding.resume(connection, everything, "clerk", clock.now())
    product.deliver_all(broadcast)
    assert product.broadcast(broadcast).accepted == 300


def test_batches_go_on_through_a_rotation(product: Product) -> None:
    """A worker that runs since before opens what was sealed with a newer key."""
    product.at(local("2022-02-18 10:00"))
    product.gather(300)
    product.publish()
    broadcast = product.open("sms")
    rotate(product.parts.database, product.parts.settings.keys_file)
    assert list(keys.reseal(product.parts.database, open_vault(product.parts.settings.keys_file)))
    product.deliver_all(broadcast)
    assert product.broadcast(broadcast).accepted == 300


def test_what_was_done_to_keys_is_an_event(peopled: Database, keyring: Path) -> None:
    """With numbers of keys, and never a key."""
    rotate(peopled, keyring)
    assert list(keys.reseal(peopled, open_vault(keyring)))
    drop(peopled, keyring, 1)
    reindex(peopled, keyring)
    with peopled.begin() as connection:
        rows = connection.execute(text("SELECT verb, details FROM events ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [
        ("rotate keys", {"key": 2}),
        ("drop key", {"key": 1}),
        ("reindex", {"unopened": 0}),
    ]
