"""What the database itself holds to: its tables, its migrations, its event log."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from broadcaster import clock
from broadcaster.errors import UnreachableError
from broadcaster.storage import events, heartbeats
from broadcaster.storage.database import Database
from broadcaster.storage.migrate import NEWEST, is_current, migrate
from broadcaster.storage.upgrading import config, differences
from tests.conftest import Servers
from tests.support import databases

TABLES = {
    *("announcements", "revisions", "broadcasts", "recipients", "batches", "calls"),
    *("deliveries", "receipts", "waiting_receipts", "events", "heartbeats"),
    *(
        "audience_versions",
        "audience_counts",
        "tag_sets",
        "suppressions",
        "holds",
        "quotas",
        "recipient_quotas",
        "tallies",
        "vault_checks",
        "staleness",
        "screens",
        "screen_fetches",
        "readbacks",
        "replacements",
        "operator_events",
        "addressed_receipts",
        "endpoints",
    ),
}


@pytest.fixture
def empty(servers: Servers) -> Iterator[Database]:
    """A database without any table."""
    with databases.fresh(servers.postgres, template="template0") as url:
        found = Database(url)
        yield found
        found.close()


def tables(database: Database) -> set[str]:
    """The names of the tables."""
    with database.begin() as connection:
        return set(connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars())


def test_migrations_and_tables_agree(database: Database) -> None:
    """`tables.py` is the one definition; a migrated database has exactly what it says."""
    with database.begin() as connection:
        assert differences(connection) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    """Every start does it."""
    before = tables(database)
    migrate(database)
    assert tables(database) == before == TABLES | {"alembic_version"}


def test_two_processes_that_start_at_once_make_the_tables_once(empty: Database) -> None:
    """The second waits for the first, and finds everything done."""
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(migrate, empty) for _ in range(2)]:
            done.result()
    with empty.begin() as connection:
        assert is_current(connection)


def test_the_newest_migration_is_the_one_that_is_asked_for(database: Database) -> None:
    """What says that nothing is to be done does not load the migrations."""
    with database.begin() as connection:
        assert ScriptDirectory.from_config(config(connection)).get_current_head() == NEWEST


def test_a_database_without_tables_is_not_current(empty: Database) -> None:
    """`doctor` says so."""
    with empty.begin() as connection:
        assert not is_current(connection)


def test_every_migration_can_be_taken_back(database: Database) -> None:
    """Down to nothing and up again, with the same tables."""
    with database.begin() as connection:
        command.downgrade(config(connection), "base")
    assert tables(database) == {"alembic_version"}
    migrate(database)
    with database.begin() as connection:
        assert differences(connection) == []


@pytest.mark.parametrize("statement", ["UPDATE events SET actor = 'nobody'", "DELETE FROM events"])
def test_the_event_log_is_append_only(database: Database, statement: str) -> None:
    """Postgres itself refuses to change or delete what was recorded."""
    with database.begin() as connection:
        events.record(connection, "somebody", "propose", "slug", clock.now())
    with pytest.raises(DBAPIError, match="append-only"), database.begin() as connection:
        connection.execute(text(statement))


def test_an_exception_takes_its_transaction_back(database: Database) -> None:
    """Half of a deed is never stored."""
    with pytest.raises(ZeroDivisionError), database.begin() as connection:
        events.record(connection, "somebody", "propose", "slug", clock.now())
        _ = 1 / 0
    with database.begin() as connection:
        assert events.history(connection, "slug") == []


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    """The address is what the operator needs."""
    database = Database("postgresql://clerk:hunter2@127.0.0.1:9/plan")
    with pytest.raises(UnreachableError, match=r"Postgres at 127\.0\.0\.1:9") as caught, database.begin():
        pass
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_pool_survives_a_restart_of_its_connections(database: Database) -> None:
    """A connection that the server has ended is replaced without anybody noticing."""
    with database.begin() as connection:
        first = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with psycopg.connect(database.url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [first])
    with database.begin() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != first


def test_a_heartbeat_has_an_age(database: Database) -> None:
    """None before the first, then seconds by the database's own clock."""
    with database.begin() as connection:
        assert heartbeats.age(connection, "tick") is None
        heartbeats.beat(connection, "tick")
        assert heartbeats.age(connection, "tick") == 0.0
