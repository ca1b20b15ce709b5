"""The sandbox's Kannel: it behaves as the real one does, by itself and behind the product."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from fastapi import FastAPI

from broadcaster import logs
from broadcaster.channels.base import Delivery, Outcome
from broadcaster.channels.callback import Callback, Receipt, ReceiptStatus
from broadcaster.channels.sms.kannel import wire
from broadcaster.channels.sms.kannel.options import KannelOptions
from broadcaster.delivery import rounds
from broadcaster.errors import AmbiguousError, PermanentError, TransientError
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.faults import Fault, FaultBook, FaultKind
from broadcaster.sandbox.postman import Postman
from broadcaster.sandbox.vendors import mount_vendors
from broadcaster.surfaces.document import milliseconds
from tests.channels.http_server import LocalServer, Received
from tests.channels.kannel import KANNEL, PASSWORD, PHONE, REPORTS, TRANSPORT, call_with, provider_at
from tests.conftest import Servers
from tests.support.examples import local
from tests.support.polling import eventually
from tests.support.product import Product, running_product
from tests.support.serving import address_of, bound, served

# The stand-in


class Desk:
    """The sandbox's stand-in of the gateway, and whoever gets its reports."""

    def __init__(self, url: str, office: LocalServer) -> None:
        self.archive, self.faults, self._office = Archive(), FaultBook(), office
        self.provider = replace(provider_at(f"{url}/sms/gateway", f"{office.url}/callbacks"))

    def send(self, phone: str) -> Delivery:
        """Make a call."""
        [found] = KANNEL.adapter.send(call_with("业务暂停", phone), self.provider, TRANSPORT)
        return found

    def shown(self) -> dict[str, int]:
        """Recipient → how often something was shown to them."""
        return dict(self.archive.shown()).get("b" * 20, {})

    def reports(self) -> list[Receipt]:
        """What came back so far."""
        return [receipt for row in self._office.received for receipt in self._heard(row)]

    def _heard(self, row: Received) -> tuple[Receipt, ...]:
        query = dict(parse_qsl(urlsplit(row.path).query))
        return KANNEL.hear(Callback(row.method, query, row.headers, row.body), self.provider).receipts


@contextmanager
def standing_in(office: LocalServer) -> Iterator[Desk]:
    """Serve a stand-in until the block ends."""
    socket, app, postman = bound(), FastAPI(), Postman()
    postman.start()
    desk = Desk(address_of(socket), office)
    mount_vendors(app, desk.archive, desk.faults, postman, {"sms": {"gateway": desk.provider}})
    with served(app, socket):
        yield desk


@pytest.fixture
def desk(server: LocalServer) -> Iterator[Desk]:
    """A stand-in of this test alone."""
    with standing_in(server) as found:
        yield found


@pytest.mark.parametrize(
    ("phone", "status"), [(PHONE, ReceiptStatus.DELIVERED), ("+8613800138888", ReceiptStatus.FAILED)]
)
def test_the_stand_in_shows_a_message_and_reports_on_it(desk: Desk, phone: str, status: ReceiptStatus) -> None:
    """A number that ends in 888 is accepted, and cannot be reached afterwards."""
    assert desk.send(phone).outcome is Outcome.ACCEPTED
    assert desk.shown() == {"7": 1}
    eventually(lambda: bool(desk.reports()), "the report comes back")
    assert [(row.recipient_id, row.status) for row in desk.reports()] == [(7, status)]


def test_the_stand_in_refuses_who_is_on_its_list(desk: Desk) -> None:
    """A number that ends in 999: nobody is shown anything."""
    assert desk.send("+8613800138999").outcome is Outcome.REJECTED
    assert desk.shown() == {}


def test_the_stand_in_looks_at_user_password_and_sender(desk: Desk) -> None:
    """As smsbox does."""
    wrong = (
        replace(desk.provider, secret="another"),
        replace(desk.provider, options=KannelOptions(username="somebody", sender="1")),
    )
    for provider in wrong:
        with pytest.raises(PermanentError, match="user and password"):
            KANNEL.adapter.send(call_with("x"), provider, TRANSPORT)
    headers = {"x-kannel-username": "hrss", "x-kannel-password": PASSWORD, "x-kannel-to": PHONE}
    answer = requests.post(f"{desk.provider.url}/cgi-bin/sendsms", headers=headers, data=b"x", timeout=5)
    assert (answer.status_code, answer.text) == (400, "Sender missing and no global set, rejected")
    assert desk.shown() == {}


def test_the_stand_in_passes_a_probe_and_counts_it_as_no_call(desk: Desk) -> None:
    """A fault that was ordered for calls does not meet it."""
    desk.faults.order(Fault(channel="sms", kind=FaultKind.STATUS, status=503, times=1))
    assert KANNEL.probe
    assert KANNEL.probe(desk.provider, TRANSPORT) == "user and password are right"
    with pytest.raises(TransientError):
        desk.send(PHONE)


