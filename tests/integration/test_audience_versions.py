"""Versions of the audience: an import makes one, and none ever changes afterwards."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from broadcaster import clock
from broadcaster.errors import InputError, StateError
from broadcaster.storage import audiences, staging
from broadcaster.storage.audiences import PEOPLE, Merged, Row, TooManyLeaveError
from broadcaster.storage.database import Database
from broadcaster.vault import Vault
from tests.support.people import gather, new_vault

A: Row = ("+8613800138000", "甲", "zh-Hans", ("retired",))
B: Row = ("+8613800138001", "B", "en", ())
C: Row = ("+8613800138002", "丙", "zh-Hans", ("a", "b"))
RENAMED: Row = ("+8613800138000", "甲乙", "zh-Hans", ("retired",))


@pytest.fixture
def vault() -> Vault:
    """The vault that everybody is sealed by."""
    return new_vault()


def members(database: Database, vault: Vault, version: int, pool: str = PEOPLE) -> list[Row]:
    """Who is in a version, by phone, opened."""
    with database.begin() as connection:
        rows = connection.execute(text(_MEMBERS), {"pool": pool, "version": version}).all()
    return sorted((*vault.open(row.handle, row.sealed), row.language, tuple(row.tags)) for row in rows)


_MEMBERS = """
SELECT r.handle, r.sealed, r.language, t.tags FROM recipients r JOIN tag_sets t ON t.id = r.tag_set
WHERE r.pool = :pool AND r.since <= :version AND (r.until IS NULL OR r.until > :version)
"""


def ids(database: Database) -> list[int]:
    """The ids of everybody who is in the newest version."""
    with database.begin() as connection:
        return list(connection.execute(text("SELECT id FROM recipients WHERE until IS NULL ORDER BY id")).scalars())


def test_the_first_import_makes_the_first_version(database: Database, vault: Vault) -> None:
    """Everybody is added, with name, language and tags."""
    assert gather(database, vault, [A, B, C]) == Merged(1, 3, added=3)
    assert members(database, vault, 1) == [A, B, C]


def test_a_file_is_the_whole_audience(database: Database, vault: Vault) -> None:
    """Added, changed and removed are told apart; the version before stays as it was."""
    gather(database, vault, [A, B])
    assert gather(database, vault, [RENAMED, C]) == Merged(2, 2, added=1, changed=1, removed=1)
    assert members(database, vault, 1) == [A, B]
    assert members(database, vault, 2) == [RENAMED, C]


def test_others_can_be_kept(database: Database, vault: Vault) -> None:
    """A file of newcomers does not have to repeat everybody."""
    gather(database, vault, [A, B])
    assert gather(database, vault, [RENAMED, C], keep_others=True) == Merged(2, 3, added=1, changed=1)
    assert members(database, vault, 2) == [RENAMED, B, C]


@pytest.mark.parametrize("keep_others", [True, False])
def test_the_same_again_makes_no_version(database: Database, vault: Vault, keep_others: bool) -> None:
    """Nothing differs, though everything is sealed anew."""
    gather(database, vault, [A, B])
    assert gather(database, vault, [B, A], keep_others=keep_others) == Merged(1, 2)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((A[0], "another", A[2], A[3]), id="name"),
        pytest.param((A[0], A[1], "en", A[3]), id="language"),
        pytest.param((A[0], A[1], A[2], ("retired", "vip")), id="tags"),
    ],
)
def test_whatever_differs_is_a_change(database: Database, vault: Vault, other: Row) -> None:
    """Of the same person: the id stays, so that nobody is told twice."""
    gather(database, vault, [A])
    before = ids(database)
    assert gather(database, vault, [other]).changed == 1
    assert ids(database) == before
    assert members(database, vault, 2) == [other]


def test_who_comes_back_is_the_same_person(database: Database, vault: Vault) -> None:
    """The ledger finds what they were told before they left."""
    gather(database, vault, [A, B])
    before = ids(database)
    gather(database, vault, [A])
    gather(database, vault, [A, B])
    assert ids(database) == before
    assert [len(members(database, vault, version)) for version in (1, 2, 3)] == [2, 1, 2]


def test_of_two_rows_of_a_phone_the_last_counts_with_the_tags_of_both(database: Database, vault: Vault) -> None:
    """Files are put together from several sources; nobody is in them twice."""
    rows: list[Row] = [
        (A[0], "first", "en", ("a",)),
        B,
        (A[0], "second", "en", ("b", "c")),
        (A[0], "last", "zh-Hans", ("a",)),
    ]
    assert gather(database, vault, rows) == Merged(1, 2, added=2, doubles=2)
    assert members(database, vault, 1) == [(A[0], "last", "zh-Hans", ("a", "b", "c")), B]


def test_doubles_are_no_change_when_they_come_again(database: Database, vault: Vault) -> None:
    """The same file twice changes nothing, however many doubles it has."""
    rows: list[Row] = [(A[0], "x", "en", ("a",)), (A[0], "y", "en", ("b",)), B, B]
    gather(database, vault, rows)
    assert gather(database, vault, rows) == Merged(1, 2, doubles=2)


def test_a_file_that_would_remove_most_people_is_refused(database: Database, vault: Vault) -> None:
    """More than the share that may leave; exactly that share may."""
    gather(database, vault, [A, B])
    with database.begin() as connection:
        audiences.stage(connection, PEOPLE, vault, [A])
        merged = audiences.merge(connection, PEOPLE, "half", clock.now(), keep_others=False, most_leaving=0.5)
    assert merged.removed == 1
    with pytest.raises(TooManyLeaveError, match="1 of the 1"), database.begin() as connection:
        audiences.stage(connection, PEOPLE, vault, [C])
        audiences.merge(connection, PEOPLE, "wrong", clock.now(), keep_others=False, most_leaving=0.5)
    assert members(database, vault, 2) == [A]
    with database.begin() as connection:
        assert audiences.newest(connection, PEOPLE) == 2


def test_pools_have_versions_of_their_own(database: Database, vault: Vault) -> None:
    """An endpoint of the same name is another recipient, and leaving one pool is not leaving another."""
    gather(database, vault, [A])
    with database.begin() as connection:
        audiences.stage(connection, "banner", vault, [(A[0], "site", "und", ())])
        assert audiences.merge(connection, "banner", "site", clock.now(), keep_others=False).version == 1
    with database.begin() as connection:
        audiences.stage(connection, "banner", vault, [])
        assert audiences.merge(connection, "banner", "site", clock.now(), keep_others=False) == Merged(2, 0, removed=1)
    assert members(database, vault, 1) == [A]


def test_several_pools_are_merged_in_one_transaction(database: Database, vault: Vault) -> None:
    """The site's endpoints change together; doubles in one of them do not concern the next."""
    with database.begin() as connection:
        for pool, rows in (("banner", [A, A]), ("kiosk", [A]), ("wechat", [A, B, B])):
            audiences.stage(connection, pool, vault, rows)
            assert audiences.merge(connection, pool, "site", clock.now(), keep_others=False).version == 1
    assert members(database, vault, 1, "wechat") == [A, B]


