"""Fixtures of the channels' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.http_server import LocalServer, local_server
from tests.channels.stand_ins import Street, street


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A real HTTP server on this machine."""
    with local_server() as running:
        yield running


@pytest.fixture(scope="module")
def one_street() -> Iterator[Street]:
    """A server for all stand-ins of a file."""
    with street() as found:
        yield found
