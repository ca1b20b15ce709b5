"""Nobody can be read: after a whole campaign no number and no name of a person stands anywhere but with their provider.

A campaign with real processes tells three people who can be known again: one who is reached, one whose number the
provider refuses, and one whose receipt says `failed`; and followers of an official account, on the platform's own
format, whose openids all begin alike. Calls to the providers go wrong meanwhile. Then everything is searched: the
database as SQL and as its files, the queue, logs, reports, metrics, the terminal.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import requests
from psycopg import sql

from broadcaster.announcement.source import to_yaml
from broadcaster.embedded import discard
from tests.support.campaigns import received
from tests.support.cli import LONGEST, Cli
from tests.support.examples import ROOT
from tests.support.followers import followed, followed_file, provider
from tests.support.polling import eventually
from tests.support.processes import descendants

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]

REACHED, REFUSED, FAILING = ("13987650001", "欧阳阿达"), ("15912340999", "上官比比"), ("18676540888", "Zbigniew Ość")
FOLLOWERS = ("oGeneratedFollower",)
PEOPLE = (REACHED, REFUSED, FAILING, FOLLOWERS)
CROWD = 300
SMS = Path("sms/notice.zh-Hans.txt.j2")
READY = "Ctrl-C stops everything."


def forms(word: str) -> set[bytes]:
    """How a word may stand somewhere: as text, as JSON, in hexadecimal digits, in base64."""
    data = word.encode()
    plain = {data, json.dumps(word).strip('"').encode(), data.hex().encode(), data.hex().upper().encode()}
    # In base64 a word looks different for each of the three places at which it may begin.
    shifted = (base64.b64encode(b"\0" * shift + data)[4 if shift else 0 : -4] for shift in range(3))
    return {form for form in (*plain, *shifted) if len(form) > 5}


def found_in(content: bytes) -> list[str]:
    """Which of these people can be read there, by number, openid or name."""
    return [word for person in PEOPLE for word in person if any(form in content for form in forms(word))]


@dataclass(slots=True)
class Traces:
    """What a campaign left: text by where it was found, and the report's totals."""

    texts: dict[str, bytes] = field(default_factory=dict)
    folder: Path = Path()

    def telling(self, places: str) -> dict[str, list[str]]:
        """The places whose name begins like this, with whom they tell of."""
        looked_at = {name: found_in(content) for name, content in self.texts.items() if name.startswith(places)}
        assert looked_at, f"nothing was collected from {places}"
        return {name: people for name, people in looked_at.items() if people}


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    """A campaign that was played to its end, and everything that it left."""
    outside, data = tmp_path_factory.mktemp("outside"), tmp_path_factory.mktemp("data")
    campaign = Cli(data).running(
        *("rehearse", followed_file(outside / "outage.yaml"), "--data", data, "--keep"),
        *("--people", _file(outside), "--templates", _templates(outside), "--recipients", str(CROWD)),
        *("--script", _script(outside)),
    )
    left = Traces(folder=data)
    with campaign as process:
        eventually(lambda: received(data) > 0 or process.poll() is not None, "messages go out")
        _trouble(data)
        eventually(lambda: READY in _said(data) or process.poll() is not None, "it is over", LONGEST)
        assert process.poll() is None, _said(data)
        _collect(left, psutil.Process(process.pid), _said(data))
        process.send_signal(signal.SIGINT)
        process.wait(LONGEST)
    # As root, the services' folder is a link to where another account may be.
    for root in (data, data / "services"):
        for path in root.resolve().rglob("*"):
            if path.is_file():
                left.texts[f"file {root.relative_to(data) / path.relative_to(root.resolve())}"] = path.read_bytes()
    yield left
    discard(data)


def _file(folder: Path) -> Path:
    """The imported file: the three, and a crowd of others."""
    crowd = [f"100000{number:05},Somebody {number},en,retired" for number in range(CROWD)]
    known = [f"{phone},{name},zh-Hans,retired" for phone, name in (REACHED, REFUSED, FAILING)]
    path = folder / "people.csv"
    path.write_text("\n".join(["phone,name,language,tags", *known, *crowd]), encoding="utf-8")
    return path


