"""Followers of a service account, end to end: brought in, told one by one, and known again by their openids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from broadcaster import clock
from broadcaster.audience import suppression
from broadcaster.audience.importing import ImportResult, Manner, import_people
from broadcaster.audience.pools import pool_named
from broadcaster.audience.suppression import Order
from broadcaster.channels.official.platform import events
from broadcaster.errors import StateError
from broadcaster.operations import keys, outlook
from broadcaster.operations.amending import Times, amended
from broadcaster.operations.preview import preview
from broadcaster.operations.reach import Sizes
from broadcaster.planning.phase import Phase
from broadcaster.storage import audiences, suppressions, vaults
from broadcaster.storage.recipients import id_of
from broadcaster.vault import open_vault
from tests.conftest import Servers
from tests.support.examples import example, local
from tests.support.followers import APPID, SECRETS, VARIABLES, file_of, followed, openid, provider
from tests.support.product import Product, running_product

POOL = "followers"
SIZE = 40
GONE, AWAY = openid(999), openid(888)
"""Who does not follow the account any more, and who takes no messages of it."""
EVERYBODY = [*(openid(number) for number in range(SIZE - 2)), GONE, AWAY]
ARTICLES = {
    "name": "articles",
    "supplier": "mass",
    "secret": "env:FOLLOWERS_SECRET",
    "secrets": SECRETS,
    "options": {"appid": APPID},
}
"""The same account, as one that also sends articles."""


@pytest.fixture
def product(tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """A site with the account, its followers brought in; on the morning of the notice."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    stand_ins = {POOL: [provider(followed())], "wechat": [ARTICLES]}
    with running_product(tmp_path / "data", database_url, servers.redis, monkeypatch, stand_ins) as found:
        found.at(local("2022-02-18 10:00"))
        found.gather(10)
        brought_in(found, file_of(tmp_path / "followers.csv", EVERYBODY))
        yield found


def brought_in(product: Product, path: Path, *, add: bool = False) -> ImportResult:
    """Import a file of followers."""
    with product.transaction() as connection:
        manner = Manner(add=add, pool=pool_named(POOL))
        return import_people(connection, product.parts.vault, path, clock.now(), manner)


def ids(product: Product) -> dict[str, int]:
    """Openid → recipient."""
    with product.transaction() as connection:
        vault = product.parts.vault
        return {one: found for one in EVERYBODY if (found := id_of(connection, vault.handle(POOL, one)))}


def outcomes(product: Product, broadcast: str) -> Counter[tuple[str, str, str]]:
    """(outcome, receipt, reason) → how many."""
    return Counter((row.outcome, row.receipt or "", row.reason) for row in product.ledger(broadcast))


def test_a_file_of_openids_is_a_version_of_their_own_pool(product: Product, tmp_path: Path) -> None:
    """Bad openids are rejected, the last row of two counts, and the people with a phone stay who they are."""
    more = ["13800138000,no openid,,", f"{EVERYBODY[0]},Renamed,en,pensioner;new"]
    found = brought_in(product, file_of(tmp_path / "again.csv", EVERYBODY, more))
    assert (found.version, found.recipients, found.changed, found.merged, found.rejected) == (2, SIZE, 1, 1, 1)
    assert dict(found.reasons) == {"not an openid": 1}
    assert product.value("SELECT count(*) FROM recipients WHERE pool = '' AND until IS NULL") == 10
    with product.transaction() as connection:
        assert audiences.newest(connection, audiences.PEOPLE) == 1


def test_a_file_that_lacks_most_followers_is_refused(product: Product, tmp_path: Path) -> None:
    """As one of people with a phone is."""
    with pytest.raises(StateError, match="in the audience are not in it"):
        brought_in(product, file_of(tmp_path / "few.csv", EVERYBODY[:5]))


def test_everybody_is_told_once_and_events_say_what_became_of_it(product: Product) -> None:
    """Who does not follow is refused, who takes no messages is reported as failed; all others have it."""
    product.publish(followed())
    broadcast = product.open(POOL)
    product.deliver_all(broadcast)
    product.merge_receipts()
    assert outcomes(product, broadcast) == {
        ("accepted", "delivered", ""): SIZE - 2,
        ("accepted", "failed", ""): 1,
        ("rejected", "", "service-account: the reader does not follow the account (43004)"): 1,
    }
    assert set(product.shown(broadcast).values()) == {1}
    assert len({row.reference for row in product.ledger(broadcast) if row.reference}) == SIZE - 1
    page = requests.get(f"{product.sandbox_url}/api/shown?at={10**13}", timeout=10).json()
    assert page["follower"]["openid"] in {f"oV****{one[-4:]}" for one in EVERYBODY}
    assert page["follower"]["messages"][0]["text"].startswith("服务名称：")
    assert "服务名称" not in str(page["phone"])


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_an_answer_that_is_lost_is_made_again_and_nobody_reads_it_twice(product: Product, kind: str) -> None:
    """The platform knows the call by its `client_msg_id`."""
    product.publish(followed())
    broadcast = product.open(POOL)
    for _ in range(3):
        product.order(channel=POOL, kind=kind)
    product.deliver_all(broadcast)
    found = Counter(row.outcome for row in product.ledger(broadcast))
    # Who does not follow is refused; where it was their answer that was lost, the refusal of the repeat proves nothing.
    assert found.pop("accepted") == SIZE - 1
    assert found in (Counter(rejected=1), Counter(unknown=1))
    assert set(product.shown(broadcast).values()) == {1}


