"""The partner's receiver of `docs/receivers.md`, run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from broadcaster.channels.base import Call
from broadcaster.channels.gateway import new_secret
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.errors import TransientError
from broadcaster.operations.endpoints import send_test
from broadcaster.planning.phase import Phase
from broadcaster.stack import HOST, free_port
from tests.channels.samples import call
from tests.support.adapters import adapter_of
from tests.support.examples import ROOT
from tests.support.polling import eventually

CHANNEL = CHANNELS["webhook"]
TRANSPORT = Transport(allow_private=True)


@dataclass(frozen=True, slots=True)
class Receiver:
    """The running receiver, as an endpoint; what it prints is in `output`."""

    endpoint: Provider
    output: Path

    def send(self, sent: Call, secret: str | None = None) -> None:
        """Send it an event."""
        endpoint = replace(self.endpoint, secret=secret) if secret else self.endpoint
        adapter_of(CHANNEL).send(sent, endpoint, TRANSPORT)

    def lines(self) -> list[str]:
        """What it printed, each by its first two words."""
        return [" ".join(line.split()[:2]) for line in self.output.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """The code of the page's section on partners, in a process of its own."""
    page = (ROOT / "docs/receivers.md").read_text(encoding="utf-8")
    section = page.partition("\n## Partners\n")[2].partition("\n## ")[0]
    [code] = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    file, output, secret, port = tmp_path / "receiver.py", tmp_path / "output", new_secret(), free_port()
    file.write_text(code, encoding="utf-8")
    with output.open("wb") as out:
        environment = {"PARTNER_SECRET": secret, "PORT": str(port), "PYTHONIOENCODING": "utf-8"}
        process = subprocess.Popen([sys.executable, file], env=environment, stdout=out, stderr=subprocess.DEVNULL)
    url = f"http://{HOST}:{port}/"
    try:
        eventually(lambda: _answers(url), "the receiver answers")
        yield Receiver(Provider("bank", url, secret), output)
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(url, timeout=5).status_code == 501
    return False


def test_it_takes_an_event_once_and_keeps_the_newest(receiver: Receiver) -> None:
    """A repeated key is dropped, and so is what comes late."""
    started = replace(call(CHANNEL, "one"), phase=Phase.STARTED)
    restored = replace(call(CHANNEL, "two"), phase=Phase.RESTORED, revision=4)
    for event in (started, started, restored, replace(started, key="three")):
        receiver.send(event)
    assert receiver.lines() == ["outage.started closed", "outage.restored open"]


def test_it_takes_a_test(receiver: Receiver) -> None:
    """And tells nobody that anything is closed."""
    assert send_test(receiver.endpoint, TRANSPORT) >= 0
    assert receiver.lines() == ["test: This"]


def test_it_refuses_what_another_signed(receiver: Receiver) -> None:
    """With 401, and prints nothing."""
    with pytest.raises(TransientError, match="bank answered 401"):
        receiver.send(call(CHANNEL), new_secret())
    assert receiver.lines() == []