def test_versions_are_listed(database: Database, vault: Vault) -> None:
    """With what each of them changed."""
    gather(database, vault, [A, B])
    gather(database, vault, [RENAMED])
    with database.begin() as connection:
        found = audiences.versions(connection, PEOPLE)
    shown = [(row.number, row.source, row.recipients, row.added, row.changed, row.removed) for row in found]
    assert shown == [(1, "test", 2, 2, 0, 0), (2, "test", 1, 0, 1, 1)]


def test_ids_follow_no_order_of_people(database: Database, vault: Vault) -> None:
    """They follow the blind index: a canary's first recipients are a sample of everybody, not the head of the file."""
    gather(database, vault, [(f"+86100000000{number:02}", "", "en", ()) for number in range(100)])
    with database.begin() as connection:
        rows = connection.execute(text("SELECT handle, sealed FROM recipients ORDER BY id")).all()
    assert [row.handle for row in rows] == sorted(row.handle for row in rows)
    phones = [vault.open(row.handle, row.sealed)[0] for row in rows]
    assert phones != sorted(phones)


def test_more_kinds_than_fit_are_no_tags(database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of personal numbers that is called tags must not fill the memory."""
    monkeypatch.setattr(staging, "MOST_KINDS", 3)
    with pytest.raises(InputError, match="more than 3 combinations of language and tags"):
        gather(database, vault, [(f"+8610000000{number:03}", "", "en", (f"tag{number}",)) for number in range(4)])
    with database.begin() as connection:
        assert audiences.newest(connection, PEOPLE) == 0


def test_two_imports_at_once_follow_each_other(database: Database, vault: Vault) -> None:
    """The second merges into what the first has made; neither is lost."""
    with database.begin() as connection:
        audiences.stage(connection, PEOPLE, vault, [A, ("+8613800138009", "", "en", ("new",))])
        audiences.merge(connection, PEOPLE, "first", clock.now(), keep_others=True)
        found: list[Merged] = []
        other: Sequence[Row] = [B, ("+8613800138008", "", "en", ("new",))]
        second = threading.Thread(target=lambda: found.append(gather(database, vault, other, keep_others=True)))
        second.start()
    second.join()
    assert (found[0].version, found[0].recipients) == (2, 4)


def test_keys_that_were_changed_meanwhile_are_noticed(database: Database, vault: Vault) -> None:
    """Rows under an index key that is no longer the database's would be people of their own."""
    with database.begin() as connection:
        connection.execute(text("INSERT INTO vault_checks VALUES ('index', :digest)"), {"digest": vault.check})
    gather(database, vault, [A])
    with pytest.raises(StateError, match="the keys of this database were changed a moment ago"):
        gather(database, new_vault(), [B])


PEOPLE_OF_A_MODEL = st.lists(
    st.tuples(
        st.sampled_from([f"+8610000000{number:03}" for number in range(6)]),
        st.sampled_from(["x", "y"]),
        st.sampled_from(["en", "zh-Hans"]),
        st.lists(st.sampled_from("ab"), unique=True).map(lambda tags: tuple(sorted(tags))),
    ),
    max_size=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.tuples(PEOPLE_OF_A_MODEL, st.booleans()), min_size=1, max_size=4))
