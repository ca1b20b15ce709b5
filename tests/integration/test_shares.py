"""Audiences that overlap, from the policy to the public: one message a person, channel, phase and occasion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from broadcaster import clock
from broadcaster.channels.registry import CHANNELS
from broadcaster.delivery import opening
from broadcaster.planning.broadcast import BroadcastState
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal, read
from broadcaster.storage import audiences, broadcasts
from broadcaster.storage.audiences import Row
from broadcaster.storage.tables import broadcasts as table
from tests.support.examples import edited, local
from tests.support.polling import eventually
from tests.support.product import Product

MORNING = local("2022-02-18 10:00")
DAY_BEFORE = local("2022-02-25 10:00")

PEOPLE: list[Row] = [
    ("+8610000000000", "both", "zh-Hans", ["a", "b"]),
    ("+8610000000001", "one", "zh-Hans", ["a"]),
    ("+8610000000002", "other", "zh-Hans", ["b"]),
    ("+8610000000003", "none", "en", []),
]


def reminding(folder: Path, *audience: str, severity: str = "major") -> Proposal:
    """The example with a reminder by SMS the day before, a rule for each audience."""
    rules = "".join(f'    - {{days_before: [1], channels: [sms], audience: "{text}"}}\n' for text in audience)
    file = edited(folder / "shared.yaml", ("severity: major", f"severity: {severity}"))
    with file.open("a", encoding="utf-8") as out:
        out.write(f"\npolicy:\n  notice: []\n  reminder:\n{rules}")
    return read(file, CHANNELS)


def gather(product: Product, people: Iterable[Row]) -> None:
    """Have these people as the newest version of the audience."""
    with product.transaction() as connection:
        audiences.stage(connection, audiences.PEOPLE, product.parts.vault, people)
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=False)


def told(product: Product) -> dict[str, Counter[int]]:
    """Audience → how often each recipient was shown the reminder, after everything due was delivered."""
    opening.open_due(product.parts.database, product.parts.channels, clock.now(), product.parts.canary)
    product.cut()
    query = select(table.c.id, table.c.audience).where(table.c.phase == Phase.REMINDER)
    with product.transaction() as connection:
        rows = connection.execute(query.where(table.c.opened_at.is_not(None))).all()
    for row in rows:
        product.deliver_all(row.id)
    return {row.audience: Counter(product.shown(row.id)) for row in rows}


@pytest.fixture
def announced(product: Product) -> Product:
    """A site on a quiet morning, a week before the example's outage, with four people."""
    product.at(MORNING)
    gather(product, PEOPLE)
    return product


def test_whoever_is_in_two_audiences_is_shown_one_message(announced: Product, tmp_path: Path) -> None:
    """Three rules of one morning, and everybody hears of it once."""
    announced.publish(reminding(tmp_path, "tag:a", "tag:b", "everyone"))
    announced.at(DAY_BEFORE)
    found = told(announced)
    assert {audience: sum(shown.values()) for audience, shown in found.items()} == {
        "tag:a": 2,
        "tag:b and not tag:a": 1,
        "not tag:a and not tag:b": 1,
    }
    assert sorted(sum(found.values(), Counter()).values()) == [1, 1, 1, 1]


def test_whoever_was_told_is_not_told_again_when_their_tags_change(announced: Product, tmp_path: Path) -> None:
    """An import takes a tag away and a revision tells everyone, after some were told: nobody hears it twice."""
    announced.publish(reminding(tmp_path, "tag:a"))
    announced.at(DAY_BEFORE)
    assert sum(told(announced)["tag:a"].values()) == 2
    gather(announced, [(phone, name, language, ["b"]) for phone, name, language, _ in PEOPLE])
    announced.publish(reminding(tmp_path, "everyone", severity="minor"))
    found = told(announced)
    assert set(found) == {"tag:a", "not tag:a"}
    assert sorted(sum(found.values(), Counter()).values()) == [1, 1, 1, 1]


def test_a_revision_of_the_same_audiences_tells_nobody_more(announced: Product, tmp_path: Path) -> None:
    """Nor does planning again."""
    announced.publish(reminding(tmp_path, "tag:b", "everyone"))
    announced.at(DAY_BEFORE)
    told(announced)
    announced.publish(reminding(tmp_path, "everyone", "tag:b", severity="minor"))
    assert sorted(sum(told(announced).values(), Counter()).values()) == [1, 1, 1, 1]


def test_a_revision_waits_for_what_is_being_opened(announced: Product, tmp_path: Path) -> None:
    """Approved in the very moment in which some are told: it sees that they are, and leaves them out."""
    announced.publish(reminding(tmp_path, "tag:a"))
    announced.at(DAY_BEFORE)
    later = reminding(tmp_path, "everyone", severity="minor")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool:
        with announced.transaction() as scheduler:
            due = broadcasts.claim_due(scheduler, clock.now(), 50)
            begun = {"version": 1, "recipients": 2, "cut": False, "canary": ""}
            broadcasts.open_all(scheduler, clock.now(), [{"id": row.id, **begun} for row in due])
            approval = pool.submit(announced.publish, later)
            eventually(lambda: announced.value(waiting) > 0, "the approval waits for the scheduler")
        assert approval.result() == 2
    query = select(table.c.audience).where(table.c.phase == Phase.REMINDER, table.c.state == BroadcastState.PLANNED)
    with announced.transaction() as connection:
        assert connection.execute(query).scalars().all() == ["not tag:a"]
