"""`/metrics`: what it says is true, documented, and for nobody else; the alerts ask for nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from sqlalchemy import insert
from starlette.requests import Request

from broadcaster import clock
from broadcaster.delivery import latency, rounds
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.storage import announcements, heartbeats, holds, operator_events, tallies
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Hold, Scope
from broadcaster.storage.operator_events import Kind, Told
from broadcaster.storage.tables import audience_versions, suppressions
from broadcaster.web import app as web
from broadcaster.web import metrics
from broadcaster.web.exposition import METRICS
from tests.conftest import NOWHERE, Servers
from tests.support.examples import ROOT
from tests.support.figures import DUE, SLUG, announce, call, cut, plan
from tests.support.serving import address_of, bound, served

TOKEN = "a token of some length"
ALERTS = ROOT / "examples/prometheus/alerts.yaml"

Labels = tuple[tuple[str, str], ...]
Scrape = Callable[[], Mapping[tuple[str, Labels], float]]


@contextmanager
def serving(folder: Path, environment: pytest.MonkeyPatch, **variables: str) -> Iterator[str]:
    """The web application of a site with the sandbox's providers; gives the address of its metrics."""
    folder.mkdir(parents=True, exist_ok=True)
    write_sandbox_site(folder, sandbox_url=NOWHERE, public_url=NOWHERE)
    for name, value in {"BROADCASTER_DATA": str(folder), "BROADCASTER_LOG_LEVEL": "CRITICAL", **variables}.items():
        environment.setenv(name, value)
    socket = bound()
    with served(web.create(), socket):
        yield f"{address_of(socket)}/metrics"