def test_every_version_is_what_a_plain_rule_says(
    database: Database, vault: Vault, imports: list[tuple[list[Row], bool]]
) -> None:
    """Whatever is imported in whatever order: members, counts and differences are those of dictionaries in memory."""
    with database.begin() as connection:
        connection.execute(text("TRUNCATE recipients, audience_versions, audience_counts"))
    standing: dict[str, Row] = {}
    versions: list[list[Row]] = []
    for rows, keep_others in imports:
        merged = gather(database, vault, rows, keep_others=keep_others)
        before, standing = standing, _after(standing, rows, keep_others=keep_others)
        assert merged.added == len(standing.keys() - before.keys())
        assert merged.removed == len(before.keys() - standing.keys())
        assert merged.changed == sum(before[phone] != standing[phone] for phone in before.keys() & standing.keys())
        assert merged.recipients == len(standing)
        if standing != before:
            versions.append(sorted(standing.values()))
        assert merged.version == len(versions)
    for number, wanted in enumerate(versions, 1):
        assert members(database, vault, number) == wanted
        assert _counted(database, number) == _kinds(wanted)


def _after(standing: dict[str, Row], rows: list[Row], *, keep_others: bool) -> dict[str, Row]:
    merged: dict[str, Row] = {}
    for phone, name, language, tags in rows:
        earlier = merged.get(phone, (phone, name, language, ()))[3]
        merged[phone] = (phone, name, language, tuple(sorted({*earlier, *tags})))
    return {**standing, **merged} if keep_others else merged


def _counted(database: Database, version: int) -> dict[tuple[str, frozenset[str]], int]:
    with database.begin() as connection:
        found = audiences.combinations(connection, PEOPLE, version)
    return {(row.language, row.tags): row.recipients for row in found}


def _kinds(rows: list[Row]) -> dict[tuple[str, frozenset[str]], int]:
    kinds = [(language, frozenset(tags)) for _, _, language, tags in rows]
    return {kind: kinds.count(kind) for kind in kinds}
