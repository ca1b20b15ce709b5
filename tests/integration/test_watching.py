"""Watching: a database that went back is held, once, whoever looks at it; one that goes on, or is another, is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from broadcaster import clock, wiring
from broadcaster.delivery import rounds
from broadcaster.operations import watching
from broadcaster.storage import broadcasts, events, heartbeats, high_water, holds
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Scope
from tests.conftest import Servers
from tests.support import databases
from tests.support.examples import SLUG, local
from tests.support.product import Product
from workers import control


def look(database: Database, folder: Path) -> bool:
    """One look of a scheduler with this data folder."""
    folder.mkdir(exist_ok=True)
    return watching.keep_watch(database, folder, clock.now())


def turn_back(database: Database, beats: int) -> None:
    """Let the database be as it was some looks ago."""
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE heartbeats SET beats = beats - %s WHERE name = 'watch'", (beats,))
        holds.lift(connection, Scope.RESTORED, "")


def halts(database: Database) -> int:
    """How often it was said."""
    with database.begin() as connection:
        return sum(row.verb == "halt" for row in events.history(connection, ""))


def test_a_database_that_goes_on_is_never_held(database: Database, tmp_path: Path) -> None:
    """However many schedulers look at it, with one data folder or several."""
    folders = [tmp_path / name for name in ("one", "one", "two")]
    with ThreadPoolExecutor(3) as pool:
        looks = [pool.submit(lambda folder: [look(database, folder) for _ in range(20)], folder) for folder in folders]
        assert all(all(one.result()) for one in looks)
    assert halts(database) == 0


def test_one_look_back_is_enough(database: Database, tmp_path: Path) -> None:
    """A backup that is a second old is held back as well."""
    look(database, tmp_path)
    turn_back(database, 1)
    assert not look(database, tmp_path)


def test_it_is_said_once_to_all_machines(database: Database, tmp_path: Path) -> None:
    """Another machine's file is no new reason; nor is one that comes back when everything goes on."""
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for _ in range(3):
        for folder in (one, two, three):
            look(database, folder)
    turn_back(database, 5)
    assert not look(database, one)
    assert not look(database, two)
    assert halts(database) == 1
    with database.begin() as connection:
        holds.lift(connection, Scope.RESTORED, "")
        watching.went_on(connection)
    assert look(database, one)
    assert look(database, three)
    turn_back(database, 4)
    assert not look(database, three)


def test_a_second_restore_is_said_again(database: Database, tmp_path: Path) -> None:
    """Of the same backup, or another."""
    look(database, tmp_path)
    for said in (1, 2):
        turn_back(database, 1)
        assert not look(database, tmp_path)
        assert halts(database) == said


def test_another_database_is_no_restored_one(database: Database, servers: Servers, tmp_path: Path) -> None:
    """An installation that begins anew in its old data folder, as a rehearsal does."""
    for _ in range(5):
        look(database, tmp_path)
    with databases.fresh(servers.postgres) as url:
        other = Database(url)
        with other.begin() as connection:
            connection.exec_driver_sql("UPDATE heartbeats SET beat_at = now() WHERE name = 'installed'")
        assert look(other, tmp_path)
        other.close()


@pytest.mark.parametrize("words", ["", "{}", "[]", '{"installed": "yesterday", "beats": 1, "at": "now"}'])
def test_a_mark_that_cannot_be_read_is_written_anew(database: Database, tmp_path: Path, words: str) -> None:
    """A power cut may leave half a file."""
    (tmp_path / high_water.FILE).write_text(words, encoding="utf-8")
    assert look(database, tmp_path)
    assert json.loads((tmp_path / high_water.FILE).read_text(encoding="utf-8"))["beats"] == 1


def test_a_data_folder_that_is_gone_stops_nothing(database: Database, tmp_path: Path) -> None:
    """Sending matters more than the mark; the log says so."""
    assert watching.keep_watch(database, tmp_path / "gone", clock.now())


@pytest.fixture
def scheduled(product: Product) -> Iterator[Product]:
    """The example, approved and due; this process is a control worker of it."""
    product.at(local("2022-02-18 10:00"))
    product.gather(3)
    product.publish()
    wiring.process_app.cache_clear()
    yield product
    wiring.process_app().database.close()
    wiring.process_app.cache_clear()


def test_the_scheduler_itself_keeps_watch(scheduled: Product) -> None:
    """A tick on a database that went back opens nothing, plans nothing, and still gives its sign of life."""
    look(scheduled.parts.database, scheduled.parts.settings.data)
    turn_back(scheduled.parts.database, 1)
    control.tick()
    control.replan()
    with scheduled.transaction() as connection:
        assert heartbeats.age(connection, rounds.TICK) is not None
        assert {row.state for row in broadcasts.rows_of(connection, SLUG)} == {"planned"}
        assert [row.scope for row in holds.standing(connection)] == [Scope.RESTORED]