@pytest.fixture
def address(tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the metrics of a site are served."""
    urls = {"DATABASE_URL": database_url, "REDIS_URL": servers.redis}
    with serving(tmp_path / "data", monkeypatch, **urls) as found:
        yield found


@pytest.fixture
def scrape(address: str) -> Scrape:
    """Look at the metrics: (sample, its labels by name) → value."""

    def look() -> Mapping[tuple[str, Labels], float]:
        answer = requests.get(address, timeout=10)
        answer.raise_for_status()
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    return look


def of(name: str, **labels: str) -> tuple[str, Labels]:
    """A sample's name and labels."""
    return f"broadcaster_{name}", tuple(sorted(labels.items()))


def test_a_scheduler_that_never_ran_is_silent_for_ever(scrape: Scrape) -> None:
    """No number at all would be no alarm."""
    assert scrape()[of("seconds_since_tick")] == float("inf")


def test_a_tick_is_heard(scrape: Scrape, database: Database) -> None:
    """Its age is by the database's own clock."""
    with database.begin() as connection:
        heartbeats.beat(connection, rounds.TICK)
        connection.exec_driver_sql("UPDATE heartbeats SET beat_at = beat_at - interval '40 seconds'")
    assert 40 <= scrape()[of("seconds_since_tick")] < 100


def test_what_is_due_and_not_opened_is_said(scrape: Scrape, database: Database) -> None:
    """How many, and since when the first."""
    assert scrape()[of("broadcasts_overdue_seconds")] == 0
    with database.begin() as connection:
        announce(connection)
        for number in (1, 2):
            plan(connection, f"late {number}", due_at=clock.now() - number * timedelta(minutes=10))
        plan(connection, "later", due_at=clock.now() + timedelta(minutes=10))
    found = scrape()
    assert found[of("broadcasts_overdue")] == 2
    assert 1200 <= found[of("broadcasts_overdue_seconds")] < 1260


def test_work_in_hand_is_said(scrape: Scrape, database: Database) -> None:
    """Batches by what they do, members of open calls, what is held back, who is there to be told."""
    with database.begin() as connection:
        announce(connection)
        plan(connection, "notice", state="open", opened_at=DUE)
        plan(connection, "later")
        batch = cut(connection, "notice", attempts=7, enqueued_at=DUE)
        cut(connection, "notice", done=True, attempts=9)
        call(connection, "notice", batch, range(60))
        holds.put(connection, Hold(Scope.BROADCAST, "notice", True, "canary", "scheduler", DUE))
        versions = [{"pool": "", "number": number, "at": DUE, "recipients": 1000 * number} for number in (1, 2)]
        connection.execute(insert(audience_versions), versions)
        connection.execute(insert(suppressions).values(handle=b"x", sealed=b"x", actor="somebody", at=DUE))
    found = scrape()
    assert found[of("broadcasts", state="open")] == found[of("broadcasts", state="planned")] == 1
    assert found[of("batches", condition="enqueued")] == 1
    assert found[of("batches", condition="leased")] == 0
    assert found[of("batch_attempts_max")] == 7
    assert found[of("in_doubt_recipients", channel="sms", provider="east")] == 60
    assert found[of("holds", scope="broadcast", kind="halted")] == 1
    assert found[of("audience_recipients", pool="people")] == 2000
    assert found[of("suppressed")] == 1


def test_sums_are_counters_that_begin_at_nothing(scrape: Scrape, database: Database) -> None:
    """A rise from nothing is a rise: the first unknown must not go unheard."""
    key = of("outcomes_total", channel="sms", provider="sandbox-sms", outcome="unknown")
    assert scrape()[key] == 0
    with database.begin() as connection:
        tallies.add(connection, {(tallies.OUTCOMES, "sms|sandbox-sms|unknown"): 100})
        tallies.add(connection, {(tallies.OUTCOMES, "sms||skipped"): 3})
        tallies.add(connection, {(tallies.PACING_WAIT_SECONDS, "sms|sandbox-sms"): 1.5})
        tallies.add(connection, {(tallies.RECEIPTS, "sms|sandbox-sms|failed"): 2})
    found = scrape()
    assert found[key] == 100
    assert found[of("outcomes_total", channel="sms", provider="", outcome="skipped")] == 3
    assert found[of("pacing_wait_seconds_total", channel="sms", provider="sandbox-sms")] == 1.5
    assert found[of("receipts_total", channel="sms", provider="sandbox-sms", status="failed")] == 2


def test_lateness_is_a_histogram_of_every_recipient(scrape: Scrape, database: Database) -> None:
    """Its buckets are cumulative, and its sum is in seconds."""
    with database.begin() as connection:
        for seconds, number in ((0.2, 10), (4, 5), (100_000, 1)):
            tallies.add(connection, latency.tally("sms", DUE, DUE + timedelta(seconds=seconds), number))
    found = scrape()
    name = "due_to_accepted_seconds"
    buckets = {
        bound: found[of(f"{name}_bucket", channel="sms", le=bound)] for bound in ("0.1", "0.25", "5", "86400", "+Inf")
    }
    assert buckets == {"0.1": 0, "0.25": 10, "5": 15, "86400": 15, "+Inf": 16}
    assert found[of(f"{name}_count", channel="sms")] == 16
    assert found[of(f"{name}_sum", channel="sms")] == pytest.approx(100_022)


def test_queues_and_circuits_are_those_of_redis(scrape: Scrape) -> None:
    """A provider whose circuit nobody opened is closed, and an empty queue is empty."""
    found = scrape()
    assert found[of("broker_up")] == 1
    assert found[of("queue_depth", queue="delivery")] == 0
    states = {
        word: found[of("circuit", channel="sms", provider="sandbox-sms", state=word)] for word in ("closed", "open")
    }
    assert states == {"closed": 1, "open": 0}


def test_a_broker_that_does_not_answer_is_said_and_nothing_else_is_lost(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database still knows what is to be done."""
    urls = {"DATABASE_URL": database_url, "REDIS_URL": f"redis://{NOWHERE.removeprefix('http://')}/0"}
    with serving(tmp_path / "data", monkeypatch, **urls) as address:
        text = requests.get(address, timeout=30).text
    assert "\nbroadcaster_broker_up 0.0\n" in text
    assert "broadcaster_queue_depth{" not in text
    assert "\nbroadcaster_broadcasts_overdue 0.0\n" in text


def test_a_database_that_does_not_answer_is_a_503(address: str, database: Database) -> None:
    """Prometheus then knows that it knows nothing."""
    with database.begin() as connection:
        # Another session holds the plan, so that no scrape can read it.
        connection.exec_driver_sql("LOCK TABLE broadcasts")
        assert requests.get(address, timeout=30).status_code == 503


def test_labels_never_carry_people(address: str, database: Database) -> None:
    """Nor the slug or the words of an announcement: ids of channels and providers only."""
    known = {label for metric in METRICS for label in metric.labels} | {"le"}
    found = set(re.findall(r'[{,](\w+)="', requests.get(address, timeout=10).text))
    assert found <= known
    assert known & {"phone", "recipient", "name", "slug", "broadcast"} == set()


def test_a_request_with_the_token_is_answered_and_no_other(
    tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From this machine either."""
    urls = {"DATABASE_URL": database_url, "REDIS_URL": servers.redis, "BROADCASTER_METRICS_TOKEN": TOKEN}
    with serving(tmp_path / "data", monkeypatch, **urls) as address:
        given = {
            "none": {},
            "wrong": {"authorization": f"Bearer {TOKEN}x"},
            "right": {"authorization": f"Bearer {TOKEN}"},
        }
        codes = {
            name: requests.get(address, headers=headers, timeout=10).status_code for name, headers in given.items()
        }
    assert codes == {"none": 401, "wrong": 401, "right": 200}


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_a_request_that_a_proxy_passed_on_is_refused(address: str, header: str) -> None:
    """It seems to come from this machine, and does not."""
    assert requests.get(address, headers={header: "203.0.113.7"}, timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("client", "local"),
    [
        (("127.0.0.1", 9), True),
        (("127.8.9.1", 9), True),
        (("::1", 9), True),
        (("::ffff:127.0.0.1", 9), True),
        (("10.0.0.1", 9), False),
        (("::ffff:10.0.0.1", 9), False),
        (("somewhere", 9), False),
        (None, False),
    ],
)
def test_only_this_machine_is_local(client: tuple[str, int] | None, local: bool) -> None:
    """By address; what has none is not."""
    assert metrics.is_local(Request({"type": "http", "headers": [], "client": client})) is local


def exposed(address: str) -> dict[str, tuple[str, set[str]]]:
    """Every metric that is served: name as the pages call it → its kind and labels."""
    found = {}
    for family in text_string_to_metric_families(requests.get(address, timeout=10).text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, labels)
    return found


def documented() -> dict[str, tuple[str, set[str]]]:
    """Every metric of the table in `docs/metrics.md`, with its kind and labels."""
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(broadcaster_\w+)` \| (\w+) \| (.*?) \|", text, re.MULTILINE)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_the_page_lists_what_is_served_and_nothing_else(address: str, database: Database) -> None:
    """With kind and labels; metrics without a value are served by name."""
    with database.begin() as connection:
        announce(connection)
        plan(connection, "notice", state="open")
        call(connection, "notice", cut(connection, "notice"), [1])
        holds.put(connection, Hold(Scope.EVERYTHING, "", False, "", "somebody", DUE))
        connection.execute(insert(audience_versions).values(pool="", number=1, at=DUE))
    assert exposed(address) == documented()


def test_alerts_ask_for_metrics_that_are_there(address: str) -> None:
    """And for labels that they have; a rule about nothing would never fire."""
    rules = YAML(typ="safe", pure=True).load(ALERTS.read_text(encoding="utf-8"))["groups"][0]["rules"]
    served_metrics = exposed(address)
    for rule in rules:
        for name, matchers in re.findall(r"(broadcaster_\w+)(?:\{([^}]*)\})?", rule["expr"]):
            plain = re.sub(r"_(bucket|sum|count)$", "", name)
            assert plain in served_metrics, rule["alert"]
            metric = next(metric for metric in METRICS if metric.name == plain)
            assert set(re.findall(r"(\w+)\s*=~?", matchers)) <= set(metric.labels), rule["alert"]


def test_every_alert_says_what_to_do_and_is_on_the_page() -> None:
    """Somebody is woken up by it."""
    rules = YAML(typ="safe", pure=True).load(ALERTS.read_text(encoding="utf-8"))["groups"][0]["rules"]
    listed = re.findall(
        r"^\| `(Broadcaster\w+)` \|", (ROOT / "docs/metrics.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [rule["alert"] for rule in rules] == listed
    assert [rule["alert"] for rule in rules if set(rule["annotations"]) != {"summary", "action"}] == []
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "notice"}


def test_what_operators_have_not_taken_is_seen(scrape: Scrape, database: Database) -> None:
    """How much it is, and since when; an operator who has taken everything has a 0."""
    assert scrape()[of("operator_events_waiting", operator="duty-desk")] == 0
    assert scrape()[of("operator_events_waiting_seconds")] == 0
    told = Told("duty-desk", Kind.OWNER_ASKED, "pump-works", "once")
    with database.begin() as connection:
        operator_events.write(connection, told, {}, clock.now() - timedelta(minutes=11))
    seen = scrape()
    assert seen[of("operator_events_waiting", operator="duty-desk")] == 1
    assert seen[of("operator_events_waiting_seconds")] >= 660


def test_an_overrun_is_seen(scrape: Scrape, database: Database) -> None:
    """Until somebody says how it stands."""
    with database.begin() as connection:
        announce(connection)
        announcements.change(connection, SLUG, state="overrun")
    assert scrape()[of("announcements_overrun")] == 1
