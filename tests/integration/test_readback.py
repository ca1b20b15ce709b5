"""Reading surfaces back: what the public gets is compared with what should show, until it is the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from sqlalchemy import Row, update

from broadcaster import clock
from broadcaster.channels.transport import Transport
from broadcaster.operations import advance, conclude
from broadcaster.reporting.report import standing
from broadcaster.site import Site
from broadcaster.storage import events, readbacks
from broadcaster.storage.readbacks import Reading, Result
from broadcaster.storage.tables import readbacks as readback_table
from broadcaster.surfaces.readback import LONGEST_WAIT, Reader, wait_after
from tests.channels.http_server import Answer, LocalServer, local_server
from tests.support.examples import SLUG, local
from tests.support.polling import eventually
from tests.support.product import ACTOR, Product

PUBLIC = ("kiosk", "")
PARTNER = ("kiosk", "bank-kiosks")


@pytest.fixture
def published(product: Product) -> Product:
    """The example, approved on a quiet morning."""
    product.at(local("2022-02-18 10:00"))
    product.gather(0)
    product.publish()
    return product


@pytest.fixture
def partner() -> Iterator[LocalServer]:
    """A bank that serves the kiosk's document itself."""
    with local_server() as running:
        yield running


def reader(product: Product, shows: str | None = None, transport: Transport | None = None) -> Reader:
    """A reader; `shows` is where the bank serves the kiosk's document."""
    parts = product.parts
    site = parts.site if shows is None else with_partner(parts.site, shows)
    return Reader(
        parts.database,
        parts.templates,
        transport or Transport(allow_private=True),
        site,
        parts.channels,
    )


def with_partner(site: Site, shows: str) -> Site:
    """The site whose bank serves the kiosk's document itself."""
    kiosks = site.channels["kiosk"]
    rows = [row.model_copy(update={"shows": shows}) if row.name == PARTNER[1] else row for row in kiosks.providers]
    channels = {**site.channels, "kiosk": kiosks.model_copy(update={"providers": tuple(rows)})}
    found: Site = site.model_copy(update={"channels": channels})
    return found


def by_key(readings: list[Reading]) -> dict[tuple[str, str], Reading]:
    """(channel, endpoint) → reading."""
    return {(row.channel, row.endpoint): row for row in readings}


def kept(product: Product, key: tuple[str, str]) -> Row[Any]:
    """What is kept of an address."""
    with product.transaction() as connection:
        row = readbacks.find(connection, *key)
    assert row
    return row


def end_waits(product: Product) -> None:
    """Let every address be due again."""
    with product.transaction() as connection:
        connection.execute(update(readback_table).values(next_at=clock.machine_now()))


def mirrored(product: Product, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Answer:
    """The kiosk's document as somebody serves it who may have changed it."""
    document = requests.get(f"{product.web_url}/surfaces/kiosk.json", timeout=10).json()
    change(document)
    return Answer(body=json.dumps(document).encode())


def finish(product: Product) -> None:
    """Say that service is back, ten minutes after the planned end."""
    product.at(local("2022-03-21 00:10"))
    with product.transaction() as connection:
        advance.advance(connection, clock.now(), product.parts.reach)
        conclude.finish(connection, SLUG, clock.now(), ACTOR, clock.now())


def test_every_surface_is_read_at_its_public_address(published: Product) -> None:
    """And is confirmed when the right thing is there; that is kept, with the time."""
    eventually(
        lambda: {row.result for row in reader(published).read_all()} == {Result.CONFIRMED}, "the surfaces are confirmed"
    )
    assert set(by_key(reader(published).read_all())) == {("banner", ""), ("kiosk", "")}
    assert kept(published, PUBLIC).result == "confirmed"


def test_what_is_confirmed_is_put_down_once(published: Product) -> None:
    """In the event log, for the proof."""
    for _ in range(3):
        eventually(lambda: by_key(reader(published).read_all())[PUBLIC].result is Result.CONFIRMED, "it is confirmed")
    with published.transaction() as connection:
        rows = [row.details for row in events.history(connection, "") if row.verb == "confirm"]
    assert len([row for row in rows if row["channel"] == "kiosk"]) == 1


def test_taking_down_is_confirmed_where_it_was_taken_down(published: Product, partner: LocalServer) -> None:
    """A partner that goes on showing the outage is found, until it shows that service is back."""
    partner.answer = mirrored(published)
    look = reader(published, partner.url)
    assert by_key(look.read_all())[PARTNER].result is Result.CONFIRMED
    finish(published)
    found = by_key(look.read_all())[PARTNER]
    assert found.result is Result.OTHER
    assert (SLUG, "its state is scheduled and not completed") in found.differences
    eventually(lambda: by_key(look.read_all())[PUBLIC].result is Result.CONFIRMED, "the public address is confirmed")
    partner.answer = mirrored(published)
    assert by_key(look.read_all())[PARTNER].result is Result.CONFIRMED


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(503), "bank-kiosks answered 503"),
        (Answer(301, headers={"location": "http://127.0.0.1:9/"}), "bank-kiosks answered 301"),
        (Answer(drop=True), "bank-kiosks gave no readable answer (RemoteDisconnected)"),
    ],
)
def test_an_address_that_gives_nothing_is_not_reached(
    published: Product, partner: LocalServer, answer: Answer, why: str
) -> None:
    """Redirects are not followed; the others are read all the same."""
    partner.answer = answer
    found = by_key(reader(published, partner.url).read_all())
    assert (found[PARTNER].result, list(found[PARTNER].differences)) == (Result.UNREACHED, [("", why)])
    assert len(found) == 3


