"""Changes in the report: what each changed, whom it made stale, and how soon that was over; from the database."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from broadcaster import clock
from broadcaster.planning.phase import Phase
from broadcaster.reporting.report import report, standing
from broadcaster.reporting.staleness import COUNTED_AGAIN
from broadcaster.storage.tables import broadcasts
from tests.support.changing import counted, move
from tests.support.examples import SLUG, local
from tests.support.product import Product

OLD, NEW = "2022-03-21T00:00:00+08:00", "2022-03-25T00:00:00+08:00"


@pytest.fixture
def extended(product: Product) -> Product:
    """The example, its notice accepted by 30 people; a day later it takes four days longer."""
    product.at(local("2022-02-18 10:00"))
    product.gather(30)
    product.publish()
    product.deliver_all(product.open("sms"))
    product.at(local("2022-02-19 10:00"))
    move(product, end=local("2022-03-25 00:00"))
    return product


def test_a_change_tells_what_it_changed(extended: Product) -> None:
    """The times that moved, without the impact rows that moved along; whom it made stale, and that it is over."""
    extended.deliver_all(extended.open("sms", Phase.CHANGED))
    with extended.transaction() as connection:
        (change,) = report(connection, SLUG, clock.now())["changes"]
    assert [(fact["path"], fact["old"], fact["new"]) for fact in change["facts"]] == [
        ("resume", OLD, NEW),
        ("window.end", OLD, NEW),
    ]
    assert (change["event"], change["until"], change["other_facts"]) == ("approve", None, 0)
    assert (change["stale_before"], change["stale_after"]) == (30, 0)


def test_a_change_lasts_until_the_next_one(extended: Product) -> None:
    """Whoever was not corrected by then is among those whom the next one made stale."""
    extended.at(local("2022-02-19 10:05"))
    move(extended, end=local("2022-03-29 00:00"))
    with extended.transaction() as connection:
        first, second = report(connection, SLUG, clock.now())["changes"]
    assert first["until"] == second["applied_at"]
    assert (first["stale_before"], first["stale_after"], second["stale_before"]) == (30, 30, 30)
    assert {fact["old"] for fact in second["facts"]} == {NEW}


def test_a_count_that_a_correction_has_overtaken_raises_no_alarm(extended: Product) -> None:
    """Everybody was told since: `status` says that it counts again, and the report has counted."""
    assert counted(extended).uncorrected == 30
    extended.deliver_all(extended.open("sms", Phase.CHANGED))
    with extended.transaction() as connection:
        connection.execute(update(broadcasts).where(broadcasts.c.state == "planned").values(state="revoked"))
        kept = {row["channel"]: row for row in standing(connection, SLUG, clock.now())["stale"]}
        found = {row["channel"]: row for row in report(connection, SLUG, clock.now())["stale"]}
    assert (kept["sms"]["stale"], kept["sms"]["why"]) == (30, {COUNTED_AGAIN: 30})
    assert (found["sms"]["stale"], found["sms"]["why"]) == (0, {})
