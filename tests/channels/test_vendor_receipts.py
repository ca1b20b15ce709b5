"""What vendors send back of their own accord, and what `doctor` asks them."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from broadcaster import clock
from broadcaster.channels.callback import Callback, ForgedError, Receipt, ReceiptStatus
from broadcaster.channels.transport import Transport
from broadcaster.errors import InputError, PermanentError
from tests.channels.vendors import (
    SMS,
    TOKEN,
    Vendor,
    every_supplier,
    provider_of,
    to,
    vendor,
)


@pytest.fixture
def stand_in(supplier: str) -> Iterator[Vendor]:
    """The vendor's stand-in, at a path as the sandbox has it."""
    with vendor(supplier, at="/sms/vendor") as found:
        yield found


@every_supplier
def test_receipts_name_broadcast_or_reference_and_the_phone(stand_in: Vendor, supplier: str) -> None:
    """A number that ends in 888 failed; each vendor is answered in its own form."""
    sent = stand_in.send(to(stand_in, "+8613800138888"))
    heard = SMS.suppliers[supplier].hear(stand_in.post.callback(), stand_in.provider)
    assert [row.address for row in heard.receipts][:2] == ["+8613800138888", "+8613800138001"]
    assert [row.status for row in heard.receipts] == [ReceiptStatus.FAILED] + [ReceiptStatus.DELIVERED] * 4
    assert [row.reference for row in heard.receipts] == [row.reference for row in sent]
    named = stand_in.sample.broadcast if supplier == "aliyun" else ""
    assert {(row.broadcast_id, row.recipient_id) for row in heard.receipts} == {(named, 0)}
    expected = {"aliyun": {"code": 0, "msg": "接收成功"}, "tencent": {"result": 0, "errmsg": "OK"}}
    assert json.loads(heard.answer) == expected[supplier]


@every_supplier
@pytest.mark.parametrize("query", [{}, {"token": ""}, {"token": "another"}, {"token": f"{TOKEN}é"}])
def test_a_wrong_token_is_a_forgery(stand_in: Vendor, supplier: str, query: dict[str, str]) -> None:
    """Nothing of it is read."""
    stand_in.send()
    forged = replace(stand_in.post.callback(), query=query)
    with pytest.raises(ForgedError):
        SMS.suppliers[supplier].hear(forged, stand_in.provider)


@every_supplier
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[{}]", b"[1]", b"\xff", b'[{"mobile": "1"}]', b"[" * 99_999, "[＂".encode()]
)
def test_another_form_is_refused(supplier: str, body: bytes) -> None:
    """With what is wrong, and without what it held."""
    provider = provider_of(supplier, "http://127.0.0.1:9")
    with pytest.raises(InputError):
        SMS.suppliers[supplier].hear(Callback("POST", {"token": TOKEN}, {}, body), provider)


@every_supplier
def test_what_is_refused_quotes_no_phone(supplier: str) -> None:
    """Nor does what caused it, should somebody log that."""
    rows = [{"phone_number": 13800138000, "mobile": 13800138000, "out_id": "b1.k1"}]
    callback = Callback("POST", {"token": TOKEN}, {}, json.dumps(rows).encode())
    with pytest.raises(InputError) as caught:
        SMS.suppliers[supplier].hear(callback, provider_of(supplier, "http://127.0.0.1:9"))
    assert "13800138000" not in "".join(traceback.format_exception(caught.value))


@every_supplier
@pytest.mark.parametrize("time", ["2022-02-30 10:00:00", "soon", "2022-02-18"])
def test_a_time_that_is_none_is_refused(stand_in: Vendor, supplier: str, time: str) -> None:
    """Of one report in many."""
    stand_in.send()
    callback = stand_in.post.callback()
    rows = json.loads(callback.body)
    rows[3] |= {"report_time": time, "user_receive_time": time}
    with pytest.raises(InputError):
        SMS.suppliers[supplier].hear(replace(callback, body=json.dumps(rows).encode()), stand_in.provider)


@every_supplier
def test_the_year_one_is_a_time_that_nobody_knows(stand_in: Vendor, supplier: str) -> None:
    """It is what some systems write for none; the word on the delivery counts, and its time can be kept and read."""
    stand_in.send()
    callback = stand_in.post.callback()
    rows = json.loads(callback.body)
    rows[3] |= {"report_time": "0001-01-01 00:00:00", "user_receive_time": "0001-01-01 00:00:00"}
    said = replace(callback, body=json.dumps(rows).encode())
    heard = SMS.suppliers[supplier].hear(said, stand_in.provider)
    assert len(heard.receipts) == 5
    assert heard.receipts[3].at == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_report_without_a_time_is_of_when_it_came() -> None:
    """Tencent leaves the time of receiving empty where the phone never received it."""
    row = {"nationcode": "86", "mobile": "13800138000", "report_status": "FAIL", "sid": "1:2", "user_receive_time": ""}
    callback = Callback("POST", {"token": TOKEN}, {}, json.dumps([row]).encode())
    before = clock.now()
    [receipt] = SMS.suppliers["tencent"].hear(callback, provider_of("tencent", "http://127.0.0.1:9")).receipts
    assert receipt.status is ReceiptStatus.FAILED
    assert before <= receipt.at <= clock.now()


def test_what_somebody_else_sent_from_the_account_is_passed_over() -> None:
    """An OutId that is none of ours, or none at all, to whatever number; it keeps none of ours from being heard."""
    row = {
        "phone_number": "13800138000",
        "report_time": "2022-02-18 10:00:00",
        "success": True,
        "biz_id": "1^2",
    }
    abroad = {**row, "phone_number": "85291234567", "out_id": ""}
    others = [row, {**row, "out_id": "order-17"}, {**row, "out_id": None}, abroad, {**row, "biz_id": ""}]
    body = json.dumps([*others, {**row, "out_id": "b1.k1"}]).encode()
    provider = provider_of("aliyun", "http://127.0.0.1:9")
    heard = SMS.suppliers["aliyun"].hear(Callback("POST", {"token": TOKEN}, {}, body), provider)
    [found] = heard.receipts
    at = datetime(2022, 2, 18, 2, tzinfo=UTC)
    assert found == Receipt("b1", 0, ReceiptStatus.DELIVERED, at, "+8613800138000", "1^2")


@every_supplier
def test_a_probe_says_that_the_key_works_and_tells_nobody(stand_in: Vendor, supplier: str) -> None:
    """It lists the approved templates."""
    probe = SMS.suppliers[supplier].probe
    assert probe
    assert probe(stand_in.provider, Transport(allow_private=True)) == "the key works, 16 templates approved"
    assert list(stand_in.archive.shown()) == []


@every_supplier
@pytest.mark.parametrize(("field", "words"), [("code", "is not approved"), ("text", "with another text")])
def test_a_probe_finds_what_the_options_have_wrong(stand_in: Vendor, supplier: str, field: str, words: str) -> None:
    """A code that is not approved, or one that was approved with other words."""
    first, *others = stand_in.provider.options.templates  # type: ignore[attr-defined]
    other = first.model_copy(update={field: "123"})
    wrong = stand_in.with_options(templates=(other, *others))
    probe = SMS.suppliers[supplier].probe
    assert probe
    with pytest.raises(PermanentError, match=words):
        probe(wrong.provider, Transport(allow_private=True))
