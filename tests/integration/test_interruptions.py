"""Postgres goes away in the middle of a batch, or the keys are wrong: nothing is lost, guessed at, or sent twice."""

from __future__ import annotations

from collections import Counter

import psycopg
import pytest

from broadcaster.channels.base import Idempotency
from broadcaster.errors import StateError
from broadcaster.storage.migrate import check_vault
from tests.integration.test_guard import once
from tests.support.examples import local
from tests.support.people import new_vault
from tests.support.product import Product


@pytest.fixture
def opened(product: Product) -> tuple[Product, str]:
    """The SMS notice to 300 people, opened, nothing of it carried yet."""
    product.at(local("2022-02-18 10:00"))
    product.gather(300)
    product.publish()
    return product, product.open("sms")


def cut_off(product: Product) -> None:
    """End every connection to the product's database."""
    with psycopg.connect(product.parts.database.url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_connection_lost_during_a_call_leaves_nobody_in_doubt(opened: tuple[Product, str]) -> None:
    """What the provider answered is recorded on a new connection, also where nothing could be sent again."""
    product, broadcast = opened
    product.deliver(broadcast, product.worker("sms", once(lambda: cut_off(product)), Idempotency.NONE))
    row = product.broadcast(broadcast)
    assert (row.state, row.accepted, row.unknown) == ("closed", 300, 0)
    assert list(product.shown(broadcast).values()) == [1] * 300


def test_other_keys_than_the_databases_are_refused(opened: tuple[Product, str]) -> None:
    """A worker that cannot open an address must not take everybody for unreachable."""
    product, _ = opened
    with product.transaction() as connection:
        check_vault(connection, product.parts.vault)
        with pytest.raises(StateError, match="not the one that this database was written with"):
            check_vault(connection, new_vault())


def test_a_key_that_is_missing_on_one_host_makes_its_batches_wait(opened: tuple[Product, str]) -> None:
    """Sealed under a newer key than this process knows: the batch is left for later, and nobody is rejected."""
    product, broadcast = opened
    with product.transaction() as connection:
        connection.exec_driver_sql("UPDATE recipients SET sealed = set_byte(sealed, 0, 200)")
    product.deliver(broadcast)
    [batch] = product.batches(broadcast)
    assert (batch.done, batch.attempts) == (False, 1)
    assert product.ledger(broadcast) == []


def test_an_address_that_does_not_open_is_an_outcome(opened: tuple[Product, str]) -> None:
    """One row was tampered with: its recipient is rejected with the reason, the others are told."""
    product, broadcast = opened
    with product.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE recipients SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)"
            " WHERE id = (SELECT min(id) FROM recipients WHERE pool = '')"
        )
    product.deliver(broadcast)
    outcomes = Counter((row.outcome, row.reason) for row in product.ledger(broadcast))
    assert outcomes == {
        ("accepted", ""): 299,
        ("rejected", "its row does not open: it was changed, or its key is another one"): 1,
    }


def test_a_ciphertext_that_was_moved_to_another_row_does_not_open(opened: tuple[Product, str]) -> None:
    """Whoever can write rows still cannot redirect somebody's messages."""
    product, broadcast = opened
    with product.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE recipients SET sealed = (SELECT sealed FROM recipients WHERE pool = '' ORDER BY id DESC LIMIT 1)"
            " WHERE id = (SELECT min(id) FROM recipients WHERE pool = '')"
        )
    product.deliver(broadcast)
    assert product.broadcast(broadcast).rejected == 1
    assert set(product.shown(broadcast).values()) == {1}