def test_an_accepted_call_whose_answer_is_lost_is_shown_again_when_it_is_repeated(desk: Desk) -> None:
    """That is what class `none` means, and why the engine does not repeat it."""
    desk.faults.order(Fault(channel="sms", kind=FaultKind.DROP_AFTER, times=1))
    with pytest.raises(AmbiguousError):
        desk.send(PHONE)
    desk.send(PHONE)
    assert desk.shown() == {"7": 2}


# Behind the product's own address


@pytest.fixture
def product(tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """A site whose text messages go through the stand-in."""
    monkeypatch.setenv("KANNEL_REPORTS", REPORTS)
    gateway = {
        "name": "gateway",
        "supplier": "kannel",
        "secrets": {"reports": "env:KANNEL_REPORTS"},
        "options": {"username": "hrss", "sender": "10691234"},
    }
    with running_product(tmp_path / "data", database_url, servers.redis, monkeypatch, {"sms": [gateway]}) as found:
        yield found


def report_of(product: Product, broadcast: str, recipient: int, status: str = "1") -> dict[str, str]:
    """A report as Kannel sends one."""
    proof = wire.mac(REPORTS, "gateway", broadcast, str(recipient))
    return {"broadcast": broadcast, "id": str(recipient), "mac": proof, "status": status, "at": "1645149600"}


def bring(product: Product, query: dict[str, str], body: bytes = b"") -> int:
    """Call back; gives the status of the answer."""
    address = product.parts.providers()["sms"]["gateway"].callback_url
    return requests.get(address, params=query, data=body, timeout=10).status_code


def carried(product: Product) -> str:
    """A notice to five people, given to the gateway, and every report on it in the ledger."""
    product.at(local("2022-02-18 10:00"))
    product.gather(5)
    product.publish()
    broadcast = product.open("sms")
    product.deliver_all(broadcast)
    eventually(lambda: _reported(product) == 5, "every report is in the ledger")
    return broadcast


def _reported(product: Product) -> int:
    rounds.merge_receipts(product.parts.database)
    return int(product.value("SELECT count(*) FROM deliveries WHERE receipt <> ''"))


def test_a_notice_goes_through_the_gateway_and_its_reports_come_back(product: Product) -> None:
    """Everybody is shown it once, and the ledger knows that they were."""
    broadcast = carried(product)
    found = {(row.outcome, row.receipt, row.provider) for row in product.ledger(broadcast)}
    assert found == {("accepted", "delivered", "gateway")}
    assert set(product.shown(broadcast).values()) == {1}


def test_the_sandbox_shows_the_text_on_its_phone(product: Product) -> None:
    """Though Kannel is not told in which language it is."""
    carried(product)
    at = milliseconds(local("2022-02-18 11:00"))
    shown = requests.get(f"{product.sandbox_url}/api/shown", params={"at": at}, timeout=10).json()
    [message] = shown["phone"]["messages"]
    assert "【" in message["text"]
    assert "****" in shown["phone"]["number"], "nobody's whole number"


def test_a_replayed_report_changes_nothing(product: Product) -> None:
    """The same again, and one whose status somebody on the way changed: the first word on a delivery stays."""
    broadcast = carried(product)
    recipient = product.ledger(broadcast)[0].recipient_id
    for status in ("1", "2", "16"):
        assert bring(product, report_of(product, broadcast, recipient, status)) == 200
    _reported(product)
    assert {row.receipt for row in product.ledger(broadcast)} == {"delivered"}


def test_a_forged_or_endless_report_is_refused(product: Product) -> None:
    """401 for another's, 413 for ten megabytes, 422 for one that is not filled in; and nothing of them is kept."""
    found = report_of(product, "b" * 20, 7)
    assert bring(product, {**found, "id": "8"}) == 401
    assert bring(product, {**found, "status": "%d"}) == 422
    assert bring(product, found, b"x" * 10_000_000) == 413
    assert product.value("SELECT count(*) FROM receipts") == 0


def test_no_log_holds_a_password_or_a_phone(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even when every call fails."""
    logs.configure("DEBUG")
    try:
        product.order(channel="sms", kind=FaultKind.STATUS, status=503, times=5)
        broadcast = carried(product)
    finally:
        logs.configure("CRITICAL")
    written = "".join(capsys.readouterr())
    assert "call_postponed" in written
    secret = product.parts.providers()["sms"]["gateway"].secret
    assert not [word for word in (secret, REPORTS, "1000000000", "%2B86") if word in written]
    assert {row.reason for row in product.ledger(broadcast)} == {""}
