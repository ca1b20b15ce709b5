"""Messages through a real Kannel: from the ledger to the carrier, and the carrier's word back into the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster import clock
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.channels.transport import Transport
from broadcaster.delivery import rounds
from broadcaster.errors import PermanentError
from broadcaster.rendering.measures import sms_size
from broadcaster.storage import audiences
from tests.channels.kannel import KANNEL, call_with
from tests.conftest import Servers
from tests.support.examples import local
from tests.support.kannel import PASSWORD, SENDER, USERNAME, Kannel, Segment, running_kannel
from tests.support.polling import eventually
from tests.support.product import Product, running_product

PEOPLE = 1_000
TEXT = (
    "【青岛人社】2月26日0时至3月20日24时，养老、失业、工伤保险和职业年金业务，工伤医疗费用登记和联网结算，以及社保信息共享暂停办理。"
    "预计3月21日0时恢复。暂停期间待遇照常发放，工伤职工就医先行垫付，恢复后凭票据报销。"
    "急需业务请于2月25日24时前办理；因此逾期的业务恢复后可以补办，不影响您的权益。咨询电话：12333。"
)
"""Longer than two segments, and not as long as four."""


@pytest.fixture
def kannel(tmp_path: Path) -> Iterator[Kannel]:
    """A gateway of this test alone."""
    with running_kannel(tmp_path / "kannel") as found:
        yield found


@pytest.fixture
def product(
    kannel: Kannel, tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Product]:
    """A site whose text messages go through the gateway, with a notice of three segments."""
    words = tmp_path / "templates/sms"
    words.mkdir(parents=True)
    (words / "notice.zh-Hans.txt.j2").write_text(TEXT, encoding="utf-8")
    monkeypatch.setenv("KANNEL_PASSWORD", PASSWORD)
    monkeypatch.setenv("KANNEL_REPORTS", "what the addresses of reports are signed with")
    gateway = {
        "name": "gateway",
        "supplier": "kannel",
        "url": kannel.url,
        "secret": "env:KANNEL_PASSWORD",
        "secrets": {"reports": "env:KANNEL_REPORTS"},
        "options": {"username": USERNAME, "sender": SENDER},
    }
    stand_ins = {"sms": [gateway]}
    with running_product(
        tmp_path / "data", database_url, servers.redis, monkeypatch, stand_ins, tmp_path / "templates"
    ) as found:
        yield found


def phone(number: int) -> str:
    """The number of one of the people, in a block that no carrier uses."""
    return f"+861000000{number:04}"


def gather(product: Product) -> None:
    """Have people who read Chinese."""
    rows = [(phone(number), "", "zh-Hans", list[str]()) for number in range(PEOPLE)]
    with product.transaction() as connection:
        sync_endpoints(connection, product.parts.vault, product.parts.site, product.parts.channels, clock.now())
        audiences.stage(connection, audiences.PEOPLE, product.parts.vault, rows)
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=True)


def by_phone(segments: list[Segment]) -> dict[str, list[Segment]]:
    """Who got which segments, in the order in which they came."""
    found = defaultdict[str, list[Segment]](list)
    for segment in segments:
        found[segment.to].append(segment)
    return found


def test_a_thousand_messages_of_three_segments_arrive_whole_and_once(product: Product, kannel: Kannel) -> None:
    """In their order under one reference each; and what the carrier says of every one is in the ledger."""
    assert sms_size(TEXT).segments == 3
    product.at(local("2022-02-18 10:00"))
    gather(product)
    product.publish()
    broadcast = product.open("sms")
    product.deliver_all(broadcast)
    eventually(lambda: len(kannel.segments()) >= 3 * PEOPLE, "the carrier has every segment")

    got = by_phone(kannel.segments())
    assert set(got) == {phone(number) for number in range(PEOPLE)}
    for segments in got.values():
        assert [(row.number, row.total) for row in segments] == [(1, 3), (2, 3), (3, 3)]
        assert len({row.reference for row in segments}) == 1
        assert {row.sender for row in segments} == {SENDER}
        assert b"".join(row.body for row in segments).decode("utf-16-be") == TEXT

    def reported() -> bool:
        rounds.merge_receipts(product.parts.database)
        return bool(product.value("SELECT count(*) FROM deliveries WHERE receipt <> ''") == PEOPLE)

    eventually(reported, "every delivery has its report")
    assert {(row.outcome, row.receipt, row.provider) for row in product.ledger(broadcast)} == {
        ("accepted", "delivered", "gateway")
    }
    assert product.value("SELECT count(*) FROM receipts") == PEOPLE


def test_the_account_is_looked_at_without_a_message(kannel: Kannel) -> None:
    """A right password, a wrong one, and no segment at the carrier."""
    transport, provider = Transport(allow_private=True), kannel.provider()
    assert KANNEL.probe
    assert KANNEL.probe(provider, transport) == "user and password are right"
    with pytest.raises(PermanentError, match="does not accept the user and password"):
        KANNEL.probe(kannel.provider(password="another"), transport)
    KANNEL.adapter.send(call_with("last"), provider, transport)
    eventually(lambda: bool(kannel.segments()), "the carrier has the message")
    assert [row.body for row in kannel.segments()] == [b"last"]


@pytest.mark.parametrize(
    ("text", "coding"),
    [
        ("Notice [1]: €5 {due} @ 24:00", "utf-8"),
        ("Suspended until 24:00 on 20 March. " * 6, "utf-8"),
        ("社保业务暂停", "utf-16-be"),
        ("Suspended – until 20 March", "utf-16-be"),
        ("暂停😀", "utf-16-be"),
    ],
    ids=["gsm", "long gsm", "chinese", "a dash", "an emoji"],
)
def test_a_text_arrives_in_its_alphabet(kannel: Kannel, text: str, coding: str) -> None:
    """To the letter: in the GSM alphabet where it is in it, and else in UCS-2."""
    KANNEL.adapter.send(call_with(text), kannel.provider(), Transport(allow_private=True))
    eventually(lambda: len(kannel.segments()) >= sms_size(text).segments, "the carrier has every segment")
    assert b"".join(row.body for row in kannel.segments()).decode(coding) == text
