"""Screens that say who they are: what each fetched is known, and nothing that is shown depends on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
import requests
from psycopg import sql
from sqlalchemy import Row, insert, make_url

from broadcaster import clock
from broadcaster.channels.registry import CHANNELS
from broadcaster.operations import advance, conclude
from broadcaster.planning.proposal import read
from broadcaster.reporting.false_statements import false_statement_minutes, false_times
from broadcaster.reporting.overview import overview
from broadcaster.reporting.surfaces import StaleScreen, stale_screens
from broadcaster.storage import events, screens
from broadcaster.storage.database import Database
from broadcaster.storage.tables import staleness
from broadcaster.web.screens import ScreenBook
from tests.conftest import Servers
from tests.support.examples import SLUG, edited, local
from tests.support.polling import eventually
from tests.support.product import ACTOR, Product

KIOSKS = ["bank-kiosks", "hall-kiosks", "hospital-kiosks"]


@pytest.fixture
def published(product: Product) -> Product:
    """The example, approved on a quiet morning, at a site with three kiosks."""
    product.at(local("2022-02-18 10:00"))
    product.gather(0)
    product.publish()
    return product


def fetch(product: Product, name: str, channel: str = "kiosk") -> int:
    """Look at the document as a screen of this name; gives the number of what it got."""
    answer = requests.get(f"{product.web_url}/surfaces/{channel}.json", params={"screen": name}, timeout=10)
    assert answer.status_code == 200
    return int(answer.json()["seq"])


def known(product: Product, name: str) -> Row[Any]:
    """What is known of a kiosk."""
    with product.transaction() as connection:
        return next(row for row in screens.standing(connection, "kiosk") if row.name == name)


def noted(product: Product, name: str) -> int:
    """Look as a kiosk until that is put down; gives the number."""
    seq = fetch(product, name)
    eventually(lambda: known(product, name).seq == seq, f"{name} is noted")
    return seq


def stale(product: Product, channel: str = "kiosk") -> list[StaleScreen]:
    """The stale screens of a surface."""
    with product.transaction() as connection:
        return stale_screens(connection, channel, SLUG)


def extend(product: Product, at: str) -> None:
    """Approve a later end at an instant."""
    product.at(local(at))
    file = edited(
        product.parts.settings.data / "later.yaml",
        ("2022-03-20 24:00", "2022-03-24 24:00"),
        ("2022-03-21 00:00", "2022-03-25 00:00"),
    )
    product.publish(read(file, CHANNELS))


def test_screens_are_the_endpoints_of_the_sites_surfaces(published: Product) -> None:
    """None of them has looked yet: all are stale, since the approval."""
    assert [(row.name, row.seq, row.fetched_at) for row in stale(published)] == [(name, 0, None) for name in KIOSKS]
    assert {row.name for row in stale(published, "banner")} == {"bureau-site", "government-portal"}


def test_a_screen_that_looks_is_not_stale_any_more(published: Product) -> None:
    """And it is known when it looked, by both clocks."""
    seq = noted(published, "hall-kiosks")
    row = known(published, "hall-kiosks")
    assert row.seq == seq
    assert abs(clock.now() - row.fetched_at) < timedelta(minutes=1)
    assert abs(clock.machine_now() - row.fetched_machine_at) < timedelta(minutes=1)
    assert [one.name for one in stale(published)] == ["bank-kiosks", "hospital-kiosks"]


@pytest.mark.parametrize("name", ["pigeon", "bureau-site", "hall-kiosks' OR 1=1", "x" * 2000])
def test_an_unknown_screen_is_shown_the_truth_and_not_kept(published: Product, name: str) -> None:
    """Whatever it calls itself, also as a screen of another surface."""
    assert fetch(published, name) > 0
    noted(published, "hall-kiosks")
    with published.transaction() as connection:
        assert {row.name for row in screens.every(connection) if row.channel == "kiosk"} == set(KIOSKS)


def test_a_change_makes_every_screen_stale_until_it_looks(published: Product) -> None:
    """Since when, and what it last fetched, is known."""
    seq = noted(published, "hall-kiosks")
    extend(published, "2022-02-20 10:00")
    row = next(one for one in stale(published) if one.name == "hall-kiosks")
    assert (row.seq, f"{row.since:%d %H:%M}") == (seq, "20 02:00")
    eventually(lambda: fetch(published, "hall-kiosks") > seq, "the new document is served")
    noted(published, "hall-kiosks")
    assert "hall-kiosks" not in {one.name for one in stale(published)}


def test_a_boundary_that_the_document_foretold_makes_nothing_stale(published: Product) -> None:
    """A screen goes from one phase to the next by itself."""
    noted(published, "hall-kiosks")
    published.at(local("2022-02-26 00:00"))
    with published.transaction() as connection:
        advance.advance(connection, clock.now(), published.parts.reach)
    assert "hall-kiosks" not in {one.name for one in stale(published)}


def test_false_time_runs_until_each_screen_has_looked(published: Product) -> None:
    """One looks after a minute, one never again, and one never looked at all and so stated nothing."""
    for name in ("hall-kiosks", "bank-kiosks"):
        noted(published, name)
    seq = known(published, "hall-kiosks").seq
    extend(published, "2022-02-20 10:00")
    published.at(local("2022-02-20 10:01"))
    eventually(lambda: fetch(published, "hall-kiosks") > seq, "the new document is served")
    noted(published, "hall-kiosks")
    with published.transaction() as connection:
        minutes = false_statement_minutes(connection, SLUG, local("2022-02-20 10:10"))
        worst = false_times(connection, SLUG, local("2022-02-20 10:10"))["kiosk"].longest_minutes
    assert minutes["kiosk"] == pytest.approx(1 + 10, abs=0.5)
    assert worst == pytest.approx(10, abs=0.1)
    assert minutes["banner"] == 0


def test_a_finished_outage_makes_screens_stale_too(published: Product) -> None:
    """They would go on saying that service is out."""
    published.at(local("2022-03-21 00:10"))
    with published.transaction() as connection:
        advance.advance(connection, clock.now(), published.parts.reach)
    noted(published, "hall-kiosks")
    with published.transaction() as connection:
        conclude.finish(connection, SLUG, clock.now(), ACTOR, clock.now())
    assert "hall-kiosks" in {one.name for one in stale(published)}


def test_a_screen_that_left_the_site_is_not_stale(published: Product) -> None:
    """It states nothing any more that we answer for; when it comes back it is known anew."""
    with published.transaction() as connection:
        screens.configure(connection, "kiosk", ["hall-kiosks"], clock.now())
    assert [row.name for row in stale(published)] == ["hall-kiosks"]
    with published.transaction() as connection:
        screens.configure(connection, "kiosk", KIOSKS, local("2022-02-21 10:00"))
    assert {row.name: f"{row.since:%d}" for row in stale(published)}["bank-kiosks"] == "21"


def test_the_same_document_is_not_put_down_again_within_a_minute(published: Product) -> None:
    """Looking every second costs no writes."""
    noted(published, "hall-kiosks")
    before = known(published, "hall-kiosks").fetched_machine_at
    for _ in range(3):
        fetch(published, "hall-kiosks")
    noted(published, "bank-kiosks")
    assert known(published, "hall-kiosks").fetched_machine_at == before


@pytest.fixture
def shut(database: Database, servers: Servers) -> Iterator[psycopg.Connection[Any]]:
    """A database that nobody can reach; `allow` opens it again."""
    with psycopg.connect(servers.postgres, autocommit=True) as admin:
        _allow(admin, database, allowed=False)
        yield admin


def _allow(admin: psycopg.Connection[Any], database: Database, *, allowed: bool) -> None:
    name = str(make_url(database.url).database)
    words = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(name), sql.SQL(str(allowed)))
    admin.execute(words)
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def test_what_was_fetched_while_the_database_was_away_is_put_down_later(
    database: Database, shut: psycopg.Connection[Any]
) -> None:
    """With the time at which it was fetched; serving waits for nothing of it."""
    book = ScreenBook(database, {"kiosk": ["hall-kiosks"]})
    book.start()
    at = clock.now()
    book.note("kiosk", "hall-kiosks", 7)
    _allow(shut, database, allowed=True)
    book.close()
    with database.begin() as connection:
        [row] = screens.standing(connection, "kiosk")
    assert row.seq == 7
    assert abs(row.fetched_at - at) < timedelta(seconds=2)


def test_two_processes_keep_the_newest_of_what_both_know(published: Product) -> None:
    """And the earliest instant at which a document was first fetched."""
    extend(published, "2022-02-20 10:00")
    with published.transaction() as connection:
        conclude.cancel(connection, SLUG, "", ACTOR, clock.now())
        first, second, third = events.change_numbers(connection)
    for seq in (first, third, second):
        book = ScreenBook(published.parts.database, {"kiosk": ["hall-kiosks"]})
        book.start()
        book.note("kiosk", "hall-kiosks", seq)
        book.close()
    with published.transaction() as connection:
        [held] = screens.fetches(connection, second).values()
    assert known(published, "hall-kiosks").seq == third
    assert [seq for _, seq in held] == [second, third]


def test_the_first_document_after_each_change_is_kept_and_no_other(published: Product) -> None:
    """What the clock does makes new documents, which state nothing that the one before did not foretell."""
    first = noted(published, "hall-kiosks")
    published.at(local("2022-02-26 00:00"))
    with published.transaction() as connection:
        advance.advance(connection, clock.now(), published.parts.reach)
    eventually(lambda: fetch(published, "hall-kiosks") > first, "the new document is served")
    begun = noted(published, "hall-kiosks")
    extend(published, "2022-02-28 10:00")
    eventually(lambda: fetch(published, "hall-kiosks") > begun, "the next document is served")
    extended = noted(published, "hall-kiosks")
    with published.transaction() as connection:
        [held] = screens.fetches(connection, first).values()
    assert [seq for _, seq in held] == [first, extended]


def test_screens_that_lack_a_change_are_seen_from_afar(published: Product) -> None:
    """In the overview of everything and in the metrics; not those that have it."""
    noted(published, "bank-kiosks")
    with published.transaction() as connection:
        rows = {row["channel"]: row for row in overview(connection, clock.now())["screens"]}
    assert rows["kiosk"]["names"] == ["hall-kiosks", "hospital-kiosks"]
    assert datetime.fromisoformat(rows["kiosk"]["since"]) - local("2022-02-18 10:00") < timedelta(minutes=1)
    published.at(local("2022-02-18 10:20"))
    seen = requests.get(f"{published.web_url}/metrics", timeout=10).text
    assert 'broadcaster_stale_screens{channel="kiosk"} 2.0' in seen
    age = re.search(r'broadcaster_stale_screen_seconds\{channel="kiosk"\} ([0-9.]+)', seen)
    assert age and float(age[1]) > 19 * 60


def test_whoever_is_stale_is_a_metric(published: Product) -> None:
    """As they were counted last, of all announcements together; a channel without any has a 0."""
    row = {"slug": SLUG, "channel": "sms", "mark": "m", "stale": 7, "uncorrected": 3}
    with published.transaction() as connection:
        connection.execute(insert(staleness).values(**row))
    seen = requests.get(f"{published.web_url}/metrics", timeout=10).text
    assert 'broadcaster_stale_recipients{channel="sms"} 7.0' in seen
    assert 'broadcaster_uncorrected_recipients{channel="sms"} 3.0' in seen
    assert 'broadcaster_stale_recipients{channel="wechat"} 0.0' in seen