def test_a_plan_counts_followers_and_misses_them(product: Product) -> None:
    """By the segment of their own pool; a tag that only they have is one."""
    parts, wanted = product.parts, followed("tag:pensioner")
    with product.transaction() as connection:
        assert Sizes(connection, parts.reach)(POOL, "tag:pensioner") == 14
        assert Sizes(connection, parts.reach)("sms", "everyone") == 10
        assert outlook.unknown_tags(connection, wanted) == []
        connection.execute(text("DELETE FROM audience_versions WHERE pool = 'followers'"))
        connection.execute(text("DELETE FROM audience_counts WHERE pool = 'followers'"))
        said = preview(connection, followed(), clock.now(), parts.reach).outlook.warnings
    hint = "`broadcaster audience import FILE --channel followers`"
    assert f"nobody is in the audience yet: followers reaches no one before {hint}" in said


def test_a_segment_of_the_followers_is_told(product: Product) -> None:
    """By their own tags, which say nothing of people with a phone."""
    product.publish(followed("tag:pensioner"))
    broadcast = product.open(POOL)
    product.deliver_all(broadcast)
    wanted = {ids(product)[one] for number, one in enumerate(EVERYBODY) if number % 3 == 0}
    assert {row.recipient_id for row in product.ledger(broadcast)} == wanted


def test_a_correction_reaches_the_followers_who_were_told_otherwise(product: Product, tmp_path: Path) -> None:
    """And nobody who followed the account only later, who is told the truth by itself."""
    product.publish(followed())
    product.deliver_all(product.open(POOL))
    brought_in(product, file_of(tmp_path / "late.csv", [openid(7777)]), add=True)
    end = example().announcement.window.end
    assert end
    product.publish(amended(followed(), Times(end=end + timedelta(days=3))))
    correction = product.open(POOL, Phase.CHANGED)
    product.deliver_all(correction)
    assert Counter(row.outcome for row in product.ledger(correction)) == {"accepted": SIZE - 1}


def test_who_is_suppressed_by_openid_is_left_out(product: Product) -> None:
    """On this channel; by the same words that a phone is."""
    with product.transaction() as connection:
        order = Order(POOL, "asked us", "clerk", clock.now())
        assert suppression.suppress(connection, product.parts.vault, EVERYBODY[0], order)
    product.publish(followed())
    broadcast = product.open(POOL)
    product.deliver_all(broadcast)
    left_out = [row for row in product.ledger(broadcast) if row.outcome == "skipped"]
    assert [(row.recipient_id, row.reason) for row in left_out] == [(ids(product)[EVERYBODY[0]], "asked us")]
    with product.transaction() as connection:
        assert suppression.unsuppress(connection, product.parts.vault, EVERYBODY[0], order) == [POOL]


def test_new_keys_leave_everybody_who_they_were(product: Product) -> None:
    """Sealed anew and indexed anew: the same ids by the same openids, and whoever was suppressed still is."""
    path, now = product.parts.settings.keys_file, clock.now()
    with product.transaction() as connection:
        suppressions.write(connection, product.parts.vault, [(EVERYBODY[1], "")], POOL, "clerk", now)
    before = ids(product)
    with product.transaction() as connection:
        keys.rotate(connection, path, "clerk", now)
    assert sum(step.unopened for step in keys.reseal(product.parts.database, open_vault(path))) == 0
    assert keys.reindex(product.parts.database, path, "clerk", now, lambda _: None) == 0
    vault = open_vault(path)
    with product.transaction() as connection:
        assert vaults.rows_per_key(connection) == {2: vaults.sealed_rows(connection)}
        assert {one: id_of(connection, vault.handle(POOL, one)) for one in EVERYBODY} == before
        assert suppressions.of_handle(connection, vault.handle(POOL, EVERYBODY[1])) == [POOL]


def test_an_openid_is_nobodys_phone(product: Product) -> None:
    """The same characters in two pools are two people: their handles have nothing in common."""
    vault = product.parts.vault
    assert vault.handle(POOL, EVERYBODY[0]) != vault.handle(audiences.PEOPLE, EVERYBODY[0])
    with product.transaction() as connection:
        assert id_of(connection, vault.handle(audiences.PEOPLE, EVERYBODY[0])) is None


def test_an_account_of_two_channels_has_one_address_for_its_events(product: Product) -> None:
    """What the platform says of a template message at the address of the articles is heard all the same."""
    product.publish(followed())
    broadcast = product.open(POOL)
    product.deliver_all(broadcast)
    product.merge_receipts()
    row = next(row for row in product.ledger(broadcast) if row.receipt == "delivered")
    whose = next(one for one, id_ in ids(product).items() if id_ == row.recipient_id)
    with product.transaction() as connection:
        forgotten = text("UPDATE deliveries SET receipt = '', receipt_at = NULL WHERE recipient_id = :id")
        connection.execute(forgotten, {"id": row.recipient_id})
    event = events.template_finished(whose, int(row.reference), "success")
    callback = events.callback(product.parts.providers()["wechat"]["articles"], event)
    answer = requests.post(
        f"{product.web_url}/callbacks/wechat/articles", data=callback.body, params=dict(callback.query), timeout=10
    )
    assert (answer.status_code, answer.text) == (200, "success")
    product.merge_receipts()
    assert next(one.receipt for one in product.ledger(broadcast) if one.recipient_id == row.recipient_id) == "delivered"
