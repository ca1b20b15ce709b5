"""Moving a page's clock without outrunning its requests."""

from __future__ import annotations

from playwright.sync_api import Page, Request

from tests.browser.documents import SECOND


def run_until_asked(page: Page, path: str) -> None:
    """Run the page's installed clock until it asks for `path`, and wait for the answer in real time.

    In steps of a second: a clock that ran on would reach the page's own time-out before the answer arrives.
    """
    asked: list[str] = []

    def note(request: Request) -> None:
        if path in request.url:
            asked.append(request.url)

    page.on("request", note)
    with page.expect_response(lambda response: path in response.url, timeout=60_000):
        while not asked:
            page.clock.run_for(SECOND)
    page.remove_listener("request", note)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page has worked through the answers that have arrived: one more request has come back to it."""
    page.evaluate("fetch(location.href).then(answer => answer.text())")
