"""Whole campaigns with real processes: workers, beat, sandbox, Postgres and Redis, driven by the command line."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest
import redis

from broadcaster.embedded import discard
from broadcaster.embedded.processes import gone
from broadcaster.sandbox.site import write_sandbox_site
from tests.support.campaigns import CHANNELS, RECIPIENTS, Played, arguments, received, rehearse
from tests.support.cli import LONGEST, Cli, Ran
from tests.support.databases import only_one
from tests.support.examples import EXAMPLE
from tests.support.polling import eventually
from tests.support.processes import descendants, working_on

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]

BEFORE = ["notice", "reminder", "reminder"]
DURING = ["started", "ongoing", "ongoing", "ongoing"]
NUMBER = "1000000"
"""How the digits of every generated phone number begin, but the country's."""
A_DAY_LATE = "- {at: 2022-03-21 24:00, do: finish}\n"
FOUR_HOURS_LATE = "- {at: 2022-03-21 04:00, do: finish}\n"
CALLED_OFF = "- {at: 2022-02-24 12:00, do: cancel, reason: the migration was put off}\n"


@pytest.fixture(scope="session")
def default(shared: Path) -> Played:
    """The example from publication to restoration, played once for all the tests that look at it."""
    data = shared / "default-rehearsal"
    with only_one(shared, "default-rehearsal"):
        if not (data / "report.json").exists():
            ran = rehearse(data, vendors=True).ran
            discard(data)
            (data / "ran.json").write_text(json.dumps([ran.code, ran.out, ran.err]), encoding="utf-8")
    code, out, err = json.loads((data / "ran.json").read_text(encoding="utf-8"))
    return Played(data, Ran(code, out, err))


def consistent(played: Played) -> bool:
    """Whether everybody is accounted for, and the command says so in its exit code."""
    return played.ran.code == 0 and played.report["consistent"] and played.report["problems"] == []


def test_the_example_is_told_from_publication_to_restoration(default: Played) -> None:
    """Everybody is accounted for, and the public saw what the ledger says."""
    assert consistent(default), default.ran
    assert "consistent: everybody is accounted for" in default.ran.out


def test_every_line_of_every_log_is_json(default: Played) -> None:
    """What our own processes say, and what their libraries say."""
    logs = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in (default.data / "logs").glob("*.log")}
    assert set(logs) == {"web", "delivery", "control", "beat", "sandbox"}
    assert [line for lines in logs.values() for line in lines if "event" not in json.loads(line)] == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_tells_every_phase_in_order(default: Played, channel: str) -> None:
    """Notice, reminders, the start, weekly news, and at the end that service is back."""
    assert default.told(channel) == [*BEFORE, *DURING, "restored"]


def test_the_report_has_its_agreed_shape(default: Played) -> None:
    """Other programs read it."""
    report = default.report
    assert {"announcement", "consistent", "totals", "broadcasts", "sandbox"} <= report.keys()
    assert {"received", "duplicates", "repeats"} == report["sandbox"].keys()
    counters = {"recipients", "accepted", "delivered", "rejected", "unknown", "skipped"}
    times = {"due_at", "expires_at", "opened_at", "closed_at"}
    assert counters <= report["totals"].keys()
    assert all({"id", "phase", "channel"} | times | counters <= row.keys() for row in report["broadcasts"])


def test_totals_broadcasts_and_public_agree(default: Played) -> None:
    """The sum of the broadcasts is the total, and what was accepted was seen, once."""
    report = default.report
    for name, total in report["totals"].items():
        assert total == sum(row[name] for row in report["broadcasts"])
    assert report["totals"]["accepted"] == report["sandbox"]["received"]
    assert report["sandbox"]["duplicates"] == 0
    assert {row["recipients"] for row in report["broadcasts"] if row["channel"] == "sms"} >= {RECIPIENTS}


def test_no_phone_number_is_in_any_log(default: Played) -> None:
    """Logs carry ids and counts, never people."""
    logs = sorted((default.data / "logs").glob("*.log"))
    assert {log.stem for log in logs} == {"beat", "control", "delivery", "sandbox", "web"}
    assert [log.name for log in logs if NUMBER in log.read_text(encoding="utf-8")] == []


def test_no_phone_number_is_in_the_report(default: Played) -> None:
    """It counts; it names nobody."""
    assert NUMBER not in (default.data / "report.json").read_text(encoding="utf-8")
    assert NUMBER not in (default.data / "report.html").read_text(encoding="utf-8")


def test_a_rehearsal_leaves_no_process_behind(default: Played) -> None:
    """What was started is stopped."""
    assert working_on(default.data) == {}


def test_an_outage_that_ends_late_is_told_as_overrun_until_somebody_finishes_it(data: Path) -> None:
    """The clock completes nothing: every channel hears of the overrun, and of the restoration only a day later."""
    played = rehearse(data, A_DAY_LATE)
    assert consistent(played), played.ran
    for channel in CHANNELS:
        told = played.told(channel)
        assert told[: len(BEFORE + DURING)] == [*BEFORE, *DURING]
        assert set(told[len(BEFORE + DURING) : -1]) == {"overrun"}
        assert told[-1] == "restored"


