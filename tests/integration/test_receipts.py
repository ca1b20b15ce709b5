"""Callbacks: a provider's word is believed only when it is signed, bounded, and of the right form."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

from broadcaster import clock
from broadcaster.web import app as web
from tests.support.examples import local
from tests.support.product import Product
from tests.support.serving import address_of, bound, served

ADDRESS = "/callbacks/sms/sandbox-sms"


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


@pytest.mark.parametrize("size", [1_000_001, 10_000_000])
def test_a_body_over_a_megabyte_is_refused(product: Product, size: int) -> None:
    """It is not even read to its end."""
    assert post(product, ADDRESS, b" " * size).status_code == 413


def test_a_body_that_does_not_say_how_long_it_is_is_refused_as_well(product: Product) -> None:
    """It is read in pieces, and no more of them than are allowed."""
    pieces = (b" " * 100_000 for _ in range(11))
    answer = requests.post(f"{product.web_url}{ADDRESS}", data=pieces, headers=signed(product, b""), timeout=10)
    assert answer.status_code == 413


def test_while_postgres_is_away_the_provider_is_to_come_again(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be stored was not received."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nowhere")
    socket = bound()
    with served(web.create(), socket):
        answer = requests.post(
            f"{address_of(socket)}{ADDRESS}", data=receipt(), headers=signed(product, receipt()), timeout=10
        )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


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
    assert product.value("SELECT at[1] FROM receipts") < now.replace(hour=11)


@pytest.mark.parametrize("path", ["/callbacks", "/callbacks/sms", "/callbacks/sms/sandbox-sms/more", "/nothing"])
def test_other_addresses_are_not_there(product: Product, path: str) -> None:
    """One address a provider, and no other."""
    assert post(product, path, receipt()).status_code == 404


def test_looking_at_the_address_does_nothing(product: Product) -> None:
    """Our own format is posted; other suppliers' need not be."""
    assert requests.get(f"{product.web_url}{ADDRESS}", timeout=10).status_code == 401