def _script(folder: Path) -> Path:
    """Service comes back as planned; the account of the followers is one at the platform."""
    account = {name: value for name, value in provider(followed()).items() if name not in ("secret", "secrets")}
    acts = [{"at": "2022-03-21 00:00", "do": "finish"}]
    path = folder / "script.yaml"
    path.write_text(to_yaml({"acts": acts, "sandbox": {"followers": [account]}}), encoding="utf-8")
    return path


def _templates(folder: Path) -> Path:
    """Templates whose text message begins with the recipient's name."""
    text = (ROOT / "templates" / SMS).read_text(encoding="utf-8")
    path = folder / "templates" / SMS
    path.parent.mkdir(parents=True)
    path.write_text(text.replace("】", "】{{ addressee }}您好：", 1), encoding="utf-8")
    return folder / "templates"


def _said(data: Path) -> str:
    return (data / "output").read_text(encoding="utf-8")


def _trouble(data: Path) -> None:
    """Calls go wrong, so that their warnings are in the logs too."""
    site = (data / "site.yaml").read_text(encoding="utf-8")
    sandbox = re.findall(r"(http://\S+)/sms/", site)[0]
    for channel in ("sms", "followers"):
        for fault in ({"kind": "status", "status": 503}, {"kind": "status", "status": 500}, {"kind": "drop_after"}):
            requests.post(f"{sandbox}/faults", json={"channel": channel, **fault}, timeout=10).raise_for_status()


def _collect(left: Traces, command: psutil.Process, said: str) -> None:
    """What can only be asked for while it runs."""
    left.texts["terminal"] = said.encode()
    web = re.findall(r"(http://\S+)/surfaces/kiosk", said)[0]
    left.texts["metrics"] = requests.get(f"{web}/metrics", timeout=10).content
    environment = descendants(command, "workers.app beat")[0].environ()
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        for (table,) in connection.execute(query).fetchall():
            copied = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
            with connection.cursor().copy(copied) as copy:
                left.texts[f"table {table}"] = b"".join(bytes(part) for part in copy)
    if shutil.which("pg_dump"):
        dumped = subprocess.run(["pg_dump", environment["DATABASE_URL"]], capture_output=True, check=False)
        left.texts["dump"] = dumped.stdout + dumped.stderr
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        left.texts["queue"] = b"\n".join(key + b" " + (client.dump(key) or b"") for key in client.scan_iter())


def test_the_campaign_was_one(traces: Traces) -> None:
    """The three were told what they were to be told, or this would prove nothing."""
    report = json.loads(traces.texts["file report.json"])
    messages = sum(row["channel"] == "sms" and row["accepted"] > 0 for row in report["broadcasts"])
    told = [row["delivered"] for row in report["broadcasts"] if row["channel"] == "followers" and row["accepted"]]
    assert told == [CROWD] * len(told) != []
    assert report["consistent"], report["problems"]
    assert messages >= 8
    assert (report["totals"]["rejected"], report["totals"]["failed"]) == (messages, messages)
    assert b"call_postponed" in traces.texts["file logs/delivery.log"]


def test_who_stands_somewhere_is_found() -> None:
    """Whatever the form: the search itself works."""
    phone, name = REACHED
    for written in (f"+86{phone}", f"x{phone}x", name, json.dumps(name), f"x{name}x".encode().hex()):
        assert found_in(written.encode()), written
    for before in ("", "a", "ab", "abc"):
        assert found_in(base64.b64encode(f"{before}+86{phone}, {name}".encode())) == [phone, name]


@pytest.mark.parametrize(
    "places",
    [
        pytest.param("table ", id="rows of the database"),
        pytest.param("file services/postgres/base/", id="files of the database"),
        pytest.param("file services/postgres/pg_wal/", id="its write-ahead log"),
        pytest.param("queue", id="task messages"),
        pytest.param("file logs/", id="logs"),
        pytest.param("file report", id="reports"),
        pytest.param("metrics", id="metrics"),
        pytest.param("terminal", id="terminal"),
        pytest.param("file ", id="anything in the data folder"),
    ],
)
def test_nobody_can_be_read_in(traces: Traces, places: str) -> None:
    """Neither by number nor by openid nor by name."""
    assert traces.telling(places) == {}


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="there is no pg_dump on this machine")
def test_nobody_can_be_read_in_a_dump(traces: Traces) -> None:
    """A backup is in other hands than the keys."""
    assert traces.telling("dump") == {}
