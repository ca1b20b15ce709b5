"""A real Kannel for tests: bearerbox and smsbox of Debian on free ports, and Kannel's own fake carrier behind them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import pytest
import requests

from broadcaster.channels.provider import Provider
from broadcaster.channels.sms.kannel.options import KannelOptions
from tests.support.polling import eventually
from tests.support.serving import HOST, bound

PROGRAMS = (Path("/usr/sbin/bearerbox"), Path("/usr/sbin/smsbox"), Path("/usr/lib/kannel/test/fakesmsc"))
USERNAME, PASSWORD, SENDER = "broadcaster", "a-password", "10691234"

CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {password}
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = carrier
host = 127.0.0.1
port = {carrier}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {http}
sendsms-interface = 127.0.0.1
http-request-retry = 3
http-queue-delay = 1

group = sendsms-user
username = {username}
password = {password}
concatenation = true
max-messages = 8

group = sms-service
keyword = default
max-messages = 0
text = nothing
"""


class Segment(NamedTuple):
    """A short message as the carrier got it; `number` of `total` of the long one `reference`, when it is part of one.

    `body` is UTF-16 when it was sent in UCS-2, and UTF-8 when it was sent in the GSM alphabet.
    """

    sender: str
    to: str
    body: bytes
    reference: int = 0
    total: int = 1
    number: int = 1


@dataclass(frozen=True, slots=True)
class Kannel:
    """A running gateway: its addresses, and what its carrier writes down."""

    url: str
    admin: str
    carrier_log: Path

    def provider(self, password: str = PASSWORD) -> Provider:
        """An account there, as the product knows it."""
        return Provider(
            "gateway",
            self.url,
            password,
            supplier="kannel",
            options=KannelOptions(username=USERNAME, sender=SENDER),
            secrets={"reports": "what the addresses of reports are signed with"},
            callback_url="http://127.0.0.1:9/callbacks/sms/gateway",
        )

    def segments(self) -> list[Segment]:
        """What the carrier has got so far, in the order in which it came."""
        lines = _GOT.findall(self.carrier_log.read_text(encoding="utf-8"))
        return [_segment(*line.split(" ")) for line in lines]

    def status(self) -> str:
        """What bearerbox says of itself."""
        return requests.get(f"{self.admin}/status.txt", params={"password": PASSWORD}, timeout=10).text


@contextmanager
def running_kannel(folder: Path) -> Iterator[Kannel]:
    """A gateway until the block ends; where it is missing, the test is skipped, and fails in the pipeline."""
    for program in PROGRAMS:
        if not program.exists():
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{program} is missing")
    folder.mkdir()
    with ExitStack() as stack:
        # Bound and not listened on: the ports are nobody else's, and Kannel may listen on them all the same.
        names = ("admin", "boxes", "carrier", "http")
        ports = {name: stack.enter_context(bound()).getsockname()[1] for name in names}
        file = folder / "kannel.conf"
        file.write_text(CONFIGURATION.format(**ports, username=USERNAME, password=PASSWORD), encoding="utf-8")
        found = Kannel(f"http://{HOST}:{ports['http']}", f"http://{HOST}:{ports['admin']}", folder / "carrier.log")
        bearerbox, smsbox, fakesmsc = map(str, PROGRAMS)
        stack.enter_context(_running([bearerbox, "-v", "3", str(file)], folder / "bearerbox.log"))
        eventually(lambda: "running" in _status(found), "bearerbox answers")
        stack.enter_context(_running([smsbox, "-v", "3", str(file)], folder / "smsbox.log"))
        carrier = [fakesmsc, "-H", HOST, "-r", str(ports["carrier"]), "-m", "0", "1 2 text none"]
        stack.enter_context(_running(carrier, found.carrier_log))
        eventually(lambda: _is_whole(_status(found)), "smsbox and the carrier are connected")
        eventually(lambda: _answers(found.url), "smsbox answers")
        yield found


_GOT = re.compile(r"Got message \d+: <(.*)>")


def _segment(sender: str, to: str, kind: str, *rest: str) -> Segment:
    """A line of fakesmsc: `SENDER TO udh HEADER data BODY`, `SENDER TO ucs-2 BODY` or `SENDER TO text WORDS`.

    Header and body of the first two are URL-encoded. The header of a part: 05 00 03, reference, total, number.
    """
    if kind == "udh":
        header, _, body = rest
        reference, total, number = _bytes(header)[3:6]
        return Segment(sender, to, _bytes(body), reference, total, number)
    return Segment(sender, to, _bytes(rest[0]) if kind == "ucs-2" else " ".join(rest).encode())


def _bytes(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " "))


def _status(kannel: Kannel) -> str:
    try:
        return kannel.status()
    except requests.ConnectionError:
        return ""


def _is_whole(status: str) -> bool:
    return "smsbox:" in status and "(online " in status


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).status_code == 404
    except requests.ConnectionError:
        return False


@contextmanager
def _running(command: Sequence[str], log: Path) -> Iterator[None]:
    """A process of our own until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
