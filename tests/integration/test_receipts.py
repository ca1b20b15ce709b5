"""What providers say afterwards: joined to the ledger whenever it comes, and believed only when it is signed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

from broadcaster import clock
from broadcaster.delivery import rounds
from broadcaster.storage import ledger
from broadcaster.storage.ledger import Receipt, ReceiptStatus
from tests.support.examples import local
from tests.support.product import Product

ADDRESS = "/callbacks/sms/sandbox-sms"


@pytest.fixture
def opened(product: Product) -> tuple[Product, str]:
    """A product whose SMS notice to three people is opened, and nothing of it carried yet."""
    product.at(local("2022-02-18 10:00"))
    product.gather(3)
    product.publish()
    return product, product.open("sms")


def say(product: Product, broadcast: str, recipient: int, status: ReceiptStatus = ReceiptStatus.DELIVERED) -> None:
    """Keep a receipt, as a callback does."""
    with product.transaction() as connection:
        ledger.append_receipts(connection, "sms", "sandbox-sms", [Receipt(broadcast, recipient, status, clock.now())])


def people(product: Product) -> list[int]:
    """The ids of the people."""
    found = product.value("SELECT array_agg(id ORDER BY id) FROM recipients WHERE kind = 'person'")
    return [int(id_) for id_ in found]


def signed(product: Product, body: bytes) -> dict[str, str]:
    """The headers of a body that the SMS provider sends."""
    now, key = clock.machine_now(), uuid.uuid4().hex
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(product.parts.providers()["sms"]["sandbox-sms"].secret).sign(
            key, now, body.decode()
        ),
    }


def post(product: Product, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> requests.Response:
    """Call back; signed by the SMS provider unless other headers are given."""
    sent = signed(product, body) if headers is None else dict(headers)
    return requests.post(f"{product.web_url}{path}", data=body, headers=sent, timeout=10)


def receipt(**fields: Any) -> bytes:
    """A callback's body with one receipt."""
    row = {"broadcast": "b", "id": 1, "status": "delivered", "at": "2022-02-18T02:00:00Z", **fields}
    return json.dumps({"type": "receipt", "data": {"receipts": [row]}}).encode()


def test_every_accepted_delivery_is_completed_by_its_receipt(product: Product) -> None:
    """The stand-in provider reports each; a number that ends in 888 is reported as failed."""
    product.at(local("2022-02-18 10:00"))
    product.gather(1000)
    product.publish()
    broadcast = product.open("sms")
    product.deliver(broadcast)
    product.merge_receipts()
    row = product.broadcast(broadcast)
    assert (row.accepted, row.rejected, row.delivered, row.failed) == (999, 1, 998, 1)


def test_a_receipt_that_came_before_its_delivery_waits_for_it(opened: tuple[Product, str]) -> None:
    """A provider can be faster than our own recording; nothing is lost."""
    product, broadcast = opened
    say(product, broadcast, people(product)[0])
    assert rounds.merge_receipts(product.parts.database) == 0
    product.deliver(broadcast)
    product.merge_receipts()
    row = product.broadcast(broadcast)
    assert (row.accepted, row.delivered) == (3, 3)


def test_a_receipt_that_comes_twice_counts_once(opened: tuple[Product, str]) -> None:
    """Providers repeat their callbacks."""
    product, broadcast = opened
    product.deliver(broadcast)
    product.merge_receipts()
    for _ in range(2):
        say(product, broadcast, people(product)[0])
    rounds.merge_receipts(product.parts.database)
    assert product.broadcast(broadcast).delivered == 3


def test_the_first_word_of_a_provider_stays(opened: tuple[Product, str]) -> None:
    """Both words are final; a later one that contradicts changes no counter."""
    product, broadcast = opened
    first = people(product)[0]
    say(product, broadcast, first, ReceiptStatus.FAILED)
    say(product, broadcast, first, ReceiptStatus.DELIVERED)
    product.deliver(broadcast)
    product.merge_receipts()
    row = product.broadcast(broadcast)
    assert (row.failed, row.delivered) == (1, 2)


def test_a_signed_callback_is_stored(product: Product) -> None:
    """It is answered with how many receipts it held."""
    answer = post(product, ADDRESS, receipt())
    assert (answer.status_code, answer.json()) == (200, {"received": 1})
    assert product.value("SELECT count(*) FROM receipts") == 1


def test_a_forged_callback_is_refused(product: Product) -> None:
    """Signed over another body, it stores nothing."""
    answer = post(product, ADDRESS, receipt(id=2), signed(product, receipt(id=1)))
    assert answer.status_code == 401
    assert product.value("SELECT count(*) FROM receipts") == 0


def test_an_unsigned_callback_is_refused(product: Product) -> None:
    """No signature is a wrong signature."""
    assert post(product, ADDRESS, receipt(), {}).status_code == 401


@pytest.mark.parametrize("path", ["/callbacks/sms/nobody", "/callbacks/pigeon/sandbox-sms"])
def test_an_unknown_provider_looks_like_a_wrong_signature(product: Product, path: str) -> None:
    """From outside nobody learns which providers there are."""
    assert post(product, path, receipt()).status_code == 401


def test_a_body_over_a_megabyte_is_refused(product: Product) -> None:
    """It is not even read to its end."""
    assert post(product, ADDRESS, b" " * 1_000_001).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"not JSON", id="not JSON"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b'{"type": "receipt", "data": {}}', id="no receipts"),
        pytest.param(receipt(status="perhaps"), id="an unknown status"),
        pytest.param(receipt(at="2022-02-18T10:00:00"), id="a time without a zone"),
        pytest.param(receipt(id=-1), id="a negative id"),
        pytest.param(receipt(id=2**63), id="an id beyond the database's"),
        pytest.param(receipt(broadcast="b\u0000"), id="a text that Postgres cannot hold"),
    ],
)
def test_a_body_of_another_form_is_refused_as_a_whole(product: Product, body: bytes) -> None:
    """It is answered with what is off, and nothing of it is stored."""
    answer = post(product, ADDRESS, body)
    assert (answer.status_code, "error" in answer.json()) == (422, True)
    assert product.value("SELECT count(*) FROM receipts") == 0


def test_a_receipt_is_never_later_than_its_arrival(product: Product) -> None:
    """A provider's clock may run ahead of ours."""
    now = product.at(local("2022-02-18 10:00"))
    post(product, ADDRESS, receipt(at="2030-01-01T00:00:00Z"))
    assert product.value("SELECT at FROM receipts") < now.replace(hour=11)


@pytest.mark.parametrize("path", ["/callbacks", "/callbacks/sms", "/callbacks/sms/sandbox-sms/more", "/nothing"])
def test_other_addresses_are_not_there(product: Product, path: str) -> None:
    """One address a provider, and no other."""
    assert post(product, path, receipt()).status_code == 404


def test_a_callback_is_posted(product: Product) -> None:
    """Looking at the address does nothing."""
    assert requests.get(f"{product.web_url}{ADDRESS}", timeout=10).status_code == 405