def test_an_end_that_passes_without_a_word_was_asked_about_and_is_not_called_restored(data: Path) -> None:
    """The owner is asked ahead, told of the overrun, and asked again; the public is told `restored` by their word."""
    played = rehearse(data, FOUR_HOURS_LATE)
    assert consistent(played), played.ran
    assert [(row["type"], row["lead"], row["state"]) for row in played.report["asked"]] == [
        ("owner.asked", "2 days before", "accepted"),
        ("owner.asked", "2 hours before", "accepted"),
        ("announcement.overrun", "at the end", "accepted"),
        ("owner.asked", "1 hour after", "accepted"),
        ("owner.asked", "2 hours after", "accepted"),
        ("owner.asked", "3 hours after", "accepted"),
    ]
    said = [row for row in played.report["broadcasts"] if row["phase"] == "restored"]
    assert {row["channel"] for row in said} == set(CHANNELS)
    assert min(row["opened_at"] for row in said) >= "2022-03-21T04:00:00+08:00"
    assert played.report["times"] == {
        "planned": {"start": "2022-02-26T00:00:00+08:00", "end": "2022-03-21T00:00:00+08:00"},
        "revised": [],
        "actual": {"start": "2022-02-26T00:00:00+08:00", "end": "2022-03-21T04:00:00+08:00", "cancelled": None},
    }


def test_a_cancelled_outage_is_called_off_and_nothing_more_is_said(data: Path) -> None:
    """Whoever had the notice hears that it is off; the rest of the plan never goes out."""
    played = rehearse(data, CALLED_OFF)
    assert consistent(played), played.ran
    for channel in CHANNELS:
        assert played.told(channel) == ["notice", "reminder", "cancelled"]
    assert played.report["announcement"]["state"] == "cancelled"


Strike = Callable[[psutil.Process], None]


def kill_the_worker(command: psutil.Process) -> None:
    """SIGKILL the main process of the delivery worker, whose pool then works for nobody."""
    descendants(command, "-Q delivery")[0].kill()


def kill_the_pool(command: psutil.Process) -> None:
    """SIGKILL the processes that make the calls."""
    for process in descendants(command, "-Q delivery")[1:]:
        process.kill()


def kill_the_scheduler(command: psutil.Process) -> None:
    """SIGKILL the control worker and beat."""
    for words in ("-Q control", "workers.app beat"):
        for process in descendants(command, words):
            process.kill()


def flush_redis(command: psutil.Process) -> None:
    """Let Redis forget everything."""
    [beat] = descendants(command, "workers.app beat")
    with redis.Redis.from_url(beat.environ()["REDIS_URL"]) as client:
        client.flushall()


def said(data: Path) -> str:
    """What the command has printed."""
    return (data / "output").read_text(encoding="utf-8")


def underway(data: Path, process: subprocess.Popen[bytes], least: int) -> bool:
    """Whether so many messages were seen, or no more will be."""
    return received(data) >= least or process.poll() is not None


@pytest.mark.parametrize(
    "strikes",
    [
        pytest.param([kill_the_worker, kill_the_pool], id="workers"),
        pytest.param([kill_the_scheduler, kill_the_scheduler], id="scheduler"),
        pytest.param([flush_redis, flush_redis], id="Redis"),
    ],
)
def test_whatever_dies_in_the_middle_everybody_is_told_once(data: Path, strikes: list[Strike]) -> None:
    """Struck while messages go out, the campaign ends consistent, nobody got a message twice, no process stays."""
    with Cli(data).running(*arguments(data, recipients=2000)) as process:
        for least, strike in zip((1, 4000), strikes, strict=True):
            eventually(partial(underway, data, process, least), "messages go out")
            assert process.poll() is None, said(data)
            strike(psutil.Process(process.pid))
        code = process.wait(LONGEST)
    played = Played(data, Ran(code, said(data), ""))
    assert consistent(played), played.ran
    assert played.report["sandbox"]["duplicates"] == 0
    assert played.told("sms") == [*BEFORE, *DURING, "restored"]
    eventually(lambda: working_on(data) == {}, "no process is left")


def test_a_rehearsal_that_is_stopped_stops_everything(data: Path) -> None:
    """Ctrl-C or TERM in the middle: no process stays, and the folder can be used again at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with Cli(data).running(*arguments(data)) as process:
            eventually(partial(underway, data, process, 1), "messages go out")
            assert process.poll() is None, said(data)
            children = psutil.Process(process.pid).children(recursive=True)
            assert len(children) >= 5
            process.send_signal(number)
            assert process.wait(LONGEST) == 130, said(data)
        eventually(partial(all_gone, children), "every child is gone")
        assert working_on(data) == {}
        assert "Traceback" not in said(data)


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether all have ended."""
    return all(gone(process) for process in processes)


def test_one_rehearsal_at_a_time_has_a_folder(data: Path) -> None:
    """A second one is refused, and told which folder is taken and what to do."""
    with Cli(data).running(*arguments(data)) as process:
        eventually((data / "rehearsal.lock").exists, "the first one holds the folder")
        eventually((data / "services").exists, "the first one starts its services")
        second = Cli(data).run(*arguments(data))
        process.send_signal(signal.SIGINT)
        process.wait(LONGEST)
    assert second.code == 1
    assert f"error: another rehearsal runs in {data}" in second.err
    assert "give another folder with --data" in second.err


@pytest.mark.parametrize(("folder", "who"), [("sms", "sms provider sandbox-sms"), ("operators", "operator duty-desk")])
def test_a_rehearsal_reaches_nobody_outside_this_machine(data: Path, tmp_path: Path, folder: str, who: str) -> None:
    """A site with a single real provider or operator is refused before anything but private services is started."""
    write_sandbox_site(tmp_path, sandbox_url="http://127.0.0.1:9", public_url="http://127.0.0.1:9")
    site = tmp_path / "site.yaml"
    text = site.read_text(encoding="utf-8")
    site.write_text(text.replace(f"127.0.0.1:9/{folder}", f"outside.example.org/{folder}"), encoding="utf-8")
    ran = Cli(data).run("rehearse", EXAMPLE, "--data", data, "--site", site)
    assert ran.code == 1
    assert f"a rehearsal reaches loopback addresses only, but {who} is not one" in ran.err
    assert not (data / "logs").exists()
