"""`up`: everything on one machine until it is stopped, and nothing of it afterwards."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import psutil
import pytest
import requests

from broadcaster.embedded.processes import gone
from broadcaster.stack import free_port
from tests.support.cli import LONGEST, Cli
from tests.support.examples import SLUG, to_come
from tests.support.polling import eventually
from tests.support.processes import descendants, working_on
from tests.support.serving import bound

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]


def answers(port: int) -> bool:
    """Whether somebody is well there."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def said(data: Path) -> str:
    """What the command has printed."""
    return (data / "output").read_text(encoding="utf-8")


def greets(data: Path) -> bool:
    """Whether it has said that everything runs."""
    return "Ctrl-C stops everything" in said(data)


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether all have ended."""
    return all(gone(process) for process in processes)


def test_what_up_started_it_stops(bare_cli: Cli) -> None:
    """Ctrl-C or a supervisor's TERM: every process ends, and the next start finds everything as it was."""
    port, sandbox_port = free_port(), free_port()
    for number in (signal.SIGINT, signal.SIGTERM):
        with bare_cli.running("up", "--port", str(port), "--sandbox-port", str(sandbox_port)) as process:
            eventually(partial(greets, bare_cli.data), "everything runs")
            assert answers(port)
            assert answers(sandbox_port)
            children = psutil.Process(process.pid).children(recursive=True)
            assert len(children) >= 5
            process.send_signal(number)
            assert process.wait(LONGEST) == 130
        eventually(partial(all_gone, children), "every child is gone")
        assert working_on(bare_cli.data) == {}
        assert "Traceback" not in said(bare_cli.data)


def test_an_operator_works_beside_it(bare_cli: Cli, tmp_path: Path) -> None:
    """Applied and approved in another terminal, an announcement is on the surfaces, and the scheduler is alive."""
    port, sandbox_port = free_port(), free_port()
    with bare_cli.running("up", "--port", str(port), "--sandbox-port", str(sandbox_port)) as process:
        eventually(lambda: answers(port) and answers(sandbox_port), "everything runs")
        assert bare_cli.run("apply", to_come(tmp_path / "announcement.yaml")).code == 0
        assert bare_cli.run("approve", SLUG, "--revision", "1").code == 0
        ran = bare_cli.run("status", SLUG, "--json")
        assert ran.data["announcement"]["revision"] == 1
        document = f"http://127.0.0.1:{port}/surfaces/banner.json"
        eventually(lambda: requests.get(document, timeout=5).json()["announcements"] != [], "the banner shows it")
        process.send_signal(signal.SIGINT)
        assert process.wait(LONGEST) == 130


def test_a_killed_up_leaves_nothing_that_works_on(bare_cli: Cli) -> None:
    """The kernel ends the programs of a command that had no chance to do it; a new start takes over the rest."""
    port, sandbox_port = free_port(), free_port()
    arguments = ("up", "--port", str(port), "--sandbox-port", str(sandbox_port))
    with bare_cli.running(*arguments) as process:
        eventually(partial(greets, bare_cli.data), "everything runs")
        workers = descendants(psutil.Process(process.pid), "workers.app")
        process.kill()
    eventually(partial(all_gone, workers), "the workers are gone")
    eventually(lambda: not answers(port), "the web application is gone")
    with bare_cli.running(*arguments) as process:
        eventually(partial(greets, bare_cli.data), "everything runs again")
        process.send_signal(signal.SIGINT)
        assert process.wait(LONGEST) == 130
    assert working_on(bare_cli.data) == {}


def test_a_taken_port_is_named(bare_cli: Cli) -> None:
    """Before anything is started, with the option that helps."""
    with bound() as taken:
        taken.listen()
        port = taken.getsockname()[1]
        ran = bare_cli.run("up", "--port", str(port))
    assert ran.code == 1
    assert f"error: port {port} is taken" in ran.err
    assert "--port, --sandbox-port" in ran.err
    assert not (bare_cli.data / "services").exists()


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL"])
def test_a_service_that_does_not_answer_stops_the_start(cli: Cli, variable: str) -> None:
    """The address is named without its password, and no program is started."""
    scheme = {"DATABASE_URL": "postgresql", "REDIS_URL": "redis"}[variable]
    with bound() as probe:
        port = probe.getsockname()[1]
    url = f"{scheme}://:hunter2@127.0.0.1:{port}/0"
    arguments = ("up", "--port", str(free_port()), "--sandbox-port", str(free_port()))
    ran = cli.run(*arguments, **{variable: url})
    assert ran.code == 1
    assert f"127.0.0.1:{port}" in ran.err
    assert variable in ran.err
    assert "hunter2" not in ran.out + ran.err
    assert not (cli.data / "logs").exists()
