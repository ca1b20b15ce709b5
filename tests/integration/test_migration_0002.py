"""A database of the first version, with people in it, becomes one of the second: sealed, in versions, nobody lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Connection, text

from broadcaster import clock
from broadcaster.errors import StateError
from broadcaster.storage import audiences, holds
from broadcaster.storage.audiences import PEOPLE, Merged, Row
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Scope
from broadcaster.storage.migrate import migrate
from broadcaster.storage.upgrading import config, differences
from broadcaster.vault import Vault
from tests.conftest import Servers
from tests.support import databases
from tests.support.people import gather, new_vault

BEFORE = """
INSERT INTO announcements (slug, state, zone, approved_revision, paused, created_at) VALUES
    ('first', 'in_progress', 'Asia/Shanghai', 1, true, now()), ('second', 'draft', 'UTC', NULL, false, now());
INSERT INTO revisions (slug, number, state, digest, content, created_at)
VALUES ('first', 1, 'approved', '', '{}', now());
INSERT INTO recipients (id, kind, channel, address, name, language, tags, listed_since, inactive_since) VALUES
    (1, 'person', '', '+8613800138000', '甲', 'zh-Hans', '{retired}', now(), NULL),
    (2, 'person', '', '+8613800138001', '', 'en', '{b,a}', now(), NULL),
    (3, 'person', '', '+8613800138002', 'Gone', 'en', '{}', now(), now()),
    (9, 'endpoint', 'banner', 'portal', 'Portal', 'und', '{}', now(), NULL),
    (10, 'endpoint', 'kiosk', 'hall', 'Hall', 'und', '{}', now(), now());
INSERT INTO broadcasts
    (id, slug, revision, channel, phase, occurrence, audience,
     due_at, expires_at, state, opened_at, recipients, accepted)
VALUES
    ('open', 'first', 1, 'sms', 'notice', '', 'everyone', now(), now(), 'open', now(), 2, 1),
    ('planned', 'first', 1, 'sms', 'started', '', 'everyone', now(), now(), 'planned', NULL, 0, 0);
INSERT INTO batches (id, broadcast_id, first_id, last_id, recipients) VALUES (1, 'open', 1, 2, 2);
INSERT INTO calls (key, batch_id, broadcast_id, revision, provider, members, settled, prepared_at) VALUES
    ('done', 1, 'open', 1, 'sandbox', '{1}', true, now()), ('doubt', 1, 'open', 1, 'sandbox', '{2}', false, now());
