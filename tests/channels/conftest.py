"""Fixtures of the channels' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.http_server import LocalServer, local_server


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A real HTTP server on this machine."""
    with local_server() as running:
        yield running