def test_a_private_address_is_not_looked_at_unless_that_is_meant(published: Product, partner: LocalServer) -> None:
    """Nobody can make us look into our own network."""
    found = by_key(reader(published, partner.url, Transport()).read_all())[PARTNER]
    assert found.result is Result.UNREACHED
    assert "its address is private" in found.differences[0][1]
    assert partner.received == []


def test_the_worker_reads_until_it_is_confirmed_and_then_leaves_it_alone(
    published: Product, partner: LocalServer
) -> None:
    """What is not right is read again, later and later; a change makes everything due at once."""
    partner.answer = Answer(503)
    look = reader(published, partner.url)
    assert set(by_key(look.read_due())) == {("banner", ""), PUBLIC, PARTNER}
    assert PUBLIC not in by_key(look.read_due())
    for _ in range(2):
        tries = kept(published, PARTNER).tries
        end_waits(published)
        look.read_due()
        assert kept(published, PARTNER).tries == tries + 1
    partner.answer = mirrored(published)
    end_waits(published)
    assert by_key(look.read_due())[PARTNER].result is Result.CONFIRMED
    assert kept(published, PARTNER).tries == 0
    assert look.read_due() == []
    finish(published)
    assert PARTNER in by_key(look.read_due())


def test_nothing_is_read_while_nothing_is_public(product: Product) -> None:
    """A new installation troubles nobody."""
    assert reader(product).read_due() == []


def test_an_address_that_left_the_site_is_forgotten(published: Product, partner: LocalServer) -> None:
    """What it showed last is nobody's concern any more."""
    reader(published, partner.url).read_all()
    reader(published).read_due()
    with published.transaction() as connection:
        assert readbacks.find(connection, *PARTNER) is None


def test_the_standing_says_what_was_read_back(published: Product, partner: LocalServer) -> None:
    """Of an announcement only what concerns it, and nothing from before its last change."""
    partner.answer = mirrored(published, lambda document: document["announcements"][0].update(revision=9))
    look = reader(published, partner.url)
    look.read_all()
    read = {row["endpoint"]: row for row in _kiosk(published)["read"]}
    assert read["bank-kiosks"]["result"] == "shows something else"
    assert read["bank-kiosks"]["differences"] == ["its revision is 9 and not 1"]
    finish(published)
    assert {row["result"] for row in _kiosk(published)["read"]} == {""}


def _kiosk(product: Product) -> dict[str, Any]:
    with product.transaction() as connection:
        surfaces = standing(connection, SLUG, clock.now())["surfaces"]
    return next(row for row in surfaces if row["channel"] == "kiosk")


def test_waits_double_up_to_a_minute() -> None:
    """Two seconds after the first, a minute at most."""
    assert [wait_after(tries).total_seconds() for tries in (1, 2, 3, 5, 6, 99)] == [2, 4, 8, 32, 60, 60]
    assert wait_after(99) == LONGEST_WAIT


def test_a_look_goes_on_beside_its_caller(published: Product, partner: LocalServer) -> None:
    """An address that does not answer keeps nobody waiting, and is not asked twice at once."""
    partner.answer = Answer(hang=True)
    look = reader(published, partner.url)
    look.look()
    look.look()
    eventually(lambda: bool(partner.received), "the partner is asked")
    look.look()
    partner.released.set()
    eventually(lambda: _was_read(published), "the partner was found not to answer")
    assert len(partner.received) == 1


def _was_read(product: Product) -> bool:
    with product.transaction() as connection:
        return readbacks.find(connection, *PARTNER) is not None