INSERT INTO deliveries (broadcast_id, recipient_id, revision, outcome, reference, at, receipt, receipt_at)
VALUES ('open', 1, 1, 'accepted', 'ref', now(), 'delivered', now());
"""

A: Row = ("+8613800138000", "甲", "zh-Hans", ("retired",))
B: Row = ("+8613800138001", "", "en", ("a", "b"))
GONE: Row = ("+8613800138002", "Gone", "en", ())


@pytest.fixture
def vault() -> Vault:
    """The vault that the migration seals with."""
    return new_vault()


@pytest.fixture
def first(servers: Servers) -> Iterator[Database]:
    """A database of the first version, with an announcement under way."""
    with databases.fresh(servers.postgres, template="template0") as url:
        found = Database(url)
        with found.begin() as connection:
            command.upgrade(config(connection), "0001")
            connection.exec_driver_sql(BEFORE)
        yield found
        found.close()


@pytest.fixture
def migrated(first: Database, vault: Vault) -> Iterator[Connection]:
    """It, migrated."""
    migrate(first, vault)
    with first.begin() as connection:
        yield connection


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    """What a query gives."""
    return [tuple(row) for row in connection.execute(text(query))]


def test_the_tables_are_those_of_this_version(migrated: Connection) -> None:
    """Also where there was something in them."""
    assert differences(migrated) == []


def test_everybody_is_sealed_under_their_id(migrated: Connection, vault: Vault) -> None:
    """The ledger goes on to mean the same people; those who had left are in no version."""
    found = migrated.execute(text("SELECT id, since, until, pool, handle, sealed FROM recipients ORDER BY id")).all()
    assert [(row.id, row.since, row.until, row.pool) for row in found] == [
        (1, 1, None, ""),
        (2, 1, None, ""),
        (3, 1, 1, ""),
        (9, 1, None, "banner"),
        (10, 1, 1, "kiosk"),
    ]
    assert [vault.open(row.handle, row.sealed) for row in found][:3] == [A[:2], B[:2], GONE[:2]]


def test_no_number_stays_in_the_database(first: Database, vault: Vault) -> None:
    """Neither in a table nor in one that was forgotten."""
    migrate(first, vault)
    with first.begin() as connection:
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
        found = [str(rows(connection, f'SELECT t.*::text FROM "{name}" t')) for name in names]  # noqa: S608 - its own
    assert [text_ for text_ in found if "1380013800" in text_ or "甲" in text_] == []


def test_pools_have_their_first_version(migrated: Connection) -> None:
    """With counts by language and tags; one that everybody had left has nobody in it."""
    query = "SELECT pool, number, recipients, source FROM audience_versions ORDER BY pool"
    assert rows(migrated, query) == [
        ("", 1, 2, "migration"),
        ("banner", 1, 1, "migration"),
        ("kiosk", 1, 0, "migration"),
    ]
    counted = audiences.combinations(migrated, PEOPLE, 1)
    assert {(row.language, row.tags, row.recipients) for row in counted} == {
        ("zh-Hans", frozenset({"retired"}), 1),
        ("en", frozenset({"a", "b"}), 1),
    }


def test_importing_the_same_people_changes_nothing(first: Database, vault: Vault) -> None:
    """They are recognised; who had left and comes back has the id of before, and newcomers get one of their own."""
    migrate(first, vault)
    assert gather(first, vault, [A, B]) == Merged(1, 2)
    newcomer: Row = ("+8613800138009", "", "en", ())
    assert gather(first, vault, [A, B, GONE, newcomer]) == Merged(2, 4, added=2)
    with first.begin() as connection:
        found = rows(connection, "SELECT id FROM recipients WHERE pool = '' AND until IS NULL ORDER BY id")
    assert found == [(1,), (2,), (3,), (11,)]


def test_endpoints_come_back_under_their_id(first: Database, vault: Vault) -> None:
    """Also of a pool that everybody had left."""
    migrate(first, vault)
    with first.begin() as connection:
        audiences.stage(connection, "kiosk", vault, [("hall", "Hall", "und", ())])
        audiences.merge(connection, "kiosk", "site", clock.now(), keep_others=False)
        assert rows(connection, "SELECT id FROM recipients WHERE pool = 'kiosk' AND until IS NULL") == [(10,)]


def test_what_is_under_way_goes_on(migrated: Connection) -> None:
    """Its audience is the first version, all of it cut; calls in doubt stay so, settled ones are no longer needed."""
    broadcasts = "SELECT id, version, cut, recipients, accepted FROM broadcasts ORDER BY id"
    assert rows(migrated, broadcasts) == [("open", 1, True, 2, 1), ("planned", None, False, 0, 0)]
    assert rows(migrated, "SELECT key, made_at IS NOT NULL FROM calls") == [("doubt", True)]


def test_the_ledger_is_kept(migrated: Connection) -> None:
    """In the part of its announcement, with its receipts."""
    found = "SELECT d.recipient_id, d.outcome, d.reference, d.receipt, a.slug"
    joined = "FROM deliveries d JOIN announcements a ON a.number = d.announcement"
    assert rows(migrated, f"{found} {joined}") == [(1, "accepted", "ref", "delivered", "first")]
    numbers = rows(migrated, "SELECT number FROM announcements")
    parts = rows(migrated, "SELECT relname FROM pg_class WHERE relname ~ '^deliveries_[0-9]+$' AND relkind = 'r'")
    assert sorted(parts) == sorted((f"deliveries_{number}",) for (number,) in numbers)


def test_a_paused_announcement_stays_paused(migrated: Connection) -> None:
    """As a hold of its own."""
    assert [(hold.scope, hold.target) for hold in holds.standing(migrated)] == [(Scope.ANNOUNCEMENT, "first")]


def test_without_keys_nothing_is_migrated(first: Database) -> None:
    """People cannot be sealed then; the database stays as it was."""
    with pytest.raises(StateError, match="recipients must be sealed by this migration"):
        migrate(first)
    with first.begin() as connection:
        assert rows(connection, "SELECT count(*) FROM recipients WHERE address LIKE '+86%'") == [(3,)]


def test_sealed_people_are_not_taken_back(first: Database, vault: Vault) -> None:
    """The older tables would hold them in the open."""
    migrate(first, vault)
    with pytest.raises(StateError, match="cannot be taken back"), first.begin() as connection:
        command.downgrade(config(connection), "0001")
