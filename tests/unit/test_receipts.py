"""Receipts: a provider's callback is believed only when it signed it, just now, and it says what it should."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from broadcaster import clock
from broadcaster.channels.provider import Provider
from broadcaster.channels.receipts import parse, verify
from broadcaster.errors import InputError
from broadcaster.storage.receipts import Receipt, ReceiptStatus

SECRET = "whsec_" + b64encode(b"a secret of this test, 32 bytes.").decode()
PROVIDER = Provider("vendor", "https://vendor.example/", SECRET)
ROW = {"broadcast": "a" * 20, "id": 17, "status": "delivered", "at": "2022-02-26T08:00:00+08:00"}


def _body(*rows: Any) -> bytes:
    return json.dumps({"type": "receipt", "data": {"receipts": rows}}).encode()


def _signed(body: bytes, *, age: timedelta = timedelta(0), secret: str = SECRET) -> dict[str, str]:
    at = datetime.now(UTC) - age
    signature = Webhook(secret).sign("id-1", at, body.decode())
    return {"webhook-id": "id-1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_the_providers_own_word_is_believed() -> None:
    """Header names in any case."""
    body = _body(ROW)
    assert verify(PROVIDER, body, _signed(body))
    assert verify(PROVIDER, body, {name.title(): value for name, value in _signed(body).items()})


def test_a_new_secret_can_be_brought_in_beside_the_old() -> None:
    """The scheme takes several signatures; one that fits is enough."""
    body = _body(ROW)
    headers = _signed(body)
    headers["webhook-signature"] = "v1,AAAA v1a,AAAA " + headers["webhook-signature"]
    assert verify(PROVIDER, body, headers)


def test_another_body_is_refused() -> None:
    """The signature is over every byte."""
    headers = _signed(_body(ROW))
    assert not verify(PROVIDER, _body({**ROW, "status": "failed"}), headers)


def test_another_id_is_refused() -> None:
    """And over the id."""
    body = _body(ROW)
    assert not verify(PROVIDER, body, {**_signed(body), "webhook-id": "id-2"})


def test_anothers_secret_is_refused() -> None:
    """Whoever does not know it cannot sign."""
    body = _body(ROW)
    assert not verify(PROVIDER, body, _signed(body, secret="whsec_" + b64encode(b"another secret").decode()))


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_an_old_or_future_word_is_refused(age: timedelta) -> None:
    """A recorded callback cannot be played again after five minutes."""
    body = _body(ROW)
    assert not verify(PROVIDER, body, _signed(body, age=age))


@pytest.mark.parametrize(
    "spoilt",
    [
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,a,b"},
        {"webhook-signature": "v1,not base64!"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": ""},
        {"webhook-timestamp": "yesterday"},
        {"webhook-timestamp": "inf"},
        {"webhook-timestamp": "1e300"},
        {"webhook-id": ""},
    ],
)
def test_a_malformed_header_is_refused_not_a_crash(spoilt: dict[str, str]) -> None:
    """Anybody can send anything to a public address."""
    body = _body(ROW)
    assert not verify(PROVIDER, body, {**_signed(body), **spoilt})


def test_without_headers_it_is_refused() -> None:
    """The most common visitor."""
    assert not verify(PROVIDER, _body(ROW), {})


def test_a_body_that_is_no_text_is_refused() -> None:
    """Bytes that are not UTF-8."""
    assert not verify(PROVIDER, b"\xff\xfe", _signed(b"{}"))


def test_receipts_are_read() -> None:
    """One row each, in order; what else the provider adds is left out."""
    found = parse(_body(ROW, {**ROW, "id": 18, "status": "failed", "price": 3}))
    instant = datetime.fromisoformat("2022-02-26T00:00:00+00:00")
    assert found == [
        Receipt("a" * 20, 17, ReceiptStatus.DELIVERED, instant),
        Receipt("a" * 20, 18, ReceiptStatus.FAILED, instant),
    ]


def test_a_receipt_is_never_later_than_its_arrival() -> None:
    """A provider's clock may run ahead."""
    (found,) = parse(_body({**ROW, "at": "2999-01-01T00:00:00Z"}))
    assert found.at <= clock.now()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"\xff", None),
        (b"[]", None),
        (b"{}", "type"),
        (b'{"type": "receipt", "data": {}}', "data.receipts"),
        (_body("a row"), "data.receipts.0"),
        (_body({**ROW, "status": "perhaps"}), "data.receipts.0.status"),
        (_body(ROW, {**ROW, "at": "2022-02-26T08:00:00"}), "data.receipts.1.at"),
        (_body({**ROW, "id": "seventeen"}), "data.receipts.0.id"),
        (_body({**ROW, "id": 2**63}), "data.receipts.0.id"),
        (_body({**ROW, "id": -1}), "data.receipts.0.id"),
    ],
)
def test_a_body_of_another_form_says_what_is_off(body: bytes, field: str | None) -> None:
    """Empty, cut off, no text, another shape, a time without a zone, an id that no ledger can hold."""
    with pytest.raises(InputError) as caught:
        parse(body)
    (problem,) = caught.value.problems
    assert problem.place.field == field
    assert problem.message


def test_the_year_one_is_a_time_that_nobody_knows() -> None:
    """It is what some systems write for none, with whatever offset; before it there is no time that can be read."""
    [receipt] = parse(_body({**ROW, "at": "0001-01-01T00:00:00+08:00"}))
    assert receipt.at == datetime(1970, 1, 1, tzinfo=UTC)
