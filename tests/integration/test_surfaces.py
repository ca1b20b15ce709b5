"""Surface documents: what banners and kiosks fetch, in each state of an announcement, and how it may be cached."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from broadcaster import clock
from broadcaster.operations import advance, conclude, revise
from broadcaster.surfaces.publishing import current_document
from tests.support.examples import SLUG, example, local
from tests.support.polling import eventually
from tests.support.product import ACTOR, Product


@pytest.fixture
def published(product: Product) -> Product:
    """The example, approved on a quiet morning."""
    product.at(local("2022-02-18 10:00"))
    product.publish()
    return product


def document(product: Product, channel: str = "banner") -> dict[str, Any]:
    """The document as of now."""
    with product.transaction() as connection:
        return current_document(connection, product.parts.channels[channel], product.parts.templates, clock.now())


def phases(product: Product) -> list[str]:
    """The phases that the only announcement shows from now on; none when it shows nothing."""
    return [phase["phase"] for entry in document(product)["announcements"] for phase in entry["phases"]]


def get(product: Product, path: str, **headers: str) -> requests.Response:
    """Ask the web application."""
    return requests.get(f"{product.web_url}{path}", headers=headers, timeout=10)


def pass_to(product: Product, instant: str) -> None:
    """Let time pass, and let the clock do its part."""
    product.at(local(instant))
    with product.transaction() as connection:
        advance.advance(connection, clock.now(), product.parts.reach)


def test_a_draft_is_not_shown(product: Product) -> None:
    """Nothing is public before it is approved."""
    with product.transaction() as connection:
        revise.propose(connection, example(), ACTOR, clock.now())
    assert document(product)["announcements"] == []


def test_a_scheduled_announcement_shows_everything_that_is_to_come(published: Product) -> None:
    """A screen that loses its network switches by itself at each boundary."""
    assert phases(published) == ["notice", "reminder", "started", "ongoing", "overrun"]


def test_phases_follow_each_other_without_a_gap(published: Product) -> None:
    """Where one ends the next begins, and the last stays until somebody says otherwise."""
    [entry] = document(published)["announcements"]
    spans = [(phase["from"], phase["until"]) for phase in entry["phases"]]
    assert [until for _, until in spans[:-1]] == [start for start, _ in spans[1:]]
    assert spans[-1][1] is None


def test_what_is_past_is_not_shown_any_more(published: Product) -> None:
    """In the outage the notice is gone."""
    pass_to(published, "2022-03-01 10:00")
    assert phases(published) == ["ongoing", "overrun"]


def test_after_the_planned_end_it_is_overdue_until_somebody_finishes_it(published: Product) -> None:
    """The clock never says that service is back."""
    pass_to(published, "2022-03-22 10:00")
    assert phases(published) == ["overrun"]


def test_a_finished_outage_is_shown_as_restored_for_a_week(published: Product) -> None:
    """Good news ages too."""
    pass_to(published, "2022-03-21 00:10")
    with published.transaction() as connection:
        conclude.finish(connection, SLUG, clock.now(), ACTOR, clock.now())
    assert phases(published) == ["restored"]
    pass_to(published, "2022-03-28 00:11")
    assert phases(published) == []


def test_a_cancelled_outage_is_shown_as_cancelled(published: Product) -> None:
    """And nothing else of it."""
    with published.transaction() as connection:
        conclude.cancel(connection, SLUG, "", ACTOR, clock.now())
    assert phases(published) == ["cancelled"]


def test_every_language_of_the_announcement_is_in_the_document(published: Product) -> None:
    """A screen may change its language without asking again."""
    [entry] = document(published)["announcements"]
    assert all(phase["text"].keys() == {"zh-Hans", "en"} for phase in entry["phases"])


def test_a_kiosk_gets_pages_and_a_code_to_scan(published: Product) -> None:
    """Nobody clicks a screen on the wall."""
    [entry] = document(published, "kiosk")["announcements"]
    assert entry["qr"].startswith("data:image/svg+xml;base64,")
    assert all(phase["text"]["zh-Hans"]["pages"] for phase in entry["phases"])


def test_a_lifecycle_event_raises_the_number_of_the_document(published: Product) -> None:
    """A client never goes back to an older one; the sending of messages raises nothing."""
    before = document(published)["seq"]
    published.open("banner")
    assert document(published)["seq"] == before
    pass_to(published, "2022-02-26 00:00")
    assert document(published)["seq"] > before


@pytest.mark.parametrize("surface", ["banner", "kiosk"])
def test_a_document_may_be_cached(published: Product, surface: str) -> None:
    """For half a minute, by anybody, from any site; and when we are away, for a week."""
    answer = get(published, f"/surfaces/{surface}.json")
    assert answer.status_code == 200
    assert answer.json()["surface"] == surface
    assert "public" in answer.headers["Cache-Control"]
    assert "stale-if-error=604800" in answer.headers["Cache-Control"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_document_that_did_not_change_is_not_sent_again(published: Product) -> None:
    """The client's ETag is answered with 304 and no body."""
    first = get(published, "/surfaces/banner.json")
    again = get(published, "/surfaces/banner.json", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_a_document_that_changed_is_sent(published: Product) -> None:
    """The old ETag fits no more."""
    first = get(published, "/surfaces/banner.json").headers["ETag"]
    with published.transaction() as connection:
        conclude.cancel(connection, SLUG, "", ACTOR, clock.now())
    eventually(
        lambda: get(published, "/surfaces/banner.json", **{"If-None-Match": first}).status_code == 200,
        "the cancelled document is served",
    )


@pytest.mark.parametrize("path", ["/surfaces/sms.json", "/surfaces/pigeon.json", "/surfaces/static/none.js"])
def test_what_is_no_surface_is_not_there(published: Product, path: str) -> None:
    """A push channel has no document."""
    assert get(published, path).status_code == 404


def test_no_static_file_leads_out_of_its_folder(published: Product) -> None:
    """A path that climbs is not found."""
    assert get(published, "/surfaces/static/..%2Fapp.py").status_code == 404


@pytest.mark.parametrize("path", ["/", "/surfaces/banner.js", "/surfaces/kiosk", "/healthz"])
def test_pages_and_scripts_are_served(published: Product, path: str) -> None:
    """What a site embeds and what a kiosk opens."""
    assert get(published, path).status_code == 200


def test_nothing_is_changed_over_http(published: Product) -> None:
    """No other method than reading is taken where documents are."""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert requests.request(method, f"{published.web_url}/surfaces/banner.json", timeout=10).status_code == 405
