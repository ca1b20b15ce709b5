"""Real screens before the real product: what each of them shows is known, and confirmed after the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from broadcaster import clock, settings
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.operations import advance, conclude, revise
from broadcaster.reporting.report import standing
from broadcaster.reporting.surfaces import stale_screens
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.stack import HOST, Program, Stack, environment, free_port, programs
from broadcaster.wiring import App, open_app
from tests.browser.clocks import run_until_asked
from tests.browser.site import Site
from tests.conftest import NOWHERE, Servers
from tests.support.examples import SLUG, example, local
from tests.support.polling import eventually

pytestmark = pytest.mark.browser

ACTOR = "test"


@dataclass(frozen=True, slots=True)
class Installation:
    """The product as processes of its own, with the example in its outage; the test starts them and stops them."""

    parts: App
    offset_file: Path
    stack: Stack
    wanted: dict[str, Program]
    address: str

    def start(self, *names: str) -> None:
        """Start processes by their names."""
        self.stack.start([self.wanted[name] for name in names])

    def stale(self, channel: str) -> set[str]:
        """The screens of a surface that lack the newest change."""
        with self.parts.database.begin() as connection:
            return {row.name for row in stale_screens(connection, channel, SLUG)}

    def results(self) -> set[str]:
        """What came of reading the surfaces back since the last change."""
        with self.parts.database.begin() as connection:
            surfaces = standing(connection, SLUG, clock.now())["surfaces"]
        return {one["result"] for row in surfaces for one in row["read"]}

    def finish(self) -> None:
        """Say that service is back."""
        with self.parts.database.begin() as connection:
            conclude.finish(connection, SLUG, clock.now(), ACTOR, clock.now())


@pytest.fixture
def installation(
    tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """The example, approved in February; now its outage is under way."""
    port = free_port()
    address = f"http://{HOST}:{port}"
    write_sandbox_site(tmp_path, sandbox_url=NOWHERE, public_url=address)
    for name, value in {
        "BROADCASTER_DATA": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": servers.redis,
    }.items():
        monkeypatch.setenv(name, value)
    found, offset_file = settings.load(), tmp_path / "clock-offset"
    parts = open_app(found)
    stack = Stack(tmp_path / "logs", environment(found, offset_file))
    clock.move_to(local("2022-02-18 10:00"), offset_file)
    with clock.following(offset_file):
        _publish(parts)
        clock.move_to(local("2022-03-19 10:00"), offset_file)
        with parts.database.begin() as connection:
            advance.advance(connection, clock.now(), parts.reach)
        wanted = {row.name: row for row in programs(found, web_port=port, sandbox_port=None)}
        try:
            yield Installation(parts, offset_file, stack, wanted, address)
        finally:
            stack.stop()
            parts.database.close()


def _publish(parts: App) -> None:
    with parts.database.begin() as connection:
        sync_endpoints(connection, parts.vault, parts.site, parts.channels, clock.now())
        number = revise.propose(connection, example(), ACTOR, clock.now())
        assert number
        revise.approve(connection, SLUG, number, ACTOR, clock.now(), parts.reach)


def test_a_kiosk_is_known_by_its_name_through_a_restart_of_the_server(page: Page, installation: Installation) -> None:
    """It fetches, goes on while the server is away, and has what changed meanwhile when it is back."""
    page.clock.install()
    installation.start("web")
    page.goto(f"{installation.address}/surfaces/kiosk?lang=en&screen=hall-kiosks")
    expect(page.get_by_role("heading")).not_to_be_empty()
    eventually(lambda: installation.stale("kiosk") == {"bank-kiosks", "hospital-kiosks"}, "the hall's kiosk is noted")
    before = page.get_by_role("heading").inner_text()
    installation.stack.stop()
    installation.finish()
    assert "hall-kiosks" in installation.stale("kiosk")
    expect(page.get_by_role("heading")).to_have_text(before)
    installation.start("web")
    run_until_asked(page, "/surfaces/kiosk.json")
    expect(page.get_by_role("heading")).not_to_have_text(before)
    eventually(lambda: "hall-kiosks" not in installation.stale("kiosk"), "the hall's kiosk has the end")


def test_a_site_is_known_by_the_name_in_its_script(page: Page, site: Site, installation: Installation) -> None:
    """A page of another server that embeds the banner with `data-screen`."""
    installation.start("web")
    script = f"<script async src='{installation.address}/surfaces/banner.js' data-screen='bureau-site'></script>"
    site.put_page("/host", f"<!doctype html><title>Host</title>{script}<h1>Host</h1>")
    page.goto(f"{site.address}/host")
    expect(page.get_by_role("status")).not_to_be_empty()
    eventually(lambda: installation.stale("banner") == {"government-portal"}, "the bureau's site is noted")


def test_a_screen_with_a_name_that_nobody_knows_shows_the_truth(page: Page, installation: Installation) -> None:
    """A slip in an address must not darken a hall."""
    installation.start("web")
    page.goto(f"{installation.address}/surfaces/kiosk?screen=hal-kiosk")
    expect(page.get_by_role("heading")).not_to_be_empty()


def test_after_a_finish_the_surfaces_are_confirmed_by_themselves(page: Page, installation: Installation) -> None:
    """The control worker reads them back; and the screen that looked has the end."""
    page.clock.install()
    installation.start("web", "control", "beat")
    page.goto(f"{installation.address}/surfaces/kiosk?screen=hall-kiosks")
    eventually(lambda: installation.results() == {"confirmed"}, "what shows is confirmed")
    installation.finish()
    assert installation.results() == {""}
    eventually(lambda: installation.results() == {"confirmed"}, "the end is confirmed")
    run_until_asked(page, "/surfaces/kiosk.json")
    eventually(lambda: "hall-kiosks" not in installation.stale("kiosk"), "the hall's kiosk has the end")
